// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/cell.hpp>
#include <troupe/engine/system_core.hpp>

namespace troupe::detail {

void actor_timer::start(cell& owner, time_point when, std::chrono::nanoseconds period, std::string key) {
  key_ = std::move(key);
  owner_ = &owner;
  period_ = period;
  fire = &on_fire;
  owner.retain();
  retain(); // the owner's
  owner.add_timer(*this);
  owner.core().timers->arm(*this, when, system_core::shard_hint());
}

void actor_timer::on_fire(engine::timer_node& node) noexcept {
  auto& t = static_cast<actor_timer&>(node);
  t.owner_->send_with_count(&t);
}

void actor_timer::cancel() noexcept {
  if (!active())
    return;
  cancelled_ = true;
  owner_->remove_timer(*this);
  const bool last = due_ && period_.count() == 0; // neither armed nor in flight
  if (due_)
    owner_->remove_due(*this);
  if (!last && !owner_->core().timers->disarm(*this))
    return; // in flight: deliver() or refuse() ends it
  std::exchange(owner_, nullptr)->release();
  release();
}

void actor_timer::cancel_in_handler() noexcept {
  if (const turn_guard guard{std::nothrow})
    cancel();
}

void actor_timer::end() noexcept {
  cancelled_ = true;
  owner_->remove_timer(*this);
  std::exchange(owner_, nullptr)->release();
  release();
}

void actor_timer::deliver(cell& to) noexcept {
  if (cancelled_)
    return refuse(to);
  if (period_.count() != 0) {
    // At a fixed rate; ticks that have been missed are skipped.
    const auto now = to.core().now();
    auto next = at + period_;
    if (next <= now)
      next += (now - next) / period_ * period_ + period_;
    to.core().timers->arm(*this, next, system_core::shard_hint());
  }
  if (kind_ == kind::message) {
    if (!due_) // else the last tick has not been received yet: this one is skipped
      to.add_due(*this);
    return;
  }
  retain(); // the call may cancel
  if (period_.count() == 0)
    end();
  (void)tick();
  release();
}

envelope* actor_timer::receive() noexcept {
  auto* e = tick();
  if (period_.count() == 0)
    end();
  return e;
}

void actor_timer::refuse(cell& to) noexcept {
  owner_ = nullptr;
  to.release();
  release();
}

} // namespace troupe::detail
