// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/timer_queue.hpp>
#include <troupe/error.hpp>
#include <troupe/mailbox/block_pool.hpp>
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/mailbox/envelope.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace troupe::engine {
class timer_service;
}

namespace troupe::detail {

class reply_slot;

/// Someone who is no actor of ours and is told when a reply is there. Owns itself.
class reply_observer {
public:
  /// Threads: the one that settled the slot.
  virtual void settled(reply_slot& slot) noexcept = 0;

protected:
  ~reply_observer() = default;
};

/// Where the one reply to one request goes: shared by the asker, the request and the deadline's timer.
///
/// Whoever moves the status from `open` to `settling` (the receiver with a reply, the timer, or the end of the request's
/// envelope) writes the outcome and announces it; everyone else's attempt is a late reply and has no effect. Since each
/// request has a slot of its own, a late reply cannot reach the wrong waiter.
///
/// Threads: `settle*`, `retain`, `release`, `settled` any; the waiter's side the asking actor's turn, or the one thread
/// that waits from outside.
class reply_slot : public control_message, public engine::timer_node {
public:
  /// Any thread. Returns false if the slot is settled already.
  bool settle_error(errc code, std::string what = {}) noexcept;

  bool settled() const noexcept { return status_.load(std::memory_order_acquire) == done; }

  /// Blocks until settled. For threads that are no workers.
  void wait() const noexcept {
    for (auto s = status_.load(std::memory_order_acquire); s != done; s = status_.load(std::memory_order_acquire))
      status_.wait(s, std::memory_order_acquire);
  }

  /// Requires a settled slot.
  const error* failure() const noexcept { return error_.get(); }

  // -- asking actor's turn only --

  /// The coroutine to go on with once the reply is here.
  void await(std::coroutine_handle<> h, envelope* on_behalf_of) noexcept {
    waiter_ = h;
    waiting_message_ = on_behalf_of;
  }

  /// The asker does not wait any more, or has its reply: takes the deadline's timer back.
  void abandon() noexcept;

  /// The reply has been through the asker's control lane: awaiting it would not suspend.
  bool delivered() const noexcept { return delivered_.load(std::memory_order_acquire); }

  cell* asker() const noexcept { return asker_; }
  cell* receiver() const noexcept { return receiver_; }
  /// What the asker was handling when it asked, or null, and the request that that was, if it was one.
  const handler* asker_handled() const noexcept { return asker_handled_; }
  const reply_slot* cause() const noexcept { return cause_; }

  // -- control_message --
  void deliver(cell& to) noexcept override;
  void refuse(cell& to) noexcept override;

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); } // relaxed: the caller owns a count
  void release() noexcept {
    // acq_rel: the last owner sees what the others wrote.
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }

  /// The two owners at birth are the asker and the request; the timer becomes the third.
  void open_for(cell& receiver, cell* asker, std::int64_t deadline) noexcept;

  /// Before the request is sent: who takes the asker's place.
  void observe(reply_observer& o) noexcept { observer_ = &o; }

  /// The slot whose deadline `node` is, or null if it is some other timer.
  static const reply_slot* from_timer(const engine::timer_node& node) noexcept {
    return node.fire == &on_deadline ? static_cast<const reply_slot*>(&node) : nullptr;
  }

protected:
  enum status : std::uint32_t { open, settling, done };

  ~reply_slot() { release_owned(); }

  /// With a value: if it comes too late, that is counted.
  bool begin_reply() noexcept {
    if (begin_settling()) [[likely]]
      return true;
    note_late();
    return false;
  }

  bool begin_settling() noexcept {
    auto expected = std::uint32_t{open};
    // relaxed: claims the right to write; announce() publishes.
    return status_.compare_exchange_strong(expected, settling, std::memory_order_relaxed);
  }

  /// While settling: the outcome is an error after all.
  void fail(const std::exception_ptr& e) noexcept {
    error_ = std::make_unique<error>(error{errc::failed, describe(e)});
  }

  /// Publishes the outcome and wakes the asker.
  void announce() noexcept;

  virtual void destroy() noexcept = 0;

private:
  void release_owned() noexcept;
  void note_late() const noexcept;
  static void on_deadline(engine::timer_node& node) noexcept;

  // -- any owner --
  std::atomic<std::uint32_t> refs_{2};
  std::atomic<std::uint32_t> status_{open};
  // -- immutable once opened --
  cell* asker_ = nullptr;       // counted
  cell* receiver_ = nullptr;    // counted
  reply_slot* cause_ = nullptr; // counted
  const handler* asker_handled_ = nullptr;
  reply_observer* observer_ = nullptr;
  engine::timer_service* timers_ = nullptr;
  // -- written between settling and done --
  std::unique_ptr<error> error_;
  // -- asking actor's turn only --
  std::coroutine_handle<> waiter_;
  envelope* waiting_message_ = nullptr;
  bool given_up_ = false;              // before it was delivered
  std::atomic<bool> delivered_{false}; // read by a handler that was replaced, too
};

template <class R>
class typed_reply_slot final : public reply_slot {
public:
  static typed_reply_slot* make() {
    constexpr auto c = block_pool::class_for(sizeof(typed_reply_slot));
    return new (block_pool::allocate(c, sizeof(typed_reply_slot))) typed_reply_slot;
  }

  template <class... Args>
  bool settle(Args&&... args) {
    if (!begin_reply())
      return false;
    // A copy that throws must not leave the slot in `settling` for ever.
    try {
      value_.emplace(std::forward<Args>(args)...);
    } catch (...) {
      fail(std::current_exception());
    }
    announce();
    return true;
  }

  /// Requires a settled slot; at most once.
  result<R> take() {
    if (failure())
      return error{*failure()};
    return std::move(*value_);
  }

private:
  void destroy() noexcept override {
    constexpr auto c = block_pool::class_for(sizeof(typed_reply_slot));
    this->~typed_reply_slot();
    block_pool::release(c, this);
  }

  std::optional<R> value_;
};

template <>
class typed_reply_slot<void> final : public reply_slot {
public:
  static typed_reply_slot* make() {
    constexpr auto c = block_pool::class_for(sizeof(typed_reply_slot));
    return new (block_pool::allocate(c, sizeof(typed_reply_slot))) typed_reply_slot;
  }

  bool settle() {
    if (!begin_reply())
      return false;
    announce();
    return true;
  }

  result<void> take() {
    if (failure())
      return error{*failure()};
    return {};
  }

private:
  void destroy() noexcept override {
    constexpr auto c = block_pool::class_for(sizeof(typed_reply_slot));
    this->~typed_reply_slot();
    block_pool::release(c, this);
  }
};

} // namespace troupe::detail
