// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/system_core.hpp>

namespace troupe::detail {

void reply_slot::open_for(cell& receiver, cell* asker, std::int64_t deadline) noexcept {
  receiver_ = &receiver;
  receiver.retain();
  asker_ = asker;
  if (asker != nullptr)
    asker->retain();
  fire = &on_deadline;
  timers_ = receiver.core().timers.get();
  retain(); // the timer's
  timers_->arm(*this, time_point{std::chrono::nanoseconds{deadline}}, system_core::shard_hint());
}

void reply_slot::on_deadline(engine::timer_node& node) noexcept {
  auto& slot = static_cast<reply_slot&>(node);
  slot.settle_error(errc::timed_out);
  slot.release();
}

void reply_slot::abandon() noexcept {
  waiter_ = nullptr;
  if (timers_ != nullptr && std::exchange(timers_, nullptr)->disarm(*this))
    release();
}

bool reply_slot::settle_error(errc code, std::string what) noexcept {
  if (!begin_settling())
    return false;
  error_ = std::make_unique<error>(error{code, std::move(what)});
  announce();
  return true;
}

void reply_slot::announce() noexcept {
  if (observer_ != nullptr) {
    status_.store(done, std::memory_order_release);
    return observer_->settled(*this);
  }
  auto* asker = asker_;
  if (asker == nullptr) {
    status_.store(done, std::memory_order_release); // release: publishes the outcome; pairs with settled()
    status_.notify_all();
    return;
  }
  retain(); // the lane's
  status_.store(done, std::memory_order_release);
  asker->send_reply(this);
}

void reply_slot::deliver(cell& to) noexcept {
  delivered_ = true;
  if (waiter_ != nullptr) {
    const auto h = std::exchange(waiter_, nullptr);
    to.resume(h, waiting_message_);
  }
  release();
}

void reply_slot::refuse(cell&) noexcept { release(); }

void reply_slot::release_cells() noexcept {
  if (asker_ != nullptr)
    asker_->release();
  if (receiver_ != nullptr)
    receiver_->release();
}

} // namespace troupe::detail
