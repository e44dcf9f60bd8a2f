// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bench/nexmark/event_log.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace support {

/// Nexmark's events in the tables bid, auction and person of a database in memory, and the queries as their definitions say
/// them in SQL: the independent answer. Throws std::runtime_error with SQLite's message.
class sql_oracle {
public:
  explicit sql_oracle(std::span<const nexmark::event> in_order);
  ~sql_oracle();

  /// The rows of that query's answer, sorted.
  std::vector<std::string> answer(std::string_view query) const;

private:
  void run(const char* sql) const;
  sqlite3* db_ = nullptr;
};

} // namespace support
