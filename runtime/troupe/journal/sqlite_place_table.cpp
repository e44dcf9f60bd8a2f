// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_place_table.hpp>

namespace troupe {

std::optional<sqlite_place> sqlite_place_table::written(std::string_view key) {
  if (!row_)
    row_.emplace(connection_, "SELECT event, snapshot, checksum FROM places WHERE journal = ?");
  const sqlite_reset after{*row_};
  if (!row_->bind(key).step())
    return {};
  const sqlite_place p{row_->count(0), row_->count(1)};
  return row_->count(2) == checksum_of_place(key, p.event, p.snapshot) ? std::optional{p} : std::nullopt;
}

sqlite_place sqlite_place_table::find(std::string_view key) {
  if (const auto p = written(key))
    return *p;
  return listed(key) ? search(key) : sqlite_place{};
}

bool sqlite_place_table::listed(std::string_view key) {
  if (!listed_)
    listed_.emplace(connection_, "SELECT 1 FROM journals WHERE key = ?");
  const sqlite_reset after{*listed_};
  return listed_->bind(key).step();
}

sqlite_place sqlite_place_table::search(std::string_view key) {
  sqlite_statement event{connection_, "SELECT number FROM events WHERE journal = ? ORDER BY sequence DESC LIMIT 1"};
  sqlite_statement snapshot{connection_, "SELECT coalesce(max(number), 0) FROM snapshots WHERE journal = ?"};
  snapshot.bind(key).step();
  return {event.bind(key).step() ? event.count(0) : 0, snapshot.count(0)};
}

} // namespace troupe
