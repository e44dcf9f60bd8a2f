// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>

namespace troupe {

/// How long to wait before each further attempt: twice as long each time, up to a limit, and of that a random part, from
/// half to all, so that those who were turned away together do not come back together (M. Brooker, "Exponential Backoff
/// And Jitter", 2015: "equal jitter").
///
/// A decision alone: the caller waits. Threads: owner only.
class growing_pause {
public:
  /// *Requires*: 0 < `first` <= `longest`.
  constexpr growing_pause(std::chrono::nanoseconds first, std::chrono::nanoseconds longest) noexcept
      : first_{first}, longest_{longest}, next_{first} {
    assert(first.count() > 0 && first <= longest);
  }

  std::chrono::nanoseconds next(random_source& random) {
    const auto all = next_;
    next_ = all > longest_ / 2 ? longest_ : 2 * all;
    const auto half = static_cast<double>((all / 2).count());
    return all - std::chrono::nanoseconds{static_cast<std::int64_t>(random.unit() * half)};
  }

  /// An attempt has succeeded: the next pause is a first one.
  void reset() noexcept { next_ = first_; }

private:
  std::chrono::nanoseconds first_;
  std::chrono::nanoseconds longest_;
  std::chrono::nanoseconds next_; // at most
};

} // namespace troupe
