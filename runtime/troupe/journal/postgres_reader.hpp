// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/postgres_connection.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Reads journals from a PostgreSQL server, over a connection of its own, to which the server's limits do not apply.
class postgres_reader final : public journal_reader {
public:
  explicit postgres_reader(const std::string& url,
                           std::chrono::milliseconds silence = postgres_connection::default_silence);

  /// Between these two all reading sees one state. Nothing is locked.
  void begin() { connection_.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); }
  void end() { connection_.execute("COMMIT"); }

  std::optional<journal_head> head(const std::string& key) override;
  void snapshots(const std::string& key, const std::function<bool(const record_row&)>& f) override;
  void events(const std::string& key, std::uint64_t after, const std::function<bool(const record_row&)>& f) override;
  void handled(const std::string& key, const std::function<bool(const handled_row&)>& f) override;
  void outbox(const std::string& key, const std::function<bool(const outbox_row&)>& f) override;
  std::vector<std::string> keys(std::string_view prefix) override;
  std::vector<owing_journal> unsettled() override;
  std::vector<journal_summary> summaries(std::string_view prefix) override;
  std::vector<std::string> damage() override;

  postgres_connection& connection() noexcept { return connection_; }

private:
  postgres_connection connection_;
};

} // namespace troupe
