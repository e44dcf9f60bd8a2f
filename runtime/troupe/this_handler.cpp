// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/this_handler.hpp>

namespace troupe::this_handler {

namespace {

detail::cell& here() {
  const detail::turn_guard guard;
  if (auto* c = detail::cell::current())
    return *c;
  throw usage_error{"this_handler was asked outside of an actor's turn"};
}

} // namespace

std::chrono::nanoseconds time_left() {
  const auto& c = here();
  const auto deadline = c.current_deadline();
  return deadline == 0 ? std::chrono::nanoseconds::max() : std::chrono::nanoseconds{deadline - c.core().now_ns()};
}

random_source& random() { return *here().core().through.random; }

} // namespace troupe::this_handler
