// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/pipeline/assignable.hpp>
#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/restorable.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::pipeline {

namespace detail {
struct any_emit {
  template <class X>
  void operator()(X&&) const {}
};
} // namespace detail

/// A position in what a source reads: a small copyable value, because a failed batch puts it back.
///
/// `pull(n, emit)` calls `emit(x)` for at most `n` elements, moving on, and returns false once there are no more; then it goes
/// on returning false. It is called on a worker: it must not block for long.
template <class C>
concept cursor = std::copyable<C> && requires(C c, std::size_t n, detail::any_emit emit) {
  typename C::value_type;
  { c.pull(n, emit) } -> std::convertible_to<bool>;
};

/// Elements of a vector, which it shares.
template <class T>
class values {
public:
  using value_type = T;
  explicit values(std::vector<T> all) : values{std::make_shared<const std::vector<T>>(std::move(all))} {}
  explicit values(std::shared_ptr<const std::vector<T>> all) : all_{std::move(all)} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    const auto end = std::min(at_ + n, all_->size());
    for (auto i = at_; i < end; ++i)
      emit((*all_)[i]);
    at_ = end;
    return at_ < all_->size();
  }

private:
  std::shared_ptr<const std::vector<T>> all_;
  std::size_t at_ = 0;
};

/// Elements that lie in memory and outlive the pipeline.
template <class T>
class view {
public:
  using value_type = T;
  explicit view(std::span<const T> all) : all_{all} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    const auto end = std::min(at_ + n, all_.size());
    for (auto i = at_; i < end; ++i)
      emit(all_[i]);
    at_ = end;
    return at_ < all_.size();
  }

private:
  std::span<const T> all_;
  std::size_t at_ = 0;
};

/// What `next(state)` returns, an optional, until that is empty.
template <class State, class F>
class generator {
public:
  using value_type = typename std::invoke_result_t<F&, State&>::value_type;
  generator(State state, F next) : state_{std::move(state)}, next_{std::move(next)} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    while (n-- > 0 && !ended_) {
      auto x = next_(state_);
      ended_ = !x.has_value();
      if (x)
        emit(std::move(*x));
    }
    return !ended_;
  }

private:
  State state_;
  assignable<F> next_;
  bool ended_ = false;
};

/// The numbers `first`, `first + 1`, ... before `end`.
inline auto numbers(std::int64_t first, std::int64_t end) {
  auto next = [end](std::int64_t& n) { return n < end ? std::optional<std::int64_t>{n++} : std::nullopt; };
  return generator<std::int64_t, decltype(next)>{first, next};
}

/// The intake of a source that reads from a cursor.
///
/// Threads: the turn of the stage. Survives restarts.
template <cursor Cursor>
class cursor_intake {
public:
  using value_type = typename Cursor::value_type;
  struct message {}; // none comes
  template <class Self>
  using actor_of = actor<Self, demand, tick, proceed>;
  static constexpr bool works_at_once = true;

  cursor_intake(Cursor at, std::size_t batch_size) : state_{state{std::move(at)}}, batch_size_{batch_size} {}

  void accept(const message&) noexcept {}
  void open() noexcept { opened_ = true; }

  template <class Chain>
  bool select(Chain&) const noexcept {
    return opened_ && !closed_;
  }
  std::size_t position() const noexcept { return position_; }
  std::size_t size() const noexcept { return batch_size_; }

  template <class Chain, class Out>
  void feed(Chain& steps, Out& out, std::size_t& at, std::size_t end) {
    if (at >= end)
      return;
    auto& s = state_.change();
    s.more = s.at.pull(end - at, [&](auto&& x) {
      steps.feed(std::forward<decltype(x)>(x), out);
      ++at;
    });
    s.read = at;
  }

  template <class Chain, class Out>
  void close(Chain& steps, Out& out) {
    steps.progress(out);
    if (state_.get().more)
      return;
    steps.watermark(end_of_time, out);
    steps.end(out);
    out.end();
  }

  void passed(std::size_t position) noexcept { position_ = position; }

  bool skip() {
    auto& s = state_.change();
    s.more = s.at.pull(1, [](auto&&) {});
    state_.commit();
    ++position_;
    return true;
  }

  std::size_t pop() noexcept {
    position_ = 0;
    closed_ = !state_.get().more;
    return std::exchange(state_.change().read, 0);
  }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

  // It asks nobody.
  bool owes() const noexcept { return false; }
  void say_again() noexcept {}

private:
  struct state {
    Cursor at;
    bool more = true;
    std::size_t read = 0; // elements of the batch at work
  };

