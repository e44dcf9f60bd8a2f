// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What durable stores keep, as plain values: one struct for each table. Texts are the maker's memory. Each row carries a
/// CRC-32C over all that it says, the journal's key included, so that a flipped bit, or a row that was moved, is found. See
/// docs/reference/journal.md.
namespace troupe {

/// Microseconds since 1970-01-01 00:00 UTC, for people. Order is by sequence alone: clocks go backwards.
using row_time = std::int64_t;

/// As calendar time. What lies outside its range, as in a row that was damaged, becomes the end of it that is nearer.
wall_time_point time_of(row_time t) noexcept;

/// A row of `events` or `snapshots`. A snapshot has the sequence of the last event that it includes, 0 for none.
struct record_row {
  std::uint64_t sequence = 0;
  row_time time = 0;
  std::string_view type;
  int version = 0;
  std::string_view data; ///< JSON.
  std::uint32_t checksum = 0;
};

/// A row of `handled`: the last message of one sender.
struct handled_row {
  std::string_view sender;
  std::uint64_t sequence = 0;
  std::uint32_t checksum = 0;
};

/// A row of `outbox`: not settled.
struct outbox_row {
  record_row message; ///< Its sequence is that of the entry.
  std::string_view target;
  std::optional<row_time> due;
  std::string_view timer;
  std::uint32_t checksum = 0; ///< Of all this; the message has none of its own.
};

/// The row of `journals`, and how far the others go.
struct journal_head {
  std::uint64_t last_sent = 0;
  std::uint32_t checksum = 0;
  std::uint64_t last_event = 0; ///< The highest sequence among events and snapshots.
};

std::uint32_t checksum_of(std::string_view key, const record_row& r) noexcept;
std::uint32_t checksum_of(std::string_view key, const handled_row& r) noexcept;
std::uint32_t checksum_of(std::string_view key, const outbox_row& r) noexcept;
/// Of a row of SQLite's `places`.
std::uint32_t checksum_of_place(std::string_view key, std::uint64_t event, std::uint64_t snapshot) noexcept;
std::uint32_t checksum_of_head(std::string_view key, std::uint64_t last_sent) noexcept;

/// What `troupe-journal list` shows of a journal.
struct journal_summary {
  std::string key;
  std::uint64_t events = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t bytes = 0; ///< Of the JSON in events and snapshots.
  std::uint64_t unsettled = 0;
  row_time last_time = 0; ///< Of the last event; 0: there is none.
};

} // namespace troupe
