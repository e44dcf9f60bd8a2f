// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_reader.hpp>
#include <troupe/journal/sqlite_schema.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// The columns sequence, time, type, version, data, checksum from `first` on. Texts are valid until the next step.
void read_record(const sqlite_statement& s, int first, record_row& r) {
  r.sequence = s.count(first);
  r.time = s.number(first + 1);
  r.type = s.text(first + 2);
  r.version = static_cast<int>(s.number(first + 3));
  r.data = s.text(first + 4);
  r.checksum = static_cast<std::uint32_t>(s.number(first + 5));
}

constexpr const char* step_event = "SELECT sequence, previous FROM events WHERE number = ? AND journal = ?";
constexpr const char* step_snapshot = "SELECT sequence, previous FROM snapshots WHERE number = ? AND journal = ?";

/// Before a query: the journals that hold something, as `listed(key)`, and the number up to which rows have their journals in
/// `journals`, as `placed(number)`.
const std::string with_listed = "WITH placed(number) AS (SELECT " + std::string{sqlite_placed_to} +
                                "), "
                                "listed(key) AS (SELECT key FROM journals UNION "
                                "SELECT journal FROM events WHERE number > (SELECT number FROM placed) UNION "
                                "SELECT journal FROM snapshots WHERE number > (SELECT number FROM placed)) ";

/// Keys sort by their bytes, and no text that begins with `prefix` comes after this one.
std::string end_of(std::string_view prefix) { return std::string{prefix} + "\xf4\x8f\xbf\xbf"; }

} // namespace

sqlite_reader::sqlite_reader(const std::string& path, const sqlite_places& places, const std::string& vfs,
                             std::function<void()> check)
    : connection_{path, sqlite_connection::mode::look, vfs}, places_{&places}, check_{std::move(check)} {
  connection_.execute("PRAGMA query_only = 1");
}

sqlite_reader::sqlite_reader(const std::string& path) : connection_{path, sqlite_connection::mode::foreign} {
  check_sqlite_schema(connection_);
}

void sqlite_reader::begin() {
  placed_ = false;
  generation_ = places_ != nullptr ? places_->generation() : 0;
  prepared(begin_, "BEGIN").run();
  prepared(fix_, "SELECT 1 FROM meta LIMIT 1").step(); // BEGIN alone does not choose the state
  fix_->reset();
  if (check_)
    check_();
}

sqlite_statement& sqlite_reader::prepared(lazy& s, const char* sql) {
  if (!s)
    s.emplace(connection_, sql);
  return *s;
}

std::optional<journal_head> sqlite_reader::head(const std::string& key) {
  const auto last = last_sequence(key);
  auto& s = prepared(head_, "SELECT last_sent, checksum FROM journals WHERE key = ?");
  const sqlite_reset after{s};
  if (s.bind(key).step())
    return journal_head{s.count(0), static_cast<std::uint32_t>(s.number(1)), last.value_or(0)};
  return last ? std::optional{journal_head{0, checksum_of_head(key, 0), *last}} : std::nullopt;
}

sqlite_place sqlite_reader::place_of(const std::string& key) {
  if (places_ == nullptr) {
    found_.load(connection_);
    places_ = &found_;
  }
  if (placed_ && placed_key_ == key)
    return place_;
  auto moved = places_->find(key);
  while (places_ != &found_ && places_->generation() != generation_) {
    end(); // see sqlite_places
    begin();
    moved = places_->find(key);
  }
  place_ = moved ? *moved : table_.find(key);
  placed_key_ = key;
  placed_ = true;
  return place_;
}

/// Of events and snapshots, nothing if there are none. If the row that should be the last one is not there, all are looked at.
std::optional<std::uint64_t> sqlite_reader::last_sequence(const std::string& key) {
  const auto at = place_of(key);
  std::optional<std::uint64_t> last;
  const auto look = [&](std::uint64_t number, lazy& kept, const char* by_number, const char* all) {
    if (number == 0)
      return;
    auto& s = prepared(kept, by_number);
    const sqlite_reset after{s};
    if (s.bind(number, key).step()) {
      last = std::max(last.value_or(0), s.count(0));
      return;
    }
    sqlite_statement wide{connection_, all};
    if (wide.bind(key).step() && !wide.null(0))
      last = std::max(last.value_or(0), wide.count(0));
  };
  look(at.event, step_event_, step_event, "SELECT max(sequence) FROM events WHERE journal = ?");
  look(at.snapshot, step_snapshot_, step_snapshot, "SELECT max(sequence) FROM snapshots WHERE journal = ?");
  return last;
}

void sqlite_reader::snapshots(const std::string& key, const std::function<bool(const record_row&)>& f) {
  std::vector<std::uint64_t> numbers;
  auto number = place_of(key).snapshot;
  for (auto& s = prepared(step_snapshot_, step_snapshot); number != 0;) {
    const sqlite_reset after{s};
    if (!s.bind(number, key).step())
      break;
    numbers.push_back(number);
    number = s.count(1);
  }
  record_row row;
  if (number != 0) { // a row is not where it should be
    sqlite_statement all{connection_, "SELECT sequence, time, type, version, data, checksum FROM snapshots "
                                      "WHERE journal = ? ORDER BY sequence DESC"};
    for (all.bind(key); all.step();) {
      read_record(all, 0, row);
      if (!f(row))
        return;
    }
    return;
  }
  auto& s =
      prepared(snapshots_, "SELECT sequence, time, type, version, data, checksum FROM snapshots WHERE number = ?");
  for (const auto n : numbers) {
    const sqlite_reset after{s};
    if (!s.bind(n).step())
      return;
    read_record(s, 0, row);
    if (!f(row))
      return;
  }
}

