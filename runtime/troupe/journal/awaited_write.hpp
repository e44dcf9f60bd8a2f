// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/journal/outbox.hpp>
#include <troupe/journal/parcel.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::detail {

class journal_session;

/// What becomes true with a record, beside the events.
struct consequences {
  std::vector<owed_entry> sends;
  std::vector<std::uint64_t> settled;
  std::size_t saved = 0;     // of `settled`, the first so many are known already
  std::size_t forgotten = 0; // senders
  const parcel_header* handled = nullptr;
};

/// A step whose handler has gone while its record was being written: a subtask that nobody awaited, or whose caller threw.
/// The record will be kept all the same, so what is in it must come true.
class abandoned_step {
public:
  virtual ~abandoned_step() = default;
  /// Its record is kept.
  virtual void apply() = 0;
};

/// One append that somebody waits for on the actor's turn, and what is to be done when it is durable.
///
/// The store's completion may come from any thread and after the actor's incarnation has ended, so it does not hold this
/// object but what they share; it takes the cell's control lane to the turn.
class awaited_write {
public:
  bool ended() const noexcept { return shared_ == nullptr || shared_->ended; }
  /// It is on its way, and so is the actor that will hear of it.
  bool pending() const noexcept { return !ended() && shared_->session != nullptr; }
  /// Goes on with `h` when the write has ended.
  void await(std::coroutine_handle<> h, envelope* on_behalf_of);
  /// Lets the cell finish `e` when the write has ended.
  void notify(envelope& e) { shared_->message = &e; }

  /// The write goes on, and nobody waits for it.
  void release() noexcept { shared_.reset(); }
  /// The same for one that is pending, and `step` is to come true with it.
  void release_to(std::unique_ptr<abandoned_step> step) noexcept;

  std::unique_ptr<consequences> take_consequences() noexcept { return std::move(then_); }

  ~awaited_write() {
    if (shared_ != nullptr)
      shared_->abandoned = true;
  }
  awaited_write() = default;
  awaited_write(awaited_write&&) = default;
  awaited_write& operator=(awaited_write&&) = default;

private:
  friend class journal_session;
  /// It is also the control message by which the turn hears of the end.
  struct state final : control_message {
    /// Threads: the store's, once.
    static void send(std::shared_ptr<state> s, cell& to, std::exception_ptr failure) noexcept;
    void deliver(cell& to) noexcept override;
    void refuse(cell& to) noexcept override;

    // -- who sends it, then the turn --
    std::shared_ptr<state> self; // while it is on its way
    std::exception_ptr failure;
    // -- the turn only --
    bool ended = false;
    bool abandoned = false;
    std::coroutine_handle<> waiter;
    envelope* message = nullptr;        // null: only the session waits
    journal_session* session = nullptr; // null: it has ended
    std::unique_ptr<abandoned_step> step;
  };
  std::shared_ptr<state> shared_;
  std::unique_ptr<consequences> then_;
};

} // namespace troupe::detail
