// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/agenda.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// The open sessions of many keys, with one accumulator `A` for each.
///
/// An element that comes out of order may extend a session backwards, or close the gap between two, which become one. A
/// session is complete when the watermark reaches its end: no element that could still belong to it comes after that.
/// What a batch changes can be rolled back. Pure.
template <class K, class A>
requires merges<A>
class session_windows {
public:
  session_windows(session kind, event_duration lateness, A prototype)
      : gap_{kind.gap}, lateness_{lateness}, none_{{.accumulator = std::move(prototype)}} {}

  /// Adds what happened at `t`, by calling `add(accumulator)`. Calls `late(window, accumulator)` if the session that it has
  /// become a part of was complete already. Returns false if it is late for good: a session of it alone would be forgotten
  /// by now. So its own time decides, and not whether a long session that is still open reaches back to it.
  template <class Add, class Late>
  [[gnu::always_inline]] bool add(const K& key, event_time t, Add&& add_to, Late&& late) {
    if (t < taken_from_)
      return false;
    auto& here = keys_.touch(key, none_);
    auto& s = here.first;
    if (!here.usual || t < s.start || later_by(s.last, gap_) <= t) [[unlikely]] {
      add_elsewhere(key, here, t, add_to, late);
      return true;
    }
    // Its end only moves away: so it is not complete, and its reminder is early enough.
    if (t > s.last)
      s.last = t;
    add_to(s.accumulator);
    return true;
  }

  /// `f(window, accumulator)` for each session of the key whose result was not said.
  template <class F>
  void each_open(const K& key, F&& f) const {
    const auto* here = keys_.find(key);
    if (here == nullptr || here->empty)
      return;
    const auto look = [&](const open_session& s) {
      if (!s.said)
        f(window{s.start, end_of(s)}, s.accumulator);
    };
    look(here->first);
    if (here->more)
      for (const auto& s : others_.find(key)->all)
        look(s);
  }

  /// Event time has reached `watermark`. Calls `complete(key, window, accumulator)` for each session that is complete now, and
  /// forgets those whose lateness is over.
  template <class F>
  void advance(event_time watermark, F&& complete) {
    if (watermark <= watermark_.get())
      return;
    watermark_.change() = watermark;
    taken_from_ = first_taken(watermark);
    const auto still = [&](event_time at, const K& key) {
      const auto* all = keys_.find(key);
      if (all == nullptr || all->reminded != at)
        return false; // there is another reminder
      const auto next = due(key, *all);
      if (next > watermark) // nearly always: something came since
        remind(*all, next, key);
      return next <= watermark;
    };
    agenda_.due(watermark, still, [&](event_time at, const K& key) {
      if (const auto* all = keys_.find(key); all != nullptr && all->reminded == at)
        look_at(keys_.touch_found(*all), key, complete);
    });
  }

  event_time watermark() const noexcept { return watermark_.get(); }
  /// Keys with sessions.
  std::size_t size() const noexcept { return keys_.size(); }

  void commit() noexcept {
    keys_.commit();
    others_.commit();
    watermark_.commit();
  }

  template <class Archive>
  void archive(Archive& a) requires archivable<K> && archivable<A> {
    a(watermark_);
    keys_.archive(a, none_);
    others_.archive(a, several{{none_.first}});
    if constexpr (Archive::reads)
      rollback(); // makes the agenda
  }

  void rollback() {
    keys_.rollback();
    others_.rollback();
    watermark_.rollback();
    taken_from_ = first_taken(watermark_.get());
    agenda_.clear();
    keys_.for_each([&](const K& key, const sessions& all) { remind(all, due(key, all), key); });
  }

private:
  struct open_session {
    void archive(auto& a) { a(start, last, said, accumulator); }

    event_time start{};
    event_time last{};
    bool said = false; // its result was said, and nothing came since
    A accumulator;
  };

  /// The sessions of a key, by time. Nearly always there is one; those behind the first are in a table of their own, so that
  /// what nearly always has to be copied is small.
  struct sessions {
    void archive(auto& a) { a(empty, more, first); }

    open_session first;
    bool empty = true;
    bool more = false;
    /// There is one session, and its result was not said, so its end is after the watermark. False says nothing.
    bool usual = false;
    /// Where their reminder is in the agenda. Not part of the state: a rollback makes it anew.
    mutable event_time reminded = end_of_time;
  };

  /// The sessions of a key behind its first; never none.
  struct several {
    template <class Archive>
    void archive(Archive& a) {
      if constexpr (Archive::reads) {
        const auto pattern = all.front();
        all.assign(a.count(), pattern);
      } else {
        a(std::uint64_t{all.size()});
      }
      for (auto& s : all)
        a(s);
    }
    std::vector<open_session> all;
  };

  /// All sessions of a key, by their place in time.
  class all_of {
  public:
    all_of(session_windows& in, const K& key, sessions& here)
        : in_{in}, key_{key}, here_{here}, later_{here.more ? in.others_.touch_existing(key) : nullptr} {}