/// Whether the events above `after` lie together, as those of a busy journal do. Then the first one's number; otherwise 0.
std::uint64_t sqlite_reader::first_of_range(const std::string& key, std::uint64_t after, std::uint64_t last) {
  constexpr std::uint64_t worth_it = 256;
  auto& s = prepared(step_event_, step_event);
  const sqlite_reset at_end{s};
  if (last == 0 || !s.bind(last, key).step())
    return 0;
  const auto sequence = s.count(0);
  if (sequence < after + worth_it || last < sequence - after)
    return 0;
  const auto first = last - (sequence - after) + 1;
  s.reset();
  if (!s.bind(first, key).step() || s.count(0) != after + 1)
    return 0;
  sqlite_statement all{connection_, "SELECT count(*) FROM events WHERE number BETWEEN ? AND ? AND journal = ?"};
  return all.bind(first, last, key).step() && all.count(0) == sequence - after ? first : 0;
}

/// The numbers of its events with a sequence above `after`, the last first. Complete: as far as that, or to the first one that
/// was not dropped.
std::vector<std::uint64_t> sqlite_reader::numbers_after(const std::string& key, std::uint64_t after, bool& complete) {
  std::vector<std::uint64_t> numbers;
  auto& s = prepared(step_event_, step_event);
  std::uint64_t above = 0; // the sequence of the one before
  complete = true;
  auto number = place_of(key).event;
  const bool there = number != 0;
  while (number != 0) {
    const sqlite_reset at_end{s};
    if (!s.bind(number, key).step())
      break;
    const auto sequence = s.count(0);
    const auto next = s.count(1);
    if (sequence <= after)
      return numbers;
    if ((above != 0 && sequence + 1 != above) || next >= number)
      break;
    above = sequence;
    numbers.push_back(number);
    number = next;
  }
  complete = !there || number == 0 || above == after + 1;
  return numbers;
}

/// Rows that lie together. False: `f` wants no more.
bool sqlite_reader::read_range(std::uint64_t first, std::uint64_t last,
                               const std::function<bool(const record_row&)>& f) {
  auto& s = prepared(range_, "SELECT sequence, time, type, version, data, checksum FROM events "
                             "WHERE number BETWEEN ? AND ? ORDER BY number");
  const sqlite_reset at_end{s};
  record_row row;
  for (s.bind(first, last); s.step();) {
    read_record(s, 0, row);
    if (!f(row))
      return false;
  }
  return true;
}

void sqlite_reader::events(const std::string& key, std::uint64_t after,
                           const std::function<bool(const record_row&)>& f) {
  const auto last = place_of(key).event;
  if (const auto first = first_of_range(key, after, last); first != 0) {
    read_range(first, last, f);
    return;
  }
  bool complete = false;
  const auto numbers = numbers_after(key, after, complete);
  if (complete) {
    for (auto n = numbers.rbegin(); n != numbers.rend();) {
      const auto first = *n;
      auto end = first;
      for (++n; n != numbers.rend() && *n == end + 1; ++n)
        ++end;
      if (!read_range(first, end, f))
        return;
    }
    return;
  }
  // A row is not where it should be: every event is looked at.
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
  sqlite_statement s{connection_,
                     (with_listed + "SELECT key FROM listed WHERE key >= ? AND key < ? ORDER BY key").c_str()};
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
                     (with_listed +
                      "SELECT key, coalesce(e.n, 0), coalesce(s.n, 0), coalesce(e.bytes, 0) + coalesce(s.bytes, 0), "
                      "(SELECT count(*) FROM outbox WHERE journal = key), coalesce(e.last, 0) FROM listed "
                      "LEFT JOIN (SELECT journal, count(*) AS n, sum(length(CAST(data AS BLOB))) AS bytes, "
                      "max(time) AS last FROM events GROUP BY journal) AS e ON e.journal = key "
                      "LEFT JOIN (SELECT journal, count(*) AS n, sum(length(CAST(data AS BLOB))) AS bytes "
                      "FROM snapshots GROUP BY journal) AS s ON s.journal = key "
                      "WHERE key >= ? AND key < ? ORDER BY key")
                         .c_str()};
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
  sqlite_statement strays{
      connection_, (with_listed + "SELECT journal, place FROM (SELECT journal, 'events' AS place FROM events UNION "
                                  "SELECT journal, 'snapshots' FROM snapshots UNION "
                                  "SELECT journal, 'handled' FROM handled UNION "
                                  "SELECT journal, 'outbox' FROM outbox) "
                                  "WHERE journal NOT IN (SELECT key FROM listed) ORDER BY 1, 2")
                       .c_str()};
  while (strays.step())
    found.push_back("journal '" + std::string{strays.text(0)} + "' has rows in " + std::string{strays.text(1)} +
                    " but none in journals");
  return found;
}

} // namespace troupe
