// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_connection.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe {

/// Events on their way into a SQLite file. All of a transaction go into `events` with one statement, which reads them as
/// the rows of a virtual table (sqlite.org/vtab.html): bound and stepped one by one they take a third more instructions.
///
/// Threads: one at a time, the writer.
class sqlite_new_events {
public:
  explicit sqlite_new_events(sqlite_connection& c);
  sqlite_new_events(const sqlite_new_events&) = delete;
  sqlite_new_events& operator=(const sqlite_new_events&) = delete;

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

private:
  std::vector<event> waiting_;
  sqlite_statement insert_; ///< After the module that it reads from.
};

} // namespace troupe