  restorable<state> state_;
  std::size_t batch_size_;
  std::size_t position_ = 0;
  bool opened_ = false;
  bool closed_ = false;
};

/// Offers an element to an inbox, or, without one, closes it. The reply says whether it was taken: false, if the inbox is full
/// or closed.
template <class T>
struct offer {
  std::optional<T> value;
  using reply = bool;
};

/// How much an inbox holds.
struct inbox_options {
  /// Elements that wait for demand; further ones are refused, and counted. At least 1.
  std::size_t capacity = 10'000;
};

namespace detail {

/// What an inbox shares with the pipeline that reads it.
template <class T>
struct inbox_state {
  inbox_options options;
  ref_to<offer<T>> to; // written once, when the pipeline starts
};

} // namespace detail

/// A source that others fill: actors and threads send it elements, while its pipeline runs.
///
/// `tell` never waits: beyond `capacity` elements, and beyond the mailbox of the source, elements are refused. `ask` says so to
/// the sender, who then sends later or less: that is how back-pressure goes on beyond the pipeline.
/// Threads: any, once the pipeline was started. Copies are the same inbox.
template <class T>
class inbox {
public:
  using value_type = T;
  explicit inbox(inbox_options options = {}) : state_{std::make_shared<detail::inbox_state<T>>()} {
    state_->options = options;
  }

  troupe::delivery tell(T x) const { return state_->to.tell(offer<T>{std::move(x)}); }

  auto ask(T x) const {
    offer<T> o{std::move(x)};
    return state_->to.ask(o);
  }

  /// There will be no more: once what was taken has flowed on, the source ends. What is offered later is refused.
  void close() const { state_->to.tell(offer<T>{}); }

  /// For the runtime.
  const std::shared_ptr<detail::inbox_state<T>>& state() const noexcept { return state_; }

private:
  std::shared_ptr<detail::inbox_state<T>> state_;
};

/// The intake of a source that is an inbox.
///
/// Threads: the turn of the stage. Survives restarts.
template <class T>
class inbox_intake {
public:
  using value_type = T;
  using message = offer<T>;
  template <class Self>
  using actor_of = actor<Self, offer<T>, demand, tick, proceed>;
  static constexpr bool works_at_once = false;

  inbox_intake(std::shared_ptr<detail::inbox_state<T>> shared, std::size_t batch_size)
      : shared_{std::move(shared)}, batch_size_{batch_size} {}

  bool accept(const message& m) {
    if (!m.value) {
      last_ = true;
      return true;
    }
    if (waiting_.size() >= shared_->options.capacity || last_)
      return false;
    waiting_.push_back(*m.value);
    return true;
  }

  void open() noexcept { opened_ = true; }

  template <class Chain>
  bool select(Chain&) {
    if (!opened_ || closed_)
      return false;
    if (position_ == 0)
      size_ = std::min(waiting_.size(), batch_size_);
    return size_ > 0 || position_ > 0 || last_;
  }

  std::size_t position() const noexcept { return position_; }
  std::size_t size() const noexcept { return size_; }

  template <class Chain, class Out>
  void feed(Chain& steps, Out& out, std::size_t& at, std::size_t end) {
    for (; at < end; ++at)
      steps.feed(std::as_const(waiting_[at]), out);
  }

  template <class Chain, class Out>
  void close(Chain& steps, Out& out) {
    steps.progress(out);
    ending_ = waiting_.size() == size_ && last_;
    if (!ending_)
      return;
    steps.watermark(end_of_time, out);
    steps.end(out);
    out.end();
  }

  void passed(std::size_t position) noexcept { position_ = position; }
  bool skip() noexcept {
    ++position_;
    return true;
  }

  std::size_t pop() {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size_));
    position_ = 0;
    closed_ = ending_;
    return size_;
  }

  void commit() noexcept {}
  void rollback() noexcept {}

  // It asks nobody.
  bool owes() const noexcept { return false; }
  void say_again() noexcept {}

private:
  std::shared_ptr<detail::inbox_state<T>> shared_;
  std::size_t batch_size_;
  std::deque<T> waiting_;
  std::size_t size_ = 0; // of the batch at work
  std::size_t position_ = 0;
  bool opened_ = false;
  bool last_ = false; // it was closed: nothing comes after what waits
  bool ending_ = false;
  bool closed_ = false;
};

} // namespace troupe::pipeline
