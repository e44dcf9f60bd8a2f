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

namespace troupe::detail {

class cell;
class reply_slot;
struct actor_type;
struct handler;
struct system_core;

/// Who asked, whose request led to the handling in which it asked, and so on back, the last first; so far as it is kept.
struct causal_chain {
  struct link {
    std::uint64_t id;        ///< The asker's; 0: outside of actors.
    const actor_type* asker; ///< Null: outside.
    const handler* handled;  ///< What it was handling, or null.
  };
  static constexpr unsigned length_max = 4;
  unsigned length = 0;
  link links[length_max]; // the first `length` have a value: most chains are short, and clearing them would cost all

  /// It begins with `asker`, which asks while it handles `cause` (or null).
  void begin(const cell& asker, const envelope* cause) noexcept;
};

/// Someone who is no actor of ours and is told when a reply is there. Owns itself.
class reply_observer {
public:
  /// Threads: the one that settled the slot.
  virtual void settled(reply_slot& slot) noexcept = 0;

protected:
  ~reply_observer() = default;
};

/// Where the one reply to one request goes: shared by the asker and the request.
///
/// An actor's slot is settled by its request alone, once (a *shared* one, of a handler that may be replaced, by whoever
/// is first). The reply crosses the asker's control lane, and whatever else
/// ends the waiting (the deadline, the asker's own end, its loss of interest) is decided by the asker's turn (see
/// open_asks); a reply that comes later is dropped there. A slot that was opened outside of actors is settled by whoever
/// moves the status from `open` to `settling` first: the request, or the deadline's timer, the slot's third owner; the
/// other's attempt has no effect. Since each request has a slot of its own, a late reply cannot reach the wrong waiter.
///
/// Threads: `settle*` the request's owner; `settled` any; the asker's side the asking actor's turn, or the one thread
/// that waits from outside.
class reply_slot : public control_message, public engine::timer_node {
public:
  /// Gives the request's count back, as does every `settle`.
  void settle_error(errc code, std::string what = {}) noexcept;

  bool settled() const noexcept {
    return timed_out_.load(std::memory_order_acquire) || status_.load(std::memory_order_acquire) == done;
  }

  /// Blocks until settled. For threads that are no workers.
  void wait() const noexcept {
    for (auto s = status_.load(std::memory_order_acquire); s != done; s = status_.load(std::memory_order_acquire))
      status_.wait(s, std::memory_order_acquire);
  }

  /// The system in which the slot was opened outside of actors, or null.
  const system_core* opened_outside() const noexcept { return opened_outside_; }

  /// Requires a settled slot.
  const error* failure() const noexcept {
    return timed_out_.load(std::memory_order_relaxed) ? &timed_out_error() : error_.get();
  }

  // -- asking actor's turn only --

  /// The coroutine to go on with once the reply is here.
  void await(std::coroutine_handle<> h, envelope* on_behalf_of) noexcept {
    waiter_ = h;
    waiting_message_ = on_behalf_of;
  }

  /// The asker does not wait any more, or has its reply.
  void abandon() noexcept {
    if (opened_outside_ != nullptr || shared_ || (asker_ != nullptr && index != unlinked) || held_)
      leave();
  }

  /// Whoever waits goes on later, unless the slot is abandoned before.
  void note_held() noexcept { held_ = true; }

  /// The slot is not among the open asks any more, and its reply may still come: from here on it counts the asker.
  void keep_asker() noexcept;

  /// The deadline has passed.
  void time_out(cell& asker) noexcept;

  /// The reply has been through the asker's control lane: awaiting it would not suspend.
  bool delivered() const noexcept { return delivered_.load(std::memory_order_acquire); }

  cell* asker() const noexcept { return asker_; }
  const cell* receiver() const noexcept { return receiver_; }
  /// Empty if the slot was opened outside of actors.
  const causal_chain& causes() const noexcept { return causes_; }

  // -- control_message --
  void deliver(cell& to) noexcept override;
  void refuse(cell& to) noexcept override;

