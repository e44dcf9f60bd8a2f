// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/rows.hpp>
#include <troupe/journal/store.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One change to one journal, encoded: kept whole or not at all. Made on the actor's turn, then the writer's.
struct journal_write {
  std::string key;
  bool erase = false; ///< Everything under the key, before the rest.
  /// The journal's row, if it must be made or `last_sent` has changed.
  std::optional<std::uint64_t> last_sent;
  std::vector<record_row> events;
  std::optional<handled_row> handled;
  std::vector<outbox_row> sends;
  std::vector<std::uint64_t> settled;
  std::optional<record_row> snapshot;
  /// Besides the new snapshot only this one stays, by its sequence: the last that is known to be good. Not set: all do.
  std::optional<std::uint64_t> other_snapshot;
  std::optional<std::uint64_t> drop_events_to;  ///< This sequence included.
  std::function<void(std::exception_ptr)> done; ///< Called once, by the writer, if set.

  /// About what this holds in memory.
  std::size_t bytes() const noexcept;
};

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
  virtual ~journal_database() = default;

  /// For messages: a path, or a URL without its password.
  virtual const std::string& name() const noexcept = 0;

  /// Makes all of `batch`, in this order, one transaction; returns when it is on the disk. Throws journal_error otherwise;
  /// what is kept is then unknown. Threads: one at a time, the writer.
  virtual void commit(std::span<const std::unique_ptr<journal_write>> batch) = 0;

  /// Gives the room of rows that were dropped back to the file system. Slow. Threads: the writer.
  virtual void reclaim() = 0;

  /// A look at what is committed now. Not to be held for long. Threads: any.
  virtual std::shared_ptr<journal_reader> read() = 0;
};

inline std::size_t journal_write::bytes() const noexcept {
  const auto of = [](const record_row& r) { return sizeof r + r.data.size(); };
  auto n = sizeof *this + key.size() + 8 * settled.size();
  for (const auto& e : events)
    n += of(e);
  for (const auto& s : sends)
    n += sizeof s + s.message.data.size() + s.target.size();
  return n + (snapshot ? snapshot->data.size() : 0);
}

} // namespace troupe
