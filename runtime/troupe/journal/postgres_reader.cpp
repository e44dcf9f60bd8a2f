// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_reader.hpp>
#include <troupe/journal/postgres_schema.hpp>

namespace troupe {

namespace {

/// The columns sequence, time, type, version, data, checksum, the first ones. Texts are valid as long as the result.
void read_record(const postgres_row& s, record_row& r) {
  r.sequence = s.count(0);
  r.time = s.number(1);
  r.type = s.text(2);
  r.version = static_cast<int>(s.number(3));
  r.data = s.text(4);
  r.checksum = static_cast<std::uint32_t>(s.number(5));
}

/// Keys sort by their bytes, and no text that begins with `prefix` comes after this one.
std::string end_of(std::string_view prefix) { return std::string{prefix} + "\xf4\x8f\xbf\xbf"; }

} // namespace

postgres_reader::postgres_reader(const std::string& url, std::chrono::milliseconds silence)
    : connection_{url, silence} {
  lift_postgres_limits(connection_);
}

/// Rows show that there is a journal even if its own row has been lost.
std::optional<journal_head> postgres_reader::head(const std::string& key) {
  std::optional<journal_head> found;
  connection_.query("SELECT last_sent, checksum, greatest("
                    "coalesce((SELECT max(sequence) FROM events WHERE journal = $1), 0), "
                    "coalesce((SELECT max(sequence) FROM snapshots WHERE journal = $1), 0)) "
                    "FROM (VALUES (1)) AS once LEFT JOIN journals ON key = $1",
                    postgres_parameters{key}, [&](const postgres_row& row) {
                      const auto last = row.count(2);
                      if (!row.null(0))
                        found = journal_head{row.count(0), static_cast<std::uint32_t>(row.number(1)), last};
                      else if (last > 0)
                        found = journal_head{0, checksum_of_head(key, 0), last};
                      return true;
                    });
  return found;
}

void postgres_reader::snapshots(const std::string& key, const std::function<bool(const record_row&)>& f) {
  record_row r;
  connection_.query("SELECT sequence, time, type, version, data, checksum FROM snapshots "
                    "WHERE journal = $1 ORDER BY sequence DESC",
                    postgres_parameters{key}, [&](const postgres_row& row) {
                      read_record(row, r);
                      return f(r);
                    });
}

void postgres_reader::events(const std::string& key, std::uint64_t after,
                             const std::function<bool(const record_row&)>& f) {
  record_row r;
  connection_.query("SELECT sequence, time, type, version, data, checksum FROM events "
                    "WHERE journal = $1 AND sequence > $2 ORDER BY sequence",
                    postgres_parameters{key, after}, [&](const postgres_row& row) {
                      read_record(row, r);
                      return f(r);
                    });
}

void postgres_reader::handled(const std::string& key, const std::function<bool(const handled_row&)>& f) {
  handled_row r;
  connection_.query("SELECT sender, sequence, checksum FROM handled WHERE journal = $1 ORDER BY sender",
                    postgres_parameters{key}, [&](const postgres_row& row) {
                      r.sender = row.text(0);
                      r.sequence = row.count(1);
                      r.checksum = static_cast<std::uint32_t>(row.number(2));
                      return f(r);
                    });
}

void postgres_reader::outbox(const std::string& key, const std::function<bool(const outbox_row&)>& f) {
  outbox_row r;
  connection_.query("SELECT sequence, time, type, version, data, checksum, target, due, timer FROM outbox "
                    "WHERE journal = $1 ORDER BY sequence",
                    postgres_parameters{key}, [&](const postgres_row& row) {
                      read_record(row, r.message);
                      r.checksum = r.message.checksum;
                      r.message.checksum = 0;
                      r.target = row.text(6);
                      r.due.reset();
                      if (!row.null(7))
                        r.due = row.number(7);
                      r.timer = row.text(8);
                      return f(r);
                    });
}

std::vector<std::string> postgres_reader::keys(std::string_view prefix) {
  std::vector<std::string> found;
  connection_.query(
      "SELECT key FROM journals WHERE key >= $1 AND key < $2 ORDER BY key", postgres_parameters{prefix, end_of(prefix)},
      [&](const postgres_row& row) {
        found.emplace_back(row.text(0));
        return true;
      },
      postgres_answer::late);
  return found;
}

std::vector<owing_journal> postgres_reader::unsettled() {
  std::vector<owing_journal> found;
  connection_.query(
      "SELECT journal, count(*) - count(due), min(due) FROM outbox GROUP BY journal ORDER BY journal",
      postgres_parameters{},
      [&](const postgres_row& row) {
        std::optional<wall_time_point> due;
        if (row.number(1) == 0)
          due = time_of(row.number(2));
        found.push_back({std::string{row.text(0)}, due});
        return true;
      },
      postgres_answer::late);
  return found;
}

std::vector<journal_summary> postgres_reader::summaries(std::string_view prefix) {
  std::vector<journal_summary> found;
  connection_.query(
      "SELECT j.key, coalesce(e.n, 0), coalesce(s.n, 0), coalesce(e.bytes, 0) + coalesce(s.bytes, 0), "
      "coalesce(o.n, 0), coalesce(e.last, 0) FROM journals j "
      "LEFT JOIN (SELECT journal, count(*) AS n, sum(octet_length(data::text)) AS bytes, max(time) AS last "
      "FROM events GROUP BY journal) e ON e.journal = j.key "
      "LEFT JOIN (SELECT journal, count(*) AS n, sum(octet_length(data::text)) AS bytes "
      "FROM snapshots GROUP BY journal) s ON s.journal = j.key "
      "LEFT JOIN (SELECT journal, count(*) AS n FROM outbox GROUP BY journal) o ON o.journal = j.key "
      "WHERE j.key >= $1 AND j.key < $2 ORDER BY j.key",
      postgres_parameters{prefix, end_of(prefix)},
      [&](const postgres_row& row) {
        found.push_back(
            {std::string{row.text(0)}, row.count(1), row.count(2), row.count(3), row.count(4), row.number(5)});
        return true;
      },
      postgres_answer::late);
  return found;
}

std::vector<std::string> postgres_reader::damage() {
  std::vector<std::string> found;
  connection_.query(
      "SELECT journal, place FROM (SELECT journal, 'events' AS place FROM events UNION "
      "SELECT journal, 'snapshots' FROM snapshots UNION "
      "SELECT journal, 'handled' FROM handled UNION "
      "SELECT journal, 'outbox' FROM outbox) AS kept "
      "WHERE journal NOT IN (SELECT key FROM journals) ORDER BY 1, 2",
      postgres_parameters{},
      [&](const postgres_row& row) {
        found.push_back("journal '" + std::string{row.text(0)} + "' has rows in " + std::string{row.text(1)} +
                        " but none in journals");
        return true;
      },
      postgres_answer::late);
  return found;
}

} // namespace troupe