  /// One owner more, who may settle it, too. Before the request's owner does.
  void share() noexcept {
    shared_ = true;
    refs_.fetch_add(1, std::memory_order_relaxed); // relaxed: the caller owns a count
  }

  void release() noexcept {
    // acquire, acq_rel: the last owner sees what the others wrote. Nobody can add a count to the last one.
    if (refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }

  /// The two owners at birth are the asker and the request.
  void open_for(cell& receiver, cell* asker, std::int64_t deadline) noexcept;

  /// Instead of `open_for`, before the request is sent: who takes the asker's place, and the receiver's system.
  void observe(reply_observer& o, system_core& core) noexcept {
    observer_ = &o;
    core_ = &core;
  }

  /// The slot whose deadline `node` is, or null if it is some other timer.
  static const reply_slot* from_timer(const engine::timer_node& node) noexcept {
    return node.fire == &on_deadline ? static_cast<const reply_slot*>(&node) : nullptr;
  }

protected:
  enum status : std::uint32_t { open, settling, done };

  ~reply_slot() {
    if (keeps_asker_) [[unlikely]]
      release_asker();
  }

  /// With a value: if it comes too late, that is counted.
  bool begin_reply() noexcept {
    auto* core = core_; // `begin_settling` gives the count back
    if (begin_settling()) [[likely]]
      return true;
    note_late(*core);
    return false;
  }

  /// False, and the caller's count is given back, if the deadline came first.
  bool begin_settling() noexcept {
    auto expected = std::uint32_t{open};
    // relaxed: claims the right to write; announce() publishes.
    if ((asker_ != nullptr && !shared_) ||
        status_.compare_exchange_strong(expected, settling, std::memory_order_relaxed))
      return true;
    release();
    return false;
  }

  /// While settling: the outcome is an error after all.
  void fail(const std::exception_ptr& e) noexcept {
    error_ = std::make_unique<error>(error{errc::failed, describe(e)});
  }

  /// Publishes the outcome, wakes the asker, and gives the caller's count back.
  void announce() noexcept;

  virtual void destroy() noexcept = 0;

private:
  void leave() noexcept;
  void release_asker() noexcept;
  static void note_late(system_core& core) noexcept;
  static const error& timed_out_error() noexcept;
  static void on_deadline(engine::timer_node& node) noexcept;

  // -- any owner --
  std::atomic<std::uint32_t> refs_{2};
  std::atomic<std::uint32_t> status_{open};
  // -- immutable once opened --
  cell* asker_ = nullptr;    // alive because the slot is among its open asks, or counted
  cell* receiver_ = nullptr; // to be compared, not followed
  system_core* core_ = nullptr;
  causal_chain causes_;
  // -- written before the request is sent --
  reply_observer* observer_ = nullptr;
  // -- written between settling and done --
  std::unique_ptr<error> error_;
  // -- the asker's side only --
  const system_core* opened_outside_ = nullptr; // outside of actors, where this is the system; until it is abandoned
  std::coroutine_handle<> waiter_;
  envelope* waiting_message_ = nullptr;
  std::atomic<bool> delivered_{false}; // read by a handler that was replaced, too
  std::atomic<bool> timed_out_{false}; // by the asking actor's turn
  bool keeps_asker_ = false;
  bool held_ = false; // the asker has to know that it is abandoned
  // -- written by the asker before the request is sent, or by the receiver before it is settled --
  bool shared_ = false; // more than one may settle it, or the asker's side may let go off its turn
};

template <class R>
class typed_reply_slot final : public reply_slot {
public:
  static typed_reply_slot* make() {
    constexpr auto c = block_pool::class_for(sizeof(typed_reply_slot));
    return new (block_pool::allocate(c, sizeof(typed_reply_slot))) typed_reply_slot;
  }

  template <class... Args>
  void settle(Args&&... args) {
    if (!begin_reply())
      return;
    // A copy that throws must not leave the slot in `settling` for ever.
    try {
      value_.emplace(std::forward<Args>(args)...);
    } catch (...) {
      fail(std::current_exception());
    }
    announce();
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

  void settle() {
    if (begin_reply())
      announce();
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
