// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/ref.hpp>

namespace troupe {

namespace {

void order(const detail::cell_pointer& p, void (detail::cell::*what)() noexcept) {
  detail::required(p).send_control(detail::make_control([what](detail::cell& c) { (c.*what)(); }));
}

} // namespace

void any_ref::stop() const { order(cell_, &detail::cell::order_stop); }

void any_ref::drain() const { order(cell_, &detail::cell::order_drain); }

void any_ref::kill() const { order(cell_, &detail::cell::order_kill); }

namespace detail {

cell& required(const cell_pointer& p) {
  if (p.get() == nullptr)
    throw usage_error{"an empty ref was used"};
  return *p;
}

std::int64_t ask_deadline(const cell& receiver, std::chrono::nanoseconds timeout) {
  // A long time-out may begin at a recent moment, which costs less to find out, and end up to its lag late.
  const turn_guard guard;
  const auto* asker = cell::current();
  // By the asker's clock, which ends the ask. Its cell is in this core's cache; the receiver's hardly ever is.
  const auto& core = (asker != nullptr ? *asker : receiver).core();
  const auto now = timeout >= std::chrono::seconds{1} ? core.recent_ns() + core.recent_lag : core.now_ns();
  constexpr auto latest = std::numeric_limits<std::int64_t>::max();
  const auto own =
      timeout.count() > latest - now ? latest : std::max<std::int64_t>(now + timeout.count(), 1); // 0: never
  const auto inherited = asker != nullptr ? asker->current_deadline() : 0;
  return inherited != 0 && inherited < own ? inherited : own;
}

} // namespace detail

} // namespace troupe
