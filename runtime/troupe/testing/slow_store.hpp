// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/store.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::detail {

/// Stands before another store and lets its writes take simulated time. They are done one after the other, in the order in
/// which they were handed over, as by a thread that writes: what is waiting when the process crashes was never written.
///
/// Held by a shared_ptr. Threads: one.
class slow_store final : public journal_store, public std::enable_shared_from_this<slow_store> {
public:
  struct pace {
    /// How long the next write takes. 0: it is done at once, unless others are waiting.
    std::function<std::chrono::nanoseconds()> next;
    std::function<time_point()> now;
    /// Asks that `write_due` be called at that time. Each call takes the place of the one before.
    std::function<void(time_point)> wake;
  };
  slow_store(std::shared_ptr<journal_store> behind, pace p) : behind_{std::move(behind)}, pace_{std::move(p)} {}

  std::shared_ptr<journal> open(const std::string& key, std::span<const journal_type* const> types) override;
  std::vector<std::string> keys(std::string_view prefix = {}) override { return behind_->keys(prefix); }
  std::vector<owing_journal> unsettled() override { return behind_->unsettled(); }
  /// Does all writes that are waiting.
  void flush() override;

  /// Does those whose time has come.
  void write_due();
  /// The process crashes: what is waiting fails.
  void drop();

private:
  class stream;
  struct write {
    time_point due;
    std::function<void()> commit; ///< May throw.
    journal::completion tell;     ///< Null: nobody waits for it.
  };

  /// False: it is to be done now.
  bool takes_time(std::chrono::nanoseconds& how_long);
  void add(std::chrono::nanoseconds how_long, std::function<void()> commit, journal::completion tell);
  void do_first();

  const std::shared_ptr<journal_store> behind_;
  const pace pace_;
  std::deque<write> waiting_; // due in ascending order
};

} // namespace troupe::detail
