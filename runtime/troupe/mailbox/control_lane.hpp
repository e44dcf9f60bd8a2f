// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::detail {

class cell;

/// Something the runtime tells a cell: stop, watch, a child's failure, a reply, a timer. Owns itself.
class control_message {
public:
  /// Acts on the cell. Threads: the cell's turn.
  virtual void deliver(cell& to) noexcept = 0;
  /// Called instead of `deliver` if the cell has stopped. Threads: any.
  virtual void refuse(cell& to) noexcept = 0;

  control_message* next_control = nullptr;

protected:
  ~control_message() = default;
};

/// What became of a control message at the lane.
enum class lane_push : std::uint8_t {
  first,  ///< On an empty lane: the caller must make the receiver look (`mailbox::attend`).
  behind, ///< Behind others: who was first does that.
  closed, ///< Refused: the receiver has stopped.
};

/// The lane for control messages: unbounded, first in first out, never delayed by user messages.
///
/// It is unbounded because what travels on it is bounded elsewhere: one reply per ask, one tick per timer, one report
/// per failure.
///
/// Whether a push is the first is decided by the step that makes it; so as long as the lane is not empty, somebody has
/// made the receiver look since it was, or is about to. Decided by a look before the push: the receiver empties the lane
/// in between, and nobody makes it look again. What is behind may be seen late, by as much as who was first is held up
/// before it attends. So who takes the receiver's right to run, with a message past the lane, must look at the lane: what
/// its sender has put there comes first.
///
/// Threads: `push` any; the rest the holder of the right to run.
class control_lane {
public:
  /// `closed`, with `m` untouched, after `close`.
  lane_push push(control_message* m) noexcept {
    // acquire, here and below: who finds the lane closed sees what its owner wrote before it closed it.
    auto* head = head_.load(std::memory_order_acquire);
    do {
      if (head == closed_mark())
        return lane_push::closed;
      m->next_control = head;
      // release: publishes the message; pairs with the acquire in take().
    } while (!head_.compare_exchange_weak(head, m, std::memory_order_release, std::memory_order_acquire));
    return head == nullptr ? lane_push::first : lane_push::behind;
  }

  /// Pushes `m` unless the lane is empty or closed. After true the receiver may be gone if `m` was what kept it.
  bool push_behind(control_message* m) noexcept {
    auto* head = head_.load(std::memory_order_relaxed); // relaxed: validated below
    do {
      if (head == nullptr || head == closed_mark())
        return false;
      m->next_control = head;
    } while (!head_.compare_exchange_weak(head, m, std::memory_order_release, std::memory_order_relaxed)); // as in push
    return true;
  }

  /// A moment ago nothing was waiting.
  bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

  /// Everything pushed since the last call, oldest first.
  control_message* take() noexcept { return reversed(head_.exchange(nullptr, std::memory_order_acquire)); }

  /// Refuses all further messages and returns those that were waiting, oldest first.
  control_message* close() noexcept { return reversed(head_.exchange(closed_mark(), std::memory_order_acq_rel)); }

private:
  static control_message* closed_mark() noexcept { return reinterpret_cast<control_message*>(std::uintptr_t{1}); }

  static control_message* reversed(control_message* youngest) noexcept {
    control_message* oldest = nullptr;
    while (youngest != nullptr) {
      auto* older = youngest->next_control;
      youngest->next_control = oldest;
      oldest = youngest;
      youngest = older;
    }
    return oldest;
  }

  std::atomic<control_message*> head_{nullptr};
};

} // namespace troupe::detail
