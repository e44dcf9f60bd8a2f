// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

/// Watermarks: how far event time has come. A watermark `w` says that nothing that happened before `w` is still expected; what
/// comes all the same is late.

namespace troupe::pipeline {

/// The least of many times, each of which changes on its own: a tournament (Knuth, TAOCP 3, 5.4.1), so that a change costs
/// the logarithm of their number. Pure.
class least_time {
public:
  /// `count` times, all at the start of time. At least 1.
  explicit least_time(std::size_t count = 1) : leaves_{std::bit_ceil(count)}, tree_(2 * leaves_, end_of_time) {
    for (std::size_t i = 0; i < count; ++i)
      set(i, start_of_time);
  }

  void set(std::size_t i, event_time t) noexcept {
    i += leaves_;
    tree_[i] = t;
    while (i > 1) {
      i /= 2;
      tree_[i] = std::min(tree_[2 * i], tree_[2 * i + 1]);
    }
  }

  event_time at(std::size_t i) const noexcept { return tree_[leaves_ + i]; }
  /// `end_of_time` if all are.
  event_time least() const noexcept { return tree_[1]; }

private:
  std::size_t leaves_;
  std::vector<event_time> tree_;
};

/// The watermark of what flows together from several inputs: the least of theirs, leaving out those that are idle or have
/// ended. It never goes back: an input that was idle and speaks again with older events finds them late. If all inputs are
/// idle, it stays. Pure.
class watermark_merge {
public:
  explicit watermark_merge(std::size_t inputs = 1) : times_{inputs}, quiet_(inputs, quiet::no) {}

  /// An input's watermark; it is not idle any more.
  void advance(std::size_t input, event_time watermark) noexcept {
    if (quiet_[input] == quiet::ended)
      return;
    if (quiet_[input] == quiet::idle) {
      quiet_[input] = quiet::no;
      --idle_;
      times_.set(input, current_);
    }
    if (watermark > times_.at(input))
      times_.set(input, watermark);
  }

  /// Nothing comes from it for now: it does not hold back the others.
  void idle(std::size_t input) noexcept {
    if (quiet_[input] != quiet::no)
      return;
    quiet_[input] = quiet::idle;
    ++idle_;
    times_.set(input, end_of_time);
  }

  void end(std::size_t input) noexcept {
    if (quiet_[input] == quiet::idle)
      --idle_;
    if (quiet_[input] != quiet::ended)
      ++ended_;
    quiet_[input] = quiet::ended;
    times_.set(input, end_of_time);
  }

  /// Where event time is now. `end_of_time` once all inputs have ended.
  event_time watermark() noexcept {
    if (idle_ + ended_ < quiet_.size() || idle_ == 0)
      current_ = std::max(current_, times_.least());
    return current_;
  }

  bool has_ended(std::size_t input) const noexcept { return quiet_[input] == quiet::ended; }
  bool all_ended() const noexcept { return ended_ == quiet_.size(); }
  std::size_t inputs() const noexcept { return quiet_.size(); }
  std::size_t ended() const noexcept { return ended_; }

  template <class A>
  void archive(A& a) {
    std::vector<event_time> times;
    for (std::size_t i = 0; i < quiet_.size(); ++i)
      times.push_back(times_.at(i));
    a(times, quiet_, idle_, ended_, current_);
    if constexpr (A::reads) {
      times_ = least_time{times.size()};
      for (std::size_t i = 0; i < times.size(); ++i)
        times_.set(i, times[i]);
    }
  }

  /// All that have not ended are idle.
  bool all_idle() const noexcept { return idle_ > 0 && idle_ + ended_ == quiet_.size(); }

private:
  enum class quiet : unsigned char { no, idle, ended };

  least_time times_;
  std::vector<quiet> quiet_;
  std::size_t idle_ = 0;
  std::size_t ended_ = 0;
  event_time current_ = start_of_time;
};

/// The watermark of a stream whose events come out of order by at most `bound`: the latest time seen, less the bound. Pure.
class bounded_disorder {
public:
  explicit bounded_disorder(event_duration bound = event_duration{0}) noexcept : bound_{bound} {}

  void observe(event_time t) noexcept {
    if (t > latest_) // a branch, not a maximum: it is foreseen, so the next event need not wait for this one
      latest_ = t;
  }
  event_time watermark() const noexcept { return earlier_by(latest_, bound_); }
  void archive(auto& a) { a(latest_); }

private:
  event_duration bound_;
  event_time latest_ = start_of_time;
};

} // namespace troupe::pipeline
