// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/group_commit.hpp>
#include <troupe/journal/high_mark.hpp>
#include <troupe/journal/key_filter.hpp>
#include <troupe/journal/key_table.hpp>
#include <troupe/journal/store.hpp>
#include <troupe/seams.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What all durable stores can be told.
struct durable_options {
  group_commit_options commit{};
  /// Removes events as soon as two snapshots include them. Off: history stays until `troupe-journal compact` drops it.
  bool drop_history = false;
  /// Is told of what was passed over without a loss, such as a snapshot that could not be read. Called from any thread.
  std::function<void(std::string_view)> report{};
  std::shared_ptr<troupe::clock> clock = production_clock();
  /// For the threads that write and sync. Null: each append is committed alone, on its caller's thread, before it returns: for
  /// tests in simulated time.
  std::shared_ptr<thread_factory> threads = production_threads();
};

/// Journals in a database. Values are encoded on their actor's thread and written by one thread for all (and synced by
/// another one, while the first one writes on, if the database allows that); a replay reads,
/// checks and decodes on the actor's thread, one value at a time.
///
/// Held by a shared_ptr; open journals hold it too. Threads: any.
class durable_store final : public journal_store, public std::enable_shared_from_this<durable_store> {
public:
  durable_store(std::unique_ptr<journal_database> db, durable_options o);
  /// Writes what was handed over.
  ~durable_store() override = default;

  std::shared_ptr<journal> open(const std::string& key, std::span<const journal_type* const> types) override;
  std::vector<std::string> keys(std::string_view prefix = {}) override;
  std::vector<owing_journal> unsettled() override;
  void flush() override { writer_.wait(); }

  const journal_database& database() const noexcept { return *database_; }
  group_commit::counts counted() const { return writer_.counted(); }

private:
  friend class durable_journal;
  struct listed_state;

  /// What those who write to the journal share, and the writer. Made if there is none.
  std::shared_ptr<open_journal> state_of(const std::string& key);
  /// The same; null: nothing of this journal is on its way.
  std::shared_ptr<open_journal> held_state(const std::string& key);
  /// False: there is nothing under this key, nor on its way.
  bool may_hold(const std::string& key) const noexcept { return !begun_ || begun_->may_hold(key); }

  high_mark erased_; ///< Outbox numbers of journals that were erased.

  // -- immutable --
  const durable_options options_;
  const std::unique_ptr<journal_database> database_;

  /// The keys that anybody had a state for; not kept unless these are all that there can be.
  std::optional<key_filter> begun_;

  // -- guarded by mutex_ --
  std::mutex mutex_;                       // leaf lock
  detail::key_table<listed_state> states_; // also those that are about to leave

  group_commit writer_; // the last: its thread uses the others
};

} // namespace troupe
