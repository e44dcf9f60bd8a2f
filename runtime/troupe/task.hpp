// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/suspension.hpp>
#include <troupe/mailbox/block_pool.hpp>

#include <coroutine>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace troupe {

template <class R>
class task;

namespace detail {

/// Frames come from the block pool: a suspended handler costs no malloc.
struct pooled_frame {
  static void* operator new(std::size_t bytes) { return block_pool::allocate(block_pool::class_for(bytes), bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept {
    block_pool::release(block_pool::class_for(bytes), p);
  }
};

/// Resumes whoever awaits the task; the outermost task of a handler returns to the cell.
struct final_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
    auto next = h.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

struct task_promise_base : pooled_frame {
  std::coroutine_handle<> continuation;
  std::exception_ptr failure;

  std::suspend_never initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
};

template <class R>
struct task_promise : task_promise_base {
  std::optional<R> value;

  task<R> get_return_object();
  template <class T>
  requires std::is_convertible_v<T, R>
  void return_value(T&& v) { value.emplace(std::forward<T>(v)); }
  R take() {
    if (failure)
      std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct task_promise<void> : task_promise_base {
  task<void> get_return_object();
  void return_void() const noexcept {}
  void take() {
    if (failure)
      std::rethrow_exception(failure);
  }
};

} // namespace detail

/// A handler, or a part of one, that can wait without blocking a worker.
///
/// Runs at once up to its first `co_await` that has to wait. Awaiting a task yields its value or throws what it threw.
/// The message that the handler was called with stays alive until the task ends. While it waits, the actor may handle
/// other messages, unless the actor is exclusive: what the handler knew of the actor's state before a `co_await` may
/// have changed after it. A restart or stop destroys waiting tasks, which runs the destructors of their locals.
///
/// Ownership: unique. Threads: the actor's turn.
template <class R = void>
class [[nodiscard]] task {
public:
  using promise_type = detail::task_promise<R>;
  using value_type = R;

  task(task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
  task& operator=(task&& other) noexcept {
    task old{std::move(*this)};
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~task() {
    if (handle_)
      handle_.destroy();
  }

  bool done() const noexcept { return handle_.done(); }

  /// Requires a task that is done.
  R take() { return handle_.promise().take(); }

  auto operator co_await() && noexcept {
    struct awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() const noexcept { return handle.done(); }
      void await_suspend(std::coroutine_handle<> h) const noexcept { handle.promise().continuation = h; }
      R await_resume() const { return handle.promise().take(); }
    };
    return awaiter{handle_};
  }

private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> h) noexcept : handle_{h} {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class R>
task<R> task_promise<R>::get_return_object() {
  return task<R>{std::coroutine_handle<task_promise>::from_promise(*this)};
}

inline task<void> task_promise<void>::get_return_object() {
  return task<void>{std::coroutine_handle<task_promise>::from_promise(*this)};
}

template <class T>
inline constexpr bool is_task = false;
template <class R>
inline constexpr bool is_task<task<R>> = true;

} // namespace detail

} // namespace troupe
