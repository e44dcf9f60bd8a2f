// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/rows.hpp>
#include <troupe/journal/sqlite_new_places.hpp>

namespace troupe {

sqlite_new_places::sqlite_new_places(sqlite_connection& c)
    : sqlite_new_rows{c, "new_places", "(journal, event, snapshot, checksum, head)"},
      put_{c, "INSERT OR REPLACE INTO places SELECT journal, event, snapshot, checksum FROM new_places"},
      list_{c, "INSERT OR IGNORE INTO journals SELECT journal, 0, head FROM new_places WHERE head IS NOT NULL"} {}

void sqlite_new_places::show(std::size_t row, int column, sqlite3_context* to) const {
  const auto& p = waiting_[row];
  switch (column) {
    case 0: return text(to, p.key);
    case 1: return count(to, p.at.event);
    case 2: return count(to, p.at.snapshot);
    case 3: return number(to, checksum_of_place(p.key, p.at.event, p.at.snapshot));
    default:
      if (!p.listed)
        number(to, checksum_of_head(p.key, 0));
  }
}

void sqlite_new_places::insert() {
  if (waiting_.empty())
    return;
  put_.run();
  if (some_unlisted_)
    list_.run();
  waiting_.clear();
  some_unlisted_ = false;
}

} // namespace troupe
