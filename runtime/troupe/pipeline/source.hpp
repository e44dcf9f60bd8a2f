// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/pipeline/attempts.hpp>
#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/cursor.hpp>
#include <troupe/pipeline/inbox.hpp>
#include <troupe/pipeline/restorable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

/// How elements enter a source.

namespace troupe::pipeline {

/// Which checkpoint a source is asked for. Being asked again changes nothing. Pure.
class barriers_of_source {
public:
  void ask(std::uint32_t epoch) noexcept { asked_ = std::max(asked_, epoch); }
  /// The epoch whose barrier is to leave; 0: of none.
  std::uint32_t due() const noexcept { return asked_ > passed_ ? asked_ : 0; }
  void pass() noexcept { passed_ = asked_; }

private:
  std::uint32_t asked_ = 0;
  std::uint32_t passed_ = 0;
};

/// The intake of a source that reads from a cursor.
///
/// Threads: the turn of the stage. Survives restarts.
template <cursor Cursor>
class cursor_intake {
public:
  using value_type = typename Cursor::value_type;
  struct message {}; // none comes
  template <class Self>
  using actor_of = actor<Self, demand, tick, proceed, barrier>;
  static constexpr bool works_at_once = true;

  cursor_intake(Cursor at, std::size_t batch_size) : state_{state{std::move(at)}}, batch_size_{batch_size} {}

  void accept(const message&) noexcept {}
  void open() noexcept { opened_ = true; }

  template <class Chain>
  bool select(Chain&, std::size_t) const noexcept {
    return opened_ && !closed_;
  }
  std::size_t position() const noexcept { return position_; }
  std::size_t size() const noexcept { return batch_size_; }

  template <class Chain, class Out>
  void feed(Chain& steps, Out& out, std::size_t& at, std::size_t end) {
    if (at >= end)
      return;
    auto& s = state_.change();
    const auto begin = at;
    {
      counted_at here{at};
      s.more = s.at.pull(
          end - at, [&](auto&& x) __attribute__((always_inline)) {
            steps.feed(std::forward<decltype(x)>(x), out);
            ++here.n;
          });
    }
    if (at > begin)
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
    if constexpr (requires { s.at.skip(); })
      s.more = s.at.skip();
    else
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

  // -- checkpoints --
  void ask_for_barrier(std::uint32_t epoch) noexcept { barriers_.ask(epoch); }
  std::uint32_t barrier() const noexcept { return position_ == 0 ? barriers_.due() : 0; }
  void pass_barrier() noexcept { barriers_.pass(); }

  static constexpr bool archivable = pipeline::archivable<Cursor>;
  template <class A>
  void archive(A& a) {
    auto& s = state_.change();
    a(s.at, s.more, closed_);
    if constexpr (A::reads)
      state_.commit();
  }

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
  barriers_of_source barriers_;
  bool opened_ = false;
  bool closed_ = false;
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
  using actor_of = actor<Self, offer<T>, demand, tick, proceed, barrier>;
  static constexpr bool works_at_once = false;

  inbox_intake(std::shared_ptr<detail::inbox_state<T>> shared, std::size_t batch_size)
      : shared_{std::move(shared)}, batch_size_{batch_size} {}

  bool accept(const message& m) {
    if (shared_->close_again && shared_->to.tell(offer<T>{}) == delivery::accepted)
      shared_->close_again = false;
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
  bool select(Chain&, std::size_t) {
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
    counted_at here{at};
    for (; here.n < end; ++here.n)
      steps.feed(std::as_const(waiting_[here.n]), out);
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

  // -- checkpoints --
  void ask_for_barrier(std::uint32_t epoch) noexcept { barriers_.ask(epoch); }
  std::uint32_t barrier() const noexcept { return position_ == 0 ? barriers_.due() : 0; }
  void pass_barrier() noexcept { barriers_.pass(); }

  static constexpr bool archivable = pipeline::archivable<std::deque<T>>;
  void archive(auto& a) { a(waiting_, last_, closed_); }

  // It asks nobody.
  bool owes() const noexcept { return false; }
  void say_again() noexcept {}

private:
  std::shared_ptr<detail::inbox_state<T>> shared_;
  std::size_t batch_size_;
  std::deque<T> waiting_;
  std::size_t size_ = 0; // of the batch at work
  std::size_t position_ = 0;
  barriers_of_source barriers_;
  bool opened_ = false;
  bool last_ = false; // it was closed: nothing comes after what waits
  bool ending_ = false;
  bool closed_ = false;
};

} // namespace troupe::pipeline
