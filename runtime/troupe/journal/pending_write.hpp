// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/journal/store.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace troupe::detail {

/// One append that somebody waits for on the actor's turn.
///
/// The store's completion may come from any thread and after the actor's incarnation has ended, so it does not hold this
/// object but what they share; it takes the cell's control lane to the turn.
class awaited_write {
public:
  bool ended() const noexcept { return shared_ == nullptr || shared_->ended; }
  /// Throws what the write failed with.
  void check() const {
    if (shared_ != nullptr && shared_->failure)
      std::rethrow_exception(shared_->failure);
  }
  /// Goes on with `h` when the write has ended.
  void await(std::coroutine_handle<> h);
  /// Lets the cell finish `e` when the write has ended.
  void notify(envelope& e);

  ~awaited_write();
  awaited_write() = default;
  awaited_write(awaited_write&&) = default;
  awaited_write& operator=(awaited_write&&) = default;

private:
  friend class journal_session;
  struct state {
    // -- the turn only --
    bool ended = false;
    bool abandoned = false;
    std::exception_ptr failure;
    std::coroutine_handle<> waiter;
    envelope* message = nullptr;
  };
  std::shared_ptr<state> shared_;
};

/// A journaled actor's hold on its journal. Threads: the actor's turn.
class journal_session {
public:
  journal_session(cell& owner, const std::string& key, std::span<const journal_type* const> types);

  /// True: kept. False: `write` will end later, and the actor handles nothing else meanwhile.
  bool append(const std::vector<journal_record>& records, awaited_write& write);
  void replay(journal_visitor& v) { journal_->replay(v); }
  void snapshot(const journal_record& state) {
    journal_->snapshot(state);
    since_snapshot_ = 0;
  }
  void erase() {
    journal_->erase();
    since_snapshot_ = 0;
  }
  /// Events kept since the last snapshot, `added` included.
  std::size_t count(std::size_t added) noexcept { return since_snapshot_ += added; }

private:
  cell& owner_;
  const std::shared_ptr<journal> journal_;
  std::size_t since_snapshot_ = 0;
};

} // namespace troupe::detail