    std::size_t size() const noexcept { return here_.empty ? 0 : 1 + (later_ != nullptr ? later_->all.size() : 0); }
    open_session& operator[](std::size_t i) noexcept { return i == 0 ? here_.first : later_->all[i - 1]; }

    void insert(std::size_t at, open_session s) {
      if (at == 0)
        std::swap(here_.first, s);
      if (std::exchange(here_.empty, false))
        return;
      if (later_ == nullptr)
        later_ = &in_.others_.touch(key_);
      here_.more = true;
      later_->all.insert(later_->all.begin() + static_cast<std::ptrdiff_t>(at == 0 ? 0 : at - 1), std::move(s));
    }

    void erase(std::size_t at) {
      here_.empty = later_ == nullptr;
      if (here_.empty)
        return;
      if (at == 0)
        here_.first = std::move(later_->all.front());
      later_->all.erase(later_->all.begin() + static_cast<std::ptrdiff_t>(at == 0 ? 0 : at - 1));
      here_.more = !later_->all.empty();
      if (!here_.more) {
        in_.others_.erase_found(*later_);
        later_ = nullptr;
      }
    }

  private:
    session_windows& in_;
    const K& key_;
    sessions& here_;
    several* later_; // null: none
  };

  /// As `add`, for what is not simply a further element of the only session.
  template <class Add, class Late>
  [[gnu::noinline]] void add_elsewhere(const K& key, sessions& here, event_time t, Add& add_to, Late& late) {
    const bool fresh = here.empty;
    auto& s = join(all_of{*this, key, here}, t);
    add_to(s.accumulator);
    const auto end = end_of(s);
    s.said = end <= watermark_.get();
    if (s.said)
      late(window{s.start, end}, std::as_const(s.accumulator));
    if (const auto next = due(s); fresh || next < here.reminded)
      remind(here, next, key);
    note_whether_usual(here);
  }

  static void note_whether_usual(sessions& here) noexcept {
    here.usual = !here.empty && !here.more && !here.first.said;
  }

  /// The session that `t` belongs to, extended by it; a new one if there is none.
  open_session& join(all_of all, event_time t) {
    std::size_t i = 0;
    while (i < all.size() && end_of(all[i]) <= t)
      ++i;
    if (i == all.size() || later_by(t, gap_) <= all[i].start) {
      all.insert(i, open_session{.start = t, .last = t, .accumulator = none_.first.accumulator});
      return all[i];
    }
    auto& s = all[i];
    s.start = std::min(s.start, t);
    s.last = std::max(s.last, t);
    while (i + 1 < all.size() && all[i + 1].start < end_of(s)) {
      auto& other = all[i + 1];
      s.last = std::max(s.last, other.last);
      s.accumulator.merge(other.accumulator);
      all.erase(i + 1);
    }
    return all[i];
  }

  event_time end_of(const open_session& s) const noexcept { return later_by(s.last, gap_); }

  /// When there is something to do about it: its result is to be said, or it is to be forgotten.
  event_time due(const open_session& s) const noexcept { return s.said ? later_by(end_of(s), lateness_) : end_of(s); }
  event_time due(const K& key, const sessions& here) const noexcept {
    auto first = due(here.first);
    if (here.more)
      for (const auto& s : others_.find(key)->all)
        first = std::min(first, due(s));
    return first;
  }

  template <class F>
  void look_at(sessions& here, const K& key, F& complete) {
    all_of all{*this, key, here};
    for (std::size_t i = 0; i < all.size();) {
      auto& s = all[i];
      const auto end = end_of(s);
      if (!s.said && end <= watermark_.get()) {
        s.said = true;
        complete(key, window{s.start, end}, std::as_const(s.accumulator));
      }
      if (s.said && later_by(end, lateness_) <= watermark_.get())
        all.erase(i);
      else
        ++i;
    }
    if (here.empty)
      return keys_.erase_found(here);
    note_whether_usual(here);
    remind(here, due(key, here), key);
  }

  /// What happened before that is late for good when event time has come so far.
  event_time first_taken(event_time watermark) const noexcept {
    if (watermark == start_of_time || watermark == end_of_time)
      return watermark;
    return later_by(earlier_by(earlier_by(watermark, gap_), lateness_), event_duration{1});
  }

  void remind(const sessions& all, event_time at, const K& key) {
    all.reminded = at;
    agenda_.remind(at, key);
  }

  event_duration gap_;
  event_duration lateness_;
  sessions none_; // what the state of a key begins as
  restorable<event_time> watermark_{start_of_time};
  event_time taken_from_ = start_of_time; // by the watermark
  keyed_table<K, sessions> keys_;
  keyed_table<K, several> others_;
  agenda<K> agenda_;
};

} // namespace troupe::pipeline
