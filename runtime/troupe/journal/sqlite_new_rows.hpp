// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/sqlite_connection.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

struct sqlite3_context;

namespace troupe {

/// Rows on their way into a SQLite file, as those of a virtual table (sqlite.org/vtab.html): one statement inserts all that
/// there are. Bound and stepped one by one they take a third more instructions, short ones twice as many.
///
/// Threads: one at a time, the connection's.
class sqlite_new_rows {
public:
  sqlite_new_rows(const sqlite_new_rows&) = delete;
  sqlite_new_rows& operator=(const sqlite_new_rows&) = delete;

  virtual std::size_t size() const noexcept = 0;
  /// Says what stands there, by `number`, `count` or `text`; said nothing: NULL.
  virtual void show(std::size_t row, int column, sqlite3_context* to) const = 0;
  const std::string& declaration() const noexcept { return declaration_; }

protected:
  /// For statements that are prepared later and end earlier. `columns`: their names in parentheses. Errors: journal_error.
  sqlite_new_rows(sqlite_connection& c, const std::string& table, const std::string& columns);
  virtual ~sqlite_new_rows() = default;

  static void number(sqlite3_context* to, std::int64_t n);
  static void count(sqlite3_context* to, std::uint64_t n) { number(to, static_cast<std::int64_t>(n)); }
  /// It must live until the statement is over.
  static void text(sqlite3_context* to, std::string_view t);

private:
  const std::string declaration_;
};

} // namespace troupe
