// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/timer_queue.hpp>
#include <troupe/mailbox/control_lane.hpp>

#include <atomic>

namespace troupe::detail {

class cell;
class reply_slot;

/// The asks that one actor has made and whose replies have not come: their deadlines, and their claim on its cell.
///
/// Only the actor's turn touches them, so asking and being answered take no lock and count nothing. A slot in here keeps
/// the cell alive; one that leaves before its reply was delivered (timed out, given up, or the actor has stopped) takes
/// a count of its own with it, and gives it back when it ends.
///
/// *The watch*: one timer in the system's service, armed for a time not later than the earliest deadline. It stays armed
/// when that ask is answered, and goes off for nothing then, once per time-out at most: arming and disarming it for
/// each ask would cost more than all the rest. When it goes off it crosses the actor's control lane, and the turn looks
/// at the deadlines.
///
/// Threads: the actor's turn; `awaited` any; the watch goes off on the timers' thread.
class open_asks final : public control_message, public engine::timer_node {
public:
  explicit open_asks(cell& owner) noexcept;

  /// `slot` is open until `deadline`.
  void add(reply_slot& slot, time_point deadline) noexcept;

  /// Takes `slot` out, if it is in here, and says so.
  bool remove(reply_slot& slot) noexcept;

  /// The actor has stopped: its slots count the cell from now on.
  void close() noexcept;

  /// Calls `see(slot)` for each, in no useful order.
  template <class See>
  void for_each(See&& see) const {
    if (alone_ != nullptr)
      see(static_cast<const reply_slot&>(*alone_));
    const auto visit = [&](const engine::timer_node& node) { see(static_cast<const reply_slot&>(node)); };
    slots_.for_each(visit);
  }

  /// Whom one of the open asks went to, or null. As of a moment ago; to be compared, not followed.
  const cell* awaited() const noexcept { return awaited_.load(std::memory_order_relaxed); }

  // -- control_message: the watch has gone off --
  void deliver(cell& to) noexcept override;
  void refuse(cell& to) noexcept override;

private:
  bool empty() const noexcept { return alone_ == nullptr && slots_.empty(); }
  time_point first() const noexcept { return alone_ != nullptr ? alone_->at : slots_.first(); }
  engine::timer_node* pop_due(time_point now) noexcept;
  static void on_watch(engine::timer_node& node) noexcept;
  void watch(time_point until) noexcept;
  void note_awaited() noexcept;

  cell& owner_;                            // counted while the watch is armed or on its way
  engine::timer_node* alone_ = nullptr;    // the usual case: one open ask, and no heap
  engine::timer_queue slots_;              // else
  time_point watched_ = time_point::max(); // when the watch goes off; max: it is not armed
  std::atomic<const cell*> awaited_{nullptr};
};

} // namespace troupe::detail
