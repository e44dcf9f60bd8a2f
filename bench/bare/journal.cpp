// SPDX-License-Identifier: BSD-3-Clause
#include "bench/bare/journal.hpp"

#include "bench/support/journal_rows.hpp"

#include <string>
#include <vector>

namespace bench {

namespace {

/// The file with the one table, set up as the store sets it up.
class bare_journal {
public:
  explicit bare_journal(const std::string& path) {
    must(
        sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA wal_autocheckpoint = 4096");
    run("PRAGMA cache_size = -32768");
    run("CREATE TABLE events (number INTEGER PRIMARY KEY, previous INTEGER NOT NULL, journal TEXT NOT NULL, "
        "sequence INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL, "
        "data TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT");
    must(sqlite3_prepare_v2(db_, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &insert_, nullptr));
  }
  ~bare_journal() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  bare_journal(const bare_journal&) = delete;
  bare_journal& operator=(const bare_journal&) = delete;

  void run(const char* sql) { must(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  void insert(const std::string& key, std::uint64_t sequence, const std::string& data) {
    int i = 0;
    const auto text = [&](const std::string& t) {
      must(sqlite3_bind_text(insert_, ++i, t.data(), static_cast<int>(t.size()), SQLITE_STATIC));
    };
    const auto number = [&](std::int64_t n) { must(sqlite3_bind_int64(insert_, ++i, n)); };
    number(++rows_);
    number(rows_ - 1); // some row's number, as in the store
    text(key);
    number(static_cast<std::int64_t>(sequence));
    number(1'800'000'000'000'000);
    text(type_);
    number(1);
    text(data);
    number(123'456'789);
    if (sqlite3_step(insert_) != SQLITE_DONE)
      must(SQLITE_ERROR);
    sqlite3_reset(insert_);
  }

  sqlite3* handle() const noexcept { return db_; }

private:
  void must(int code) const {
    if (code != SQLITE_OK)
      throw std::runtime_error{sqlite3_errmsg(db_)};
  }

  const std::string type_ = "reserved";
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::int64_t rows_ = 0;
};

template <std::uint64_t Group>
void append(const run_size& size) {
  journal_file file;
  bare_journal j{file.path()};
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < 2 * Group; ++i)
    keys.push_back("stock/" + std::to_string(i));
  std::vector<std::string> data;
  for (std::uint64_t i = 0; i < size.n; ++i)
    data.push_back(reserved_json(i, i % 10));
  stopwatch clock;
  clock.start();
  for (std::uint64_t i = 0; i < size.n;) {
    j.run("BEGIN IMMEDIATE");
    for (std::uint64_t k = 0; k < Group && i < size.n; ++k, ++i)
      j.insert(keys[i % keys.size()], i / keys.size() + 1, data[i]);
    j.run("COMMIT");
  }
  clock.arrive();
  clock.print(("journal-append-" + std::to_string(Group)).c_str(), size.n, file.count());
}

/// Reads all rows in order and looks at each byte of them once.
void recovery(const run_size& size) {
  journal_file file;
  bare_journal j{file.path()};
  j.run("BEGIN");
  for (std::uint64_t i = 0; i < size.n; ++i)
    j.insert("stock/0", i + 1, reserved_json(i, i % 10));
  j.run("COMMIT");
  sqlite3_stmt* s = nullptr;
  sqlite3_prepare_v2(j.handle(),
                     "SELECT sequence, time, type, version, data, checksum FROM events "
                     "WHERE journal = 'stock/0' ORDER BY number",
                     -1, &s, nullptr);
  std::int64_t rows = 0;
  std::uint64_t sum = 0;
  stopwatch clock;
  clock.start();
  while (sqlite3_step(s) == SQLITE_ROW) {
    ++rows;
    for (const auto* p = sqlite3_column_text(s, 4); *p != 0; ++p)
      sum += *p;
  }
  clock.arrive();
  sqlite3_finalize(s);
  clock.print("journal-recovery", size.n, sum == 0 ? -1 : rows);
}

} // namespace

void add_journal_rows(row_table& rows) {
  rows["journal-append-1"] = &append<1>;
  rows["journal-append-16"] = &append<16>;
  rows["journal-append-256"] = &append<256>;
  rows["journal-recovery"] = &recovery;
}

} // namespace bench
