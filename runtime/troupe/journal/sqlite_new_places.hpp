// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_new_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe {

/// Places on their way into `places`, and those of their journals that are not listed yet into `journals`.
///
/// Threads: one at a time, the writer.
class sqlite_new_places final : public sqlite_new_rows {
public:
  explicit sqlite_new_places(sqlite_connection& c);

  /// `key` must live until it is inserted.
  void add(std::string_view key, const sqlite_place& at, bool listed) {
    waiting_.push_back({key, at, listed});
    some_unlisted_ = some_unlisted_ || !listed;
  }
  /// Inserts those that were added, in their order. Errors: journal_error.
  void insert();

  std::size_t size() const noexcept override { return waiting_.size(); }
  void show(std::size_t row, int column, sqlite3_context* to) const override;

private:
  struct place {
    std::string_view key;
    sqlite_place at;
    bool listed;
  };
  std::vector<place> waiting_;
  bool some_unlisted_ = false;
  sqlite_statement put_;
  sqlite_statement list_;
};

} // namespace troupe
