// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_new_rows.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe {

/// Events on their way into a SQLite file. All of a transaction go into `events` with one statement.
///
/// Threads: one at a time, the writer.
class sqlite_new_events final : public sqlite_new_rows {
public:
  explicit sqlite_new_events(sqlite_connection& c);

  /// What a row is made of; `key` and `row`, with its texts, must live until it is inserted.
  struct event {
    std::uint64_t number;
    std::uint64_t previous;
    std::string_view key;
    const record_row* row;
  };
  void add(const event& e) { waiting_.push_back(e); }
  /// Inserts those that were added, in their order. Errors: journal_error.
  void insert();

  std::size_t size() const noexcept override { return waiting_.size(); }
  void show(std::size_t row, int column, sqlite3_context* to) const override;

private:
  std::vector<event> waiting_;
  sqlite_statement insert_;
};

} // namespace troupe
