// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_reader.hpp>
#include <troupe/journal/sqlite_schema.hpp>

namespace troupe {

namespace {

/// The columns sequence, time, type, version, data, checksum from `first` on. Texts keep their room from row to row.
void read_record(const sqlite_statement& s, int first, record_row& r) {
  r.sequence = s.count(first);
  r.time = s.number(first + 1);
  r.type = s.text(first + 2);
  r.version = static_cast<int>(s.number(first + 3));
  r.data = s.text(first + 4);
  r.checksum = static_cast<std::uint32_t>(s.number(first + 5));
}

/// Keys sort by their bytes, and no text that begins with `prefix` comes after this one.
std::string end_of(std::string_view prefix) { return std::string{prefix} + "\xf4\x8f\xbf\xbf"; }

} // namespace

sqlite_reader::sqlite_reader(const std::string& path, sqlite_connection::mode m, const std::string& vfs)
    : connection_{path, m, vfs} {
  if (m == sqlite_connection::mode::foreign)
    check_sqlite_schema(connection_);
  else
    connection_.execute("PRAGMA query_only = 1");
}

sqlite_statement& sqlite_reader::prepared(lazy& s, const char* sql) {
  if (!s)
    s.emplace(connection_, sql);
  return *s;
}

std::optional<journal_head> sqlite_reader::head(const std::string& key) {
  auto& s = prepared(head_, "SELECT last_sent, checksum, max("
                            "coalesce((SELECT max(sequence) FROM events WHERE journal = ?1), 0), "
                            "coalesce((SELECT max(sequence) FROM snapshots WHERE journal = ?1), 0)) "
                            "FROM journals WHERE key = ?1");
  const sqlite_reset after{s};
  if (!s.bind(key).step())
    return {};
  return journal_head{s.count(0), static_cast<std::uint32_t>(s.number(1)), s.count(2)};
}

void sqlite_reader::snapshots(const std::string& key, const std::function<bool(const record_row&)>& f) {
  auto& s = prepared(snapshots_, "SELECT sequence, time, type, version, data, checksum FROM snapshots "
                                 "WHERE journal = ? ORDER BY sequence DESC");
  const sqlite_reset after{s};
  record_row row;
  for (s.bind(key); s.step();) {
    read_record(s, 0, row);
    if (!f(row))
      return;
  }
}

void sqlite_reader::events(const std::string& key, std::uint64_t after,
                           const std::function<bool(const record_row&)>& f) {
  auto& s = prepared(events_, "SELECT sequence, time, type, version, data, checksum FROM events "
                              "WHERE journal = ? AND sequence > ? ORDER BY sequence");
  const sqlite_reset at_end{s};
  record_row row;
  for (s.bind(key, after); s.step();) {
    read_record(s, 0, row);
    if (!f(row))
      return;
  }
}

void sqlite_reader::handled(const std::string& key, const std::function<bool(const handled_row&)>& f) {
  auto& s = prepared(handled_, "SELECT sender, sequence, checksum FROM handled WHERE journal = ? ORDER BY sender");
  const sqlite_reset after{s};
  handled_row row;
  for (s.bind(key); s.step();) {
    row.sender = s.text(0);
    row.sequence = s.count(1);
    row.checksum = static_cast<std::uint32_t>(s.number(2));
    if (!f(row))
      return;
  }
}

void sqlite_reader::outbox(const std::string& key, const std::function<bool(const outbox_row&)>& f) {
  auto& s = prepared(outbox_, "SELECT sequence, time, type, version, data, checksum, target, due, timer FROM outbox "
                              "WHERE journal = ? ORDER BY sequence");
  const sqlite_reset after{s};
  outbox_row row;
  for (s.bind(key); s.step();) {
    read_record(s, 0, row.message);
    row.checksum = row.message.checksum;
    row.message.checksum = 0;
    row.target = s.text(6);
    row.due.reset();
    if (!s.null(7))
      row.due = s.number(7);
    row.timer = s.text(8);
    if (!f(row))
      return;
  }
}

std::vector<std::string> sqlite_reader::keys(std::string_view prefix) {
  sqlite_statement s{connection_, "SELECT key FROM journals WHERE key >= ? AND key < ? ORDER BY key"};
  const auto end = end_of(prefix);
  std::vector<std::string> found;
  for (s.bind(prefix, end); s.step();)
    found.emplace_back(s.text(0));
  return found;
}

std::vector<owing_journal> sqlite_reader::unsettled() {
  sqlite_statement s{connection_,
                     "SELECT journal, count(*) - count(due), min(due) FROM outbox GROUP BY journal ORDER BY journal"};
  std::vector<owing_journal> found;
  while (s.step()) {
    std::optional<wall_time_point> due;
    if (s.number(1) == 0)
      due = time_of(s.number(2));
    found.push_back({std::string{s.text(0)}, due});
  }
  return found;
}

std::vector<journal_summary> sqlite_reader::summaries(std::string_view prefix) {
  sqlite_statement s{connection_,
                     "SELECT key, (SELECT count(*) FROM events WHERE journal = key), "
                     "(SELECT count(*) FROM snapshots WHERE journal = key), "
                     "(SELECT coalesce(sum(length(CAST(data AS BLOB))), 0) FROM events WHERE journal = key) + "
                     "(SELECT coalesce(sum(length(CAST(data AS BLOB))), 0) FROM snapshots WHERE journal = key), "
                     "(SELECT count(*) FROM outbox WHERE journal = key), "
                     "(SELECT coalesce(max(time), 0) FROM events WHERE journal = key) "
                     "FROM journals WHERE key >= ? AND key < ? ORDER BY key"};
  const auto end = end_of(prefix);
  std::vector<journal_summary> found;
  for (s.bind(prefix, end); s.step();)
    found.push_back({std::string{s.text(0)}, s.count(1), s.count(2), s.count(3), s.count(4), s.number(5)});
  return found;
}

std::vector<std::string> sqlite_reader::damage() {
  std::vector<std::string> found;
  sqlite_statement pages{connection_, "PRAGMA integrity_check"};
  while (pages.step())
    if (pages.text(0) != "ok")
      found.emplace_back(pages.text(0));
  sqlite_statement strays{connection_,
                          "SELECT journal, place FROM (SELECT journal, 'events' AS place FROM events UNION "
                          "SELECT journal, 'snapshots' FROM snapshots UNION "
                          "SELECT journal, 'handled' FROM handled UNION "
                          "SELECT journal, 'outbox' FROM outbox) "
                          "WHERE journal NOT IN (SELECT key FROM journals) ORDER BY 1, 2"};
  while (strays.step())
    found.push_back("journal '" + std::string{strays.text(0)} + "' has rows in " + std::string{strays.text(1)} +
                    " but none in journals");
  return found;
}

} // namespace troupe
