// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_new_events.hpp>

namespace troupe {

sqlite_new_events::sqlite_new_events(sqlite_connection& c)
    : sqlite_new_rows{c, "new_events", "(number, previous, journal, sequence, time, type, version, data, checksum)"},
      insert_{c, "INSERT INTO events SELECT * FROM new_events"} {}

void sqlite_new_events::show(std::size_t row, int column, sqlite3_context* to) const {
  const auto& e = waiting_[row];
  switch (column) {
    case 0: return count(to, e.number);
    case 1: return count(to, e.previous);
    case 2: return text(to, e.key);
    case 3: return count(to, e.row->sequence);
    case 4: return number(to, e.row->time);
    case 5: return text(to, e.row->type);
    case 6: return number(to, e.row->version);
    case 7: return text(to, e.row->data);
    default: return number(to, e.row->checksum);
  }
}

void sqlite_new_events::insert() {
  if (waiting_.empty())
    return;
  insert_.run();
  waiting_.clear();
}

} // namespace troupe
