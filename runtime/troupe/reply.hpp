// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/error.hpp>

#include <coroutine>
#include <utility>

namespace troupe {

namespace detail {

/// Waits on a thread that is no worker; lets a stepped system run meanwhile. Throws usage_error inside an actor.
void wait_outside(reply_slot& slot);

/// Lets the reply's delivery go on with `h`. Throws usage_error if the actor whose turn this is did not ask.
void park(reply_slot& slot, std::coroutine_handle<> h);

} // namespace detail

/// The reply to an `ask` that is on its way: exactly one value, or an error.
///
/// - Inside a handler: `co_await reply` yields the value or throws `request_error`; `co_await reply.outcome()` yields a
///   `result` and does not throw. Either consumes the reply.
/// - Outside of actors: `get()` or `try_get()` block the calling thread until then, at most to the deadline. They consume the
///   reply as well: of one that has a name, `std::move(r).get()`.
///
/// Giving a reply up (destroying it) is allowed: the request is handled all the same.
/// Ownership: unique. Threads: the one that asked.
template <class R>
class [[nodiscard]] reply {
public:
  using value_type = R;

  explicit reply(detail::typed_reply_slot<R>* slot) noexcept : slot_{slot} {}
  reply(reply&& other) noexcept : slot_{std::exchange(other.slot_, nullptr)} {}
  reply& operator=(reply&& other) noexcept {
    reply old{std::move(*this)};
    slot_ = std::exchange(other.slot_, nullptr);
    return *this;
  }
  ~reply() {
    if (slot_ != nullptr) {
      slot_->abandon();
      slot_->release();
    }
  }

  /// True once `get` would not block.
  bool ready() const noexcept { return slot_->settled(); }

  /// The value; throws `request_error` if there is none, and `usage_error` inside an actor, where it would block a worker.
  R get() && { return std::move(*this).try_get().value(); }
  R get() & = delete; // a reply is taken once: std::move(r).get()

  /// The value or the error. Throws `usage_error` inside an actor.
  result<R> try_get() && {
    detail::wait_outside(*slot_);
    return slot_->take();
  }
  result<R> try_get() & = delete; // a reply is taken once: std::move(r).try_get()

  struct value_awaiter {
    reply r;
    bool await_ready() const noexcept { return r.slot_->delivered(); }
    void await_suspend(std::coroutine_handle<> h) const { detail::park(*r.slot_, h); }
    R await_resume() { return r.slot_->take().value(); }
  };

  struct outcome_awaiter {
    reply r;
    bool await_ready() const noexcept { return r.slot_->delivered(); }
    void await_suspend(std::coroutine_handle<> h) const { detail::park(*r.slot_, h); }
    result<R> await_resume() { return r.slot_->take(); }
  };

  /// Awaitable: the value or the error, without an exception.
  outcome_awaiter outcome() & noexcept { return {std::move(*this)}; }
  outcome_awaiter outcome() && noexcept { return {std::move(*this)}; }

  value_awaiter operator co_await() & noexcept { return {std::move(*this)}; }
  value_awaiter operator co_await() && noexcept { return {std::move(*this)}; }

private:
  detail::typed_reply_slot<R>* slot_;
};

/// The reply to a request that was passed as a temporary: it must be awaited in a statement of its own.
///
///     auto reserved = shelf.ask(reserve{"85123A", 2}, 200ms);
///     reservation r = co_await reserved;
///
/// g++ 12 copies an aggregate temporary inside a co_await expression byte by byte into the coroutine's frame, which
/// breaks a std::string in it. So that form does not compile here, with any compiler.
template <class R>
class [[nodiscard]] reply_to_temporary : public reply<R> {
public:
  using reply<R>::reply;

  auto outcome() & noexcept { return reply<R>::outcome(); }
  auto operator co_await() & noexcept { return reply<R>::operator co_await(); }

  void outcome() && = delete;           // put the ask and its co_await into two statements: see above
  void operator co_await() && = delete; // put the ask and its co_await into two statements: see above
};

} // namespace troupe
