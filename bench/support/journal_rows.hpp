// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bench/support/measurement.hpp"

#include <cstdint>
#include <filesystem>
#include <sqlite3.h>
#include <stdexcept>
#include <string>

/// What the rows about journals have in common with the bare loop that shows what SQLite allows.
namespace bench {

/// A SQLite file in a directory of its own, which goes with this object. On the disk, not in memory: where TMPDIR says.
class journal_file {
public:
  journal_file() {
    auto name = (std::filesystem::temp_directory_path() / "bench-journal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{"no directory " + name};
    directory_ = name;
  }
  ~journal_file() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  journal_file(const journal_file&) = delete;
  journal_file& operator=(const journal_file&) = delete;

  std::string path() const { return (directory_ / "journal.db").string(); }
  std::string directory() const { return directory_.string(); }

  /// Events in the file, asked of SQLite itself.
  std::int64_t count() const {
    sqlite3* db = nullptr;
    sqlite3_stmt* s = nullptr;
    std::int64_t n = -1;
    if (sqlite3_open(path().c_str(), &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT count(*) FROM events", -1, &s, nullptr) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
      n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
  }

private:
  std::filesystem::path directory_;
};

/// The event of these rows as JSON, about as long as those of the shop.
inline std::string reserved_json(std::uint64_t order, std::uint64_t quantity) {
  return "{\"customer\":\"customer/0000017\",\"order\":" + std::to_string(order) +
         ",\"quantity\":" + std::to_string(quantity) + ",\"sku\":\"85123A\"}";
}

} // namespace bench
