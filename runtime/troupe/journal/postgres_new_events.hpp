// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_connection.hpp>
#include <troupe/journal/rows.hpp>

#include <string_view>

namespace troupe {

/// Events on their way to a PostgreSQL server. All of a transaction go into `events` with one statement, which reads them
/// from arrays, a column each: a statement for each event costs the server several times as much.
///
/// Threads: one at a time, the writer.
class postgres_new_events {
public:
  explicit postgres_new_events(postgres_connection& c);
  postgres_new_events(const postgres_new_events&) = delete;
  postgres_new_events& operator=(const postgres_new_events&) = delete;

  /// In a pipeline. Sends earlier ones if there are many, so that the arrays stay small.
  void add(std::string_view key, const record_row& e);
  /// Sends those that were added. What looks at events or drops some must come after.
  void send();

private:
  postgres_connection& connection_;
  postgres_array journals_{postgres_array::type::text};
  postgres_array sequences_{postgres_array::type::bigint};
  postgres_array times_{postgres_array::type::bigint};
  postgres_array types_{postgres_array::type::text};
  postgres_array versions_{postgres_array::type::integer};
  postgres_array data_{postgres_array::type::json};
  postgres_array checksums_{postgres_array::type::bigint};
};

} // namespace troupe
