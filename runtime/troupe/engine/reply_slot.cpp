// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/open_asks.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/system_core.hpp>

namespace troupe::detail {

void reply_slot::open_for(cell& receiver, cell* asker, std::int64_t deadline) noexcept {
  receiver_ = &receiver;
  asker_ = asker;
  const time_point due{std::chrono::nanoseconds{deadline}};
  if (asker != nullptr)
    return asker->asks().add(*this, due);
  fire = &on_deadline;
  opened_outside_ = &receiver.core();
  refs_.fetch_add(1, std::memory_order_relaxed); // the timer's
  opened_outside_->timers->arm(*this, due, system_core::shard_hint());
}

void reply_slot::on_deadline(engine::timer_node& node) noexcept {
  static_cast<reply_slot&>(node).settle_error(errc::timed_out);
}

/// The asker's interest ends before the reply is here, or a slot opened outside is done with.
void reply_slot::leave() noexcept {
  waiter_ = nullptr;
  if (opened_outside_ != nullptr) {
    if (std::exchange(opened_outside_, nullptr)->timers->disarm(*this))
      release();
  } else if (asker_->asks().remove(*this)) {
    keep_asker();
  }
}

void reply_slot::keep_asker() noexcept {
  asker_->retain();
  keeps_asker_ = true;
}

void reply_slot::release_asker() noexcept { asker_->release(); }

void reply_slot::time_out(cell& asker) noexcept {
  timed_out_ = delivered_ = true;
  if (waiter_ != nullptr)
    asker.resume(std::exchange(waiter_, nullptr), waiting_message_);
}

const error& reply_slot::timed_out_error() noexcept {
  static const error e{errc::timed_out, {}};
  return e;
}

void reply_slot::settle_error(errc code, std::string what) noexcept {
  if (!begin_settling())
    return;
  error_ = std::make_unique<error>(error{code, std::move(what)});
  announce();
}

void reply_slot::announce() noexcept {
  // release, both: publishes the outcome; pairs with settled()
  if (asker_ != nullptr) {
    status_.store(done, std::memory_order_release);
    return asker_->send_reply(this); // with the request's count
  }
  status_.store(done, std::memory_order_release);
  if (observer_ != nullptr)
    observer_->settled(*this);
  else
    status_.notify_all();
  release();
}

void reply_slot::deliver(cell& to) noexcept {
  delivered_ = true;
  to.asks().remove(*this); // if it has not left before
  const auto h = std::exchange(waiter_, nullptr);
  auto* message = waiting_message_;
  // Both owners are on this turn now, the asker and this delivery, so the count needs no RMW.
  if (refs_.load(std::memory_order_acquire) == 1) // acquire: the asker has let go, here or on an earlier turn
    return destroy();
  refs_.store(1, std::memory_order_relaxed);
  if (h != nullptr)
    to.resume(h, message); // ends the slot, perhaps
}

void reply_slot::refuse(cell&) noexcept { release(); }

} // namespace troupe::detail
