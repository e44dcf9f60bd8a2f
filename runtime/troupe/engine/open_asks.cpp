// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/open_asks.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/system_core.hpp>

#include <utility>

namespace troupe::detail {

open_asks::open_asks(cell& owner) noexcept : owner_{owner} { fire = &on_watch; }

void open_asks::add(reply_slot& slot, time_point deadline) noexcept {
  if (empty()) {
    alone_ = &slot;
    slot.at = deadline;
    slot.index = 0; // linked
    note_awaited();
  } else {
    if (auto* first = std::exchange(alone_, nullptr))
      slots_.push(*first, first->at);
    slots_.push(slot, deadline);
  }
  if (deadline < watched_) [[unlikely]]
    watch(deadline);
}

bool open_asks::remove(reply_slot& slot) noexcept {
  if (alone_ == &slot) {
    alone_ = nullptr;
    slot.index = unlinked;
  } else if (!slots_.erase(slot)) {
    return false;
  }
  if (awaited() == slot.receiver())
    note_awaited();
  return true;
}

void open_asks::close() noexcept {
  while (auto* slot = pop_due(time_point::max()))
    static_cast<reply_slot*>(slot)->keep_asker();
  note_awaited();
  if (watched_ != time_point::max() && owner_.core().timers->disarm(*this)) {
    watched_ = time_point::max();
    owner_.release();
  } // else, if it is on its way: refuse() ends it
}

void open_asks::note_awaited() noexcept {
  const auto* node = alone_ != nullptr ? alone_ : slots_.first_node();
  const auto* first = static_cast<const reply_slot*>(node);
  awaited_.store(first != nullptr ? first->receiver() : nullptr, std::memory_order_relaxed); // relaxed: for reports
}

void open_asks::watch(time_point until) noexcept {
  auto& timers = *owner_.core().timers;
  if (watched_ == time_point::max())
    owner_.retain();
  else if (!timers.disarm(*this))
    return; // it has gone off, and deliver() is about to look at all deadlines
  watched_ = until;
  timers.arm(*this, until, system_core::shard_hint());
}

engine::timer_node* open_asks::pop_due(time_point now) noexcept {
  if (alone_ == nullptr)
    return slots_.pop_due(now);
  if (alone_->at > now)
    return nullptr;
  alone_->index = unlinked;
  return std::exchange(alone_, nullptr);
}

void open_asks::on_watch(engine::timer_node& node) noexcept {
  auto& self = static_cast<open_asks&>(node);
  self.owner_.send_with_count(&self);
}

void open_asks::deliver(cell& to) noexcept {
  watched_ = time_point::min(); // asks made by those that are resumed now do not arm it
  const auto now = to.core().now();
  while (auto* due = pop_due(now)) {
    note_awaited();
    auto& slot = static_cast<reply_slot&>(*due);
    slot.keep_asker();
    slot.time_out(to);
  }
  watched_ = first();
  if (watched_ == time_point::max())
    to.release();
  else
    to.core().timers->arm(*this, watched_, system_core::shard_hint());
}

void open_asks::refuse(cell& to) noexcept { to.release(); }

} // namespace troupe::detail
