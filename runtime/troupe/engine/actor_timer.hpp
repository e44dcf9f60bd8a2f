// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/timer_queue.hpp>
#include <troupe/mailbox/block_pool.hpp>
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/mailbox/envelope.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace troupe::detail {

/// A timer of one incarnation of one actor.
///
/// Protocol: *armed* in the timer service -> *fired*: the timer thread puts it on the actor's control lane -> *due*: the
/// actor's turn queues it among the actor's due timers and, if it is periodic, arms it again -> *received*: the tick
/// becomes a message, in hand at once. A periodic timer is never more than once in flight and once due: a tick that
/// the actor was too busy for is skipped. Cancelling is the actor's own affair: what is armed is taken back, what is in
/// flight is marked and comes to nothing, what is due leaves the queue; that is why a tick is no message before it is
/// received. It holds a count on the cell, not on the object, and the incarnation's end cancels it, so it keeps nothing
/// alive. A timer of the runtime's own is called as soon as it is due.
///
/// Threads: the actor's turn, but for the way from the timer thread to the lane.
class actor_timer : public control_message, public engine::timer_node {
public:
  /// Arms the timer for `owner` and links it there. The owner holds one count, the caller another.
  void start(cell& owner, time_point at, std::chrono::nanoseconds period, std::string key);

  /// Will not become due any more. Idempotent.
  void cancel() noexcept;

  /// As `cancel`, by the user's code: nothing in a handler whose actor has been replaced, and its timers with it.
  void cancel_in_handler() noexcept;

  bool active() const noexcept { return owner_ != nullptr && !cancelled_; }
  const std::string& key() const noexcept { return key_; }
  /// The next one of the same owner.
  actor_timer* next() const noexcept { return next_; }

  /// From the pool: a timer that is set again on every message must not cost an allocation. Sizes are those of the most
  /// derived class, since the destructor is virtual.
  static void* operator new(std::size_t bytes) { return block_pool::allocate(block_pool::class_for(bytes), bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept {
    block_pool::release(block_pool::class_for(bytes), block);
  }

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  void deliver(cell& to) noexcept override;
  void refuse(cell& to) noexcept override;

  /// The tick that was due, as a message. Requires a timer just taken from the due ones.
  envelope* receive() noexcept;

protected:
  enum class kind : std::uint8_t { message, call };

  explicit actor_timer(kind k) noexcept : kind_{k} {}
  virtual ~actor_timer() = default;

  /// Kind message: a tick. Kind call: does what it is for, and returns null.
  virtual envelope* tick() noexcept = 0;

private:
  friend class cell;
  static void on_fire(engine::timer_node& node) noexcept;
  /// It has ticked for the last time.
  void end() noexcept;

  std::atomic<std::uint32_t> refs_{1};
  const kind kind_;
  bool cancelled_ = false;
  bool due_ = false;      // in the owner's queue of due timers
  cell* owner_ = nullptr; // counted while armed or in flight
  std::chrono::nanoseconds period_{};
  std::string key_;
  actor_timer* previous_ = nullptr; // in the owner's list
  actor_timer* next_ = nullptr;
  actor_timer* previous_due_ = nullptr; // in the owner's queue of due timers
  actor_timer* next_due_ = nullptr;
};

/// Calls `F` on the owner's turn.
template <class F>
class callback_timer final : public actor_timer {
public:
  explicit callback_timer(F f) : actor_timer{kind::call}, call_{std::move(f)} {}

private:
  envelope* tick() noexcept override {
    call_();
    return nullptr;
  }
  F call_;
};

} // namespace troupe::detail
