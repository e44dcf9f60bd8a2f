// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/sqlite_connection.hpp>

#include <optional>
#include <string_view>

namespace troupe {

/// The number up to which rows are in `places`, as SQL. Whoever takes it for more than it is does not find rows; so it stands
/// there twice, and the lesser one counts. An earlier version wrote it once.
inline constexpr std::string_view sqlite_placed_to =
    "coalesce((SELECT min(CAST(value AS INTEGER), CAST(substr(value, instr(value, ',') + 1) AS INTEGER)) "
    "FROM meta WHERE name = 'placed_to'), 0)";

/// Finds places in the file: in the table `places`, or, if a journal that is listed has no good row there, among all rows.
class sqlite_place_table {
public:
  explicit sqlite_place_table(sqlite_connection& c) : connection_{c} {}
  sqlite_place find(std::string_view key);
  /// From the table only: nothing if there is no good row in it.
  std::optional<sqlite_place> written(std::string_view key);
  /// Whether it has its row in `journals`.
  bool listed(std::string_view key);
  /// Looks at every row.
  sqlite_place search(std::string_view key);

private:
  sqlite_connection& connection_;
  std::optional<sqlite_statement> row_;
  std::optional<sqlite_statement> listed_;
};

} // namespace troupe
