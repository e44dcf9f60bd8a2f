// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/completion.hpp>
#include <troupe/journal/rows.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// Where a journal's newest rows are in a SQLite file: numbers of rows of `events` and `snapshots`, 0 for none. Each of these
/// rows names the one before it in the same journal.
struct sqlite_place {
  std::uint64_t event = 0;
  std::uint64_t snapshot = 0;
};

/// What all who work with one journal share: whoever has it open, perhaps a successor whose predecessor's last write is
/// still on its way, and the writer.
struct open_journal {
  /// Of the last write. Release by the turn that submitted it, acquire by the one that waits for it, which may be that of
  /// another incarnation.
  std::atomic<std::uint64_t> ticket{0};
  /// A write failed since the last replay. Release by the writer, before the completion; acquire by the next append. The
  /// writer itself looks before it writes what was handed over meanwhile.
  std::atomic<bool> uncertain{false};

  // -- the writer's, for a SQLite file: its place, if it is known, and where readers find it, if that count is still the same --
  sqlite_place at;
  bool placed = false;
  sqlite_place* entry = nullptr;
  std::uint64_t entries_count = 0;
};

/// One change to one journal: kept whole or not at all. All that it refers to is its maker's.
struct journal_change {
  std::string_view key;
  bool erase = false; ///< Everything under the key, before the rest.
  /// The journal's row, if it must be made or `last_sent` has changed.
  std::optional<std::uint64_t> last_sent{};
  bool first = false; ///< The journal holds nothing before this.
  std::span<const record_row> events{};
  std::optional<handled_row> handled{};
  std::span<const outbox_row> sends{};
  std::span<const std::uint64_t> settled{};
  std::span<const std::string_view> forgotten{}; ///< Senders, before `handled`.
  std::optional<record_row> snapshot{};
  /// Besides the new snapshot only this one stays, by its sequence: the last that is known to be good. Not set: all do.
  std::optional<std::uint64_t> other_snapshot{};
  std::optional<std::uint64_t> drop_events_to{}; ///< This sequence included.
};

/// A change on its way to the writer, with a copy of all that it refers to: one block of memory that is recycled, because
/// it is made on one thread and freed on another.
class journal_write {
public:
  static std::unique_ptr<journal_write> of(const journal_change& c);

  const journal_change& change() const noexcept { return change_; }
  /// Begins to fetch it: it was made on another core.
  void fetch() const noexcept {
    for (std::size_t line = 0; line < sizeof *this + 192; line += 64)
      __builtin_prefetch(reinterpret_cast<const char*>(this) + line);
  }
  /// The same for who only ends it.
  void fetch_end() const noexcept { __builtin_prefetch(this); }
  /// What this holds in memory.
  std::size_t bytes() const noexcept { return bytes_; }

  std::shared_ptr<open_journal> journal; ///< Null: nobody has it open.
  journal_completion done;               ///< Called once, by the writer, if set.

  void operator delete(journal_write* w, std::destroying_delete_t) noexcept;

private:
  journal_write(std::size_t bytes, const journal_change& c) noexcept : bytes_{bytes}, change_{c} {}

  const std::size_t bytes_;
  journal_change change_;
};

} // namespace troupe
