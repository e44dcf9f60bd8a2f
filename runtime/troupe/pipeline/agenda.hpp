// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// Which keys want to be looked at, and when: a heap of reminders.
///
/// A reminder is a hint, and says nothing by itself: whoever is called looks at the state of the key and finds what is due.
/// So a reminder that is obsolete does no harm, and after a rollback the agenda is simply made anew from the state. Pure.
template <class K>
class agenda {
public:
  void remind(event_time at, const K& key) {
    heap_.emplace_back(at, key);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  /// Calls `f(at, key)` for each reminder for `until` or earlier, in the order of time. `f` may add further ones.
  template <class F>
  void due(event_time until, F&& f) {
    while (!heap_.empty() && heap_.front().first <= until) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      const reminder r = std::move(heap_.back());
      heap_.pop_back();
      f(r.first, r.second);
    }
  }

  std::size_t size() const noexcept { return heap_.size(); }
  void clear() noexcept { heap_.clear(); }

private:
  using reminder = std::pair<event_time, K>;
  static bool later(const reminder& a, const reminder& b) noexcept { return a.first > b.first; }

  std::vector<reminder> heap_;
};

} // namespace troupe::pipeline
