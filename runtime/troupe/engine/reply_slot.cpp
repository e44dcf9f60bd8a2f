// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/handler_watch.hpp>
#include <troupe/engine/open_asks.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/system_core.hpp>

namespace troupe::detail {

void reply_slot::open_for(cell& receiver, cell* asker, std::int64_t deadline) noexcept {
  receiver_ = &receiver;
  core_ = &receiver.core(); // which replies, so it is there; the asker's system may be another one, and gone by then
  asker_ = asker;
  const time_point due{std::chrono::nanoseconds{deadline}};
  if (asker == nullptr) {
    fire = &on_deadline;
    opened_outside_ = core_;
    refs_.fetch_add(1, std::memory_order_relaxed); // the timer's
    return core_->timers->arm(*this, due, system_core::shard_hint());
  }
  const turn_guard guard{std::nothrow};
  if (!guard)
    return keep_asker(); // as if it had left: a handler that was replaced has no open asks
  shared_ = turn_guard::here != nullptr;
  causes_.begin(*asker, asker->in_hand());
  asker->asks().add(*this, due);
}

void causal_chain::begin(const cell& asker, const envelope* cause) noexcept {
  links[0] = {asker.id(), &asker.type(), cause != nullptr ? cause->how : nullptr};
  length = 1;
  if (cause == nullptr || cause->reply == nullptr)
    return;
  const auto& before = cause->reply->causes(); // the asker's own words: its cell may be busy on another core
  if (before.length == 0)
    links[length++] = {0, nullptr, nullptr};
  for (unsigned i = 0; i < before.length && length < length_max; ++i)
    links[length++] = before.links[i];
}

void reply_slot::on_deadline(engine::timer_node& node) noexcept {
  static_cast<reply_slot&>(node).settle_error(errc::timed_out);
}

/// The asker's interest ends before the reply is here, or a slot opened outside is done with.
void reply_slot::leave() noexcept {
  if (asker_ == nullptr) {
    if (opened_outside_ != nullptr && std::exchange(opened_outside_, nullptr)->timers->disarm(*this))
      release();
    return;
  }
  const turn_guard guard{std::nothrow};
  if (!guard) // a replaced handler's; the actor's turn sees to the slot
    return;
  waiter_ = nullptr;
  if (held_)
    asker_->drop_held(*this);
  if (asker_->asks().remove(*this))
    keep_asker();
}

void reply_slot::keep_asker() noexcept {
  asker_->retain();
  keeps_asker_ = true;
}

void reply_slot::release_asker() noexcept { asker_->release(); }

void reply_slot::time_out(cell& asker) noexcept {
  delivered_.store(true, std::memory_order_release); // release, both: pair with delivered() and settled()
  timed_out_.store(true, std::memory_order_release);
  if (waiter_ != nullptr)
    asker.resume_with(std::exchange(waiter_, nullptr), waiting_message_, *this);
}

const error& reply_slot::timed_out_error() noexcept {
  static const error e{errc::timed_out, {}};
  return e;
}

void reply_slot::note_late(system_core& core) noexcept {
  core.late_replies.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
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
    return asker_->send_with_count(this); // with the request's count
  }
  status_.store(done, std::memory_order_release);
  if (observer_ != nullptr)
    observer_->settled(*this);
  else
    status_.notify_all();
  release();
}

void reply_slot::deliver(cell& to) noexcept {
  delivered_.store(true, std::memory_order_release); // release: pairs with delivered()
  if (!to.asks().remove(*this) && error_ == nullptr) // it had left before
    note_late(*core_);
  const auto h = std::exchange(waiter_, nullptr);
  auto* message = waiting_message_;
  if (shared_) [[unlikely]] {
    release();
  } else {
    // Both owners are on this turn now, the asker and this delivery, so the count needs no RMW.
    if (refs_.load(std::memory_order_acquire) == 1) // acquire: the asker has let go, here or on an earlier turn
      return destroy();
    refs_.store(1, std::memory_order_relaxed);
  }
  if (h != nullptr)
    to.resume_with(h, message, *this); // ends the slot, perhaps
}

void reply_slot::refuse(cell&) noexcept {
  if (error_ == nullptr)
    note_late(*core_);
  release();
}

} // namespace troupe::detail
