// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/own_answer.hpp>
#include <troupe/ref.hpp>
#include <troupe/task.hpp>

#include <chrono>

namespace troupe {

/// Suspends the handler for so long, or to the deadline of its message if that is earlier.
inline task<void> pause(any_ref self, std::chrono::nanoseconds duration) {
  own_answer<void> never{self, duration};
  (void)co_await never.outcome();
}

} // namespace troupe
