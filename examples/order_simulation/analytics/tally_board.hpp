// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/batch.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace order_simulation {

/// Tables that the instances of a pipeline's last stage fill, each its own, and that others may look at meanwhile.
///
/// Threads: any.
template <class Table>
class tally_board {
public:
  class part {
  public:
    explicit part(Table empty) : table_{std::move(empty)} {}

    /// *Calls* `f(table)` with the table to itself.
    template <class F>
    auto with(F&& f) {
      std::lock_guard lock{mutex_};
      return f(table_);
    }

  private:
    std::mutex mutex_; // leaf lock; its one writer meets nobody but who looks
    Table table_;
  };

  /// Parts begin as a copy of `empty`.
  explicit tally_board(Table empty) : empty_{std::move(empty)} {}

  /// A part for one more instance.
  std::shared_ptr<part> claim() {
    std::lock_guard lock{mutex_};
    parts_.push_back(std::make_shared<part>(empty_));
    return parts_.back();
  }

  /// Calls `f(table)` for each part, one after the other: what is seen of one may be older than of another.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& p : parts())
      p->with([&](const Table& t) { f(t); });
  }

private:
  std::vector<std::shared_ptr<part>> parts() const {
    std::lock_guard lock{mutex_};
    return parts_;
  }

  const Table empty_;
  mutable std::mutex mutex_; // leaf lock
  std::vector<std::shared_ptr<part>> parts_;
};

/// A sink: adds each element to the board once, when the batch with it is done for good.
template <class T, class Table>
class tally {
public:
  static constexpr const char* name = "tally";
  template <class>
  using output = troupe::pipeline::nothing;

  explicit tally(std::shared_ptr<tally_board<Table>> board) : board_{std::move(board)} {}

  template <class X, class Next>
  void on(X&& x, Next&&) {
    staged_.push_back(std::forward<X>(x));
  }
  void commit() {
    if (staged_.empty())
      return;
    if (part_ == nullptr)
      part_ = board_->claim();
    part_->with([&](Table& t) {
      for (const T& x : staged_)
        t.add(x);
    });
    staged_.clear();
  }
  void rollback() noexcept { staged_.clear(); }

private:
  std::shared_ptr<tally_board<Table>> board_;
  std::shared_ptr<typename tally_board<Table>::part> part_{}; // of this instance
  std::vector<T> staged_{};                                   // of the batch at work
};

} // namespace order_simulation
