// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/sqlite_connection.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Reads journals from a SQLite file, over a connection of its own; statements are prepared when first used.
class sqlite_reader final : public journal_reader {
public:
  sqlite_reader(const std::string& path, sqlite_connection::mode m, const std::string& vfs = {});

  /// Between these two all reading sees one state. Nothing is locked.
  void begin() { connection_.execute("BEGIN"); }
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

  sqlite_connection& connection() noexcept { return connection_; }

private:
  using lazy = std::optional<sqlite_statement>;
  sqlite_statement& prepared(lazy& s, const char* sql);

  sqlite_connection connection_;
  lazy head_;
  lazy snapshots_;
  lazy events_;
  lazy handled_;
  lazy outbox_;
};

} // namespace troupe
