// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// Which keys want to be looked at, and when.
///
/// A reminder is a hint, and says nothing by itself: whoever is called looks at the state of the key and finds what is due.
/// So a reminder that is obsolete does no harm, and after a rollback the agenda is simply made anew from the state.
///
/// Most reminders are for later than all before them, as event time goes on: these wait in line. The others are in a heap.
/// Pure.
template <class K>
class agenda {
public:
  void remind(event_time at, const K& key) {
    if (first_ == line_.size() || line_.back().at <= at) {
      line_.push_back({at, key});
    } else {
      heap_.push_back({at, key});
      std::push_heap(heap_.begin(), heap_.end(), later{});
    }
  }

  /// Calls `f(at, key)` for each reminder for `until` or earlier, in the order of time. `f` may add further ones.
  template <class F>
  void due(event_time until, F&& f) {
    for (;;) {
      const bool waits = first_ < line_.size();
      if (!heap_.empty() && !(waits && line_[first_].at <= heap_.front().at)) {
        if (heap_.front().at > until)
          return;
        std::pop_heap(heap_.begin(), heap_.end(), later{});
        const reminder r = std::move(heap_.back());
        heap_.pop_back();
        f(r.at, r.key);
      } else {
        if (!waits || line_[first_].at > until)
          return;
        const reminder r = std::move(line_[first_]);
        pass();
        f(r.at, r.key);
      }
    }
  }

  std::size_t size() const noexcept { return line_.size() - first_ + heap_.size(); }
  void clear() noexcept {
    line_.clear();
    first_ = 0;
    heap_.clear();
  }

private:
  struct reminder {
    event_time at;
    K key;
  };
  struct later {
    bool operator()(const reminder& a, const reminder& b) const noexcept { return a.at > b.at; }
  };

  /// The first in line is done with. What is done with is taken out once it is the larger part.
  void pass() {
    ++first_;
    if (first_ * 2 < line_.size())
      return;
    line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::vector<reminder> line_; // by time, from `first_` on
  std::size_t first_ = 0;
  std::vector<reminder> heap_;
};

} // namespace troupe::pipeline
