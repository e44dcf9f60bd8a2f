// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/rows.hpp>
#include <troupe/journal/store.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a database holds at one moment. Rows come as they are: whoever reads checks them. Every `f` gets a row that is
/// valid during the call; false ends the reading.
///
/// Errors: journal_error. Threads: one at a time.
class journal_reader {
public:
  virtual ~journal_reader() = default;

  virtual std::optional<journal_head> head(const std::string& key) = 0;
  /// The latest first.
  virtual void snapshots(const std::string& key, const std::function<bool(const record_row&)>& f) = 0;
  /// Those with a sequence above `after`, ascending.
  virtual void events(const std::string& key, std::uint64_t after, const std::function<bool(const record_row&)>& f) = 0;
  /// By sender.
  virtual void handled(const std::string& key, const std::function<bool(const handled_row&)>& f) = 0;
  /// Ascending.
  virtual void outbox(const std::string& key, const std::function<bool(const outbox_row&)>& f) = 0;

  virtual std::vector<std::string> keys(std::string_view prefix) = 0;
  virtual std::vector<owing_journal> unsettled() = 0;
  virtual std::vector<journal_summary> summaries(std::string_view prefix) = 0;
  /// What is wrong with the database as such, one line each: damaged pages, rows of journals that are not listed. Slow.
  virtual std::vector<std::string> damage() = 0;
};

/// A database that holds journals: the part of a durable store that is not the same for all of them.
class journal_database {
public:
  using batch = std::span<const std::unique_ptr<journal_write>>;

  virtual ~journal_database() = default;

  /// For messages: a path, or a URL without its password.
  virtual const std::string& name() const noexcept = 0;

  /// Makes all of `b`, in this order, one transaction. Unless `syncs_apart`, it returns when that is on the disk. Throws
  /// journal_error otherwise; what is kept is then unknown. Threads: one at a time, the writer.
  virtual void write(batch b) = 0;
  /// What `write` has written is on the disk only after a `sync`.
  virtual bool syncs_apart() const noexcept { return false; }
  /// Returns when all that `write` had written before is on the disk; throws journal_error if that is not known. Threads:
  /// one at a time, also while another one writes.
  virtual void sync() {}

  /// It held no journal when it was opened, and nobody else writes to it.
  virtual bool was_empty() const noexcept { return false; }
  /// The highest outbox number of all journals that had been erased when the database was opened; 0: none.
  virtual std::uint64_t erased_to() const noexcept = 0;

  /// Gives the room of rows that were dropped back to the file system. Slow. Threads: the writer.
  virtual void reclaim() = 0;

  /// A look at what is committed now. Not to be held for long. Threads: any.
  virtual std::shared_ptr<journal_reader> read() = 0;
};

} // namespace troupe
