// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_places.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Reads journals from a SQLite file, over a connection of its own; statements are prepared when first used.
class sqlite_reader final : public journal_reader {
public:
  /// A look at a file that this process has open; `places` outlives the reader. `check` is called whenever a look has begun,
  /// and throws if it must not be shown.
  sqlite_reader(const std::string& path, const sqlite_places& places, const std::string& vfs,
                std::function<void()> check);
  /// A look at a file that another process may have open.
  explicit sqlite_reader(const std::string& path);

  /// Between these two all that is read of one journal is of one state. Nothing is locked.
  void begin();
  void end() { prepared(end_, "COMMIT").run(); }

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
  sqlite_place place_of(const std::string& key);
  std::optional<std::uint64_t> last_sequence(const std::string& key);
  std::uint64_t first_of_range(const std::string& key, std::uint64_t after, std::uint64_t last);
  std::vector<std::uint64_t> numbers_after(const std::string& key, std::uint64_t after, bool& complete);
  bool read_range(std::uint64_t first, std::uint64_t last, const std::function<bool(const record_row&)>& f);

  sqlite_connection connection_;
  sqlite_place_table table_{connection_};
  sqlite_places found_;                   // of a foreign file
  const sqlite_places* places_ = nullptr; // null: foreign, and nobody has asked yet
  const std::function<void()> check_;     // empty: foreign
  std::uint64_t generation_ = 0;          ///< Of `places_` before this look began.
  bool placed_ = false;                   // what was found last, by this look
  std::string placed_key_;
  sqlite_place place_;
  lazy begin_;
  lazy fix_;
  lazy end_;
  lazy head_;
  lazy step_event_;
  lazy step_snapshot_;
  lazy range_;
  lazy snapshots_;
  lazy events_;
  lazy handled_;
  lazy outbox_;
};

} // namespace troupe
