// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// Which keys want to be looked at, and when.
///
/// A reminder is a hint, and says nothing by itself: whoever is called looks at the state of the key and finds what is due.
/// So a reminder that is obsolete does no harm, and after a rollback the agenda is simply made anew from the state.
///
/// Event time never goes back, so this is a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan 1990) over the 16 hexadecimal digits of
/// a time: a reminder waits in the bucket of the highest digit in which its time differs from the time that has been reached,
/// and of its value there. When time goes on, the buckets that it passes are emptied: what is due is called, the others move
/// to lower digits. So adding costs no search, and a reminder is moved, together with its neighbours, once for each digit
/// that lies between its delay and the steps of time. Pure.
template <class K>
class agenda {
public:
  void remind(event_time at, const K& key) { wait({at, key}); }

  /// Calls `f(at, key)` for each reminder for `until` or earlier, in the order of time. `f` may add further ones. `until` is
  /// not earlier than in the call before.
  template <class F>
  void due(event_time until, F&& f) {
    due(
        until, [](event_time, const K&) { return true; }, f);
  }

  /// As above, but asks first, in any order, `still(at, key)`: false if the reminder is obsolete. `still` may add another one.
  template <class Still, class F>
  void due(event_time until, Still&& still, F&& f) {
    if (until > reached_)
      go_on(until, still);
    for (std::size_t next = 0; next < ready_.size() || !added_.empty();) {
      if (next == ready_.size() || (!added_.empty() && added_.front().at < ready_[next].at)) {
        std::pop_heap(added_.begin(), added_.end(), later{});
        const reminder r = std::move(added_.back());
        added_.pop_back();
        f(r.at, r.key);
      } else {
        f(ready_[next].at, std::as_const(ready_[next].key));
        ++next;
      }
    }
    empty(ready_);
  }

  std::size_t size() const noexcept {
    auto n = added_.size();
    for (const auto& b : buckets_)
      n += b.size();
    return n;
  }

  /// Forgets all, and that time has gone on.
  void clear() noexcept {
    for (auto& b : buckets_)
      b.clear();
    filled_.fill(0);
    moving_.clear();
    ends_.clear();
    ready_.clear();
    added_.clear();
    reached_ = start_of_time;
  }

private:
  struct reminder {
    event_time at;
    K key;
  };
  struct later {
    bool operator()(const reminder& a, const reminder& b) const noexcept { return a.at > b.at; }
  };

  /// Reminders whose memory is kept where there are none.
  static constexpr std::size_t kept_capacity = 1'024;

  static std::uint64_t bits_of(event_time t) noexcept {
    return static_cast<std::uint64_t>(t.time_since_epoch().count()) ^ (std::uint64_t{1} << 63); // in the order of time
  }
  /// The highest digit in which two times differ.
  static unsigned difference(event_time a, event_time b) noexcept {
    return static_cast<unsigned>(std::bit_width(bits_of(a) ^ bits_of(b)) - 1) / 4;
  }
  static unsigned digit(event_time t, unsigned place) noexcept {
    return static_cast<unsigned>(bits_of(t) >> (4 * place)) & 15;
  }

  [[gnu::always_inline]] void wait(reminder r) {
    if (r.at <= reached_) {
      added_.push_back(std::move(r));
      std::push_heap(added_.begin(), added_.end(), later{});
      return;
    }
    const auto place = difference(r.at, reached_);
    const auto value = digit(r.at, place);
    filled_[place] = static_cast<std::uint16_t>(filled_[place] | 1U << value);
    buckets_[16 * place + value].push_back(std::move(r));
  }

  template <class Still>
  void go_on(event_time until, Still& still) {
    const auto highest = difference(until, std::exchange(reached_, until));
    for (unsigned place = 0; place < highest; ++place)
      take_out(place, 15);
    take_out(highest, digit(until, highest));
    std::size_t at = 0;
    for (const auto end : ends_) { // bucket by bucket, in the order of time
      const auto sorted = ready_.size();
      for (; at < end; ++at) {
        auto& r = moving_[at];
        if (r.at > until)
          wait(std::move(r));
        else if (still(r.at, std::as_const(r.key)))
          ready_.push_back(std::move(r));
      }
      std::sort(ready_.begin() + static_cast<std::ptrdiff_t>(sorted), ready_.end(),
                [](const reminder& a, const reminder& b) { return a.at < b.at; });
    }
    ends_.clear();
    empty(moving_);
  }

  /// Empties the buckets of that place up to that value.
  void take_out(unsigned place, unsigned value) {
    const auto changed = filled_[place] & ((2U << value) - 1);
    filled_[place] = static_cast<std::uint16_t>(filled_[place] & ~changed);
    for (auto bits = changed; bits != 0; bits &= bits - 1) {
      auto& bucket = buckets_[16 * place + static_cast<unsigned>(std::countr_zero(bits))];
      moving_.insert(moving_.end(), std::make_move_iterator(bucket.begin()), std::make_move_iterator(bucket.end()));
      ends_.push_back(moving_.size());
      empty(bucket);
    }
  }

  static void empty(std::vector<reminder>& all) noexcept {
    if (all.capacity() > kept_capacity)
      std::vector<reminder>{}.swap(all);
    else
      all.clear();
  }

  event_time reached_ = start_of_time;
  std::array<std::vector<reminder>, 256> buckets_; // later than reached_; by place and value of the digit
  std::array<std::uint16_t, 16> filled_{};         // by place, a bit for each bucket that is not empty
  std::vector<reminder> added_;                    // not later than reached_: a heap

  // -- while time goes on --
  std::vector<reminder> moving_;
  std::vector<std::size_t> ends_; // of what was in one bucket, among those moving
  std::vector<reminder> ready_;   // due, in the order of time
};

} // namespace troupe::pipeline
