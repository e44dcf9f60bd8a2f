// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/sqlite_connection.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Finds places in the file: in the table `places`, or, if a journal that is listed has no good row there, among all rows.
class sqlite_place_table {
public:
  explicit sqlite_place_table(sqlite_connection& c) : connection_{c} {}
  sqlite_place find(std::string_view key);
  /// From the table only: nothing if there is no good row in it.
  std::optional<sqlite_place> written(std::string_view key);
  /// Whether it has its row in `journals`.
  bool listed(std::string_view key);
  /// Looks at every row.
  sqlite_place search(std::string_view key);

private:
  sqlite_connection& connection_;
  std::optional<sqlite_statement> row_;
  std::optional<sqlite_statement> listed_;
};

/// The places of all journals. Rows are added at the end of their tables, whichever journals they belong to, so that a
/// commit of many journals' rows touches few pages; the table `places`, by which a journal is found, is written much later
/// and then for many rows at once, and so is the row in `journals` of one that has sent nothing. Until then the places that
/// have moved are known here, and to who opens the file after a kill by a look at the rows that were added since.
///
/// Threads: `find` any; all else the writer, or the one owner of a look at a foreign file.
class sqlite_places {
public:
  /// `rows_between`: added rows after which `places` is written.
  explicit sqlite_places(std::uint64_t rows_between = 0) : rows_between_{rows_between} {}

  /// Takes in the rows that are not in `places` yet.
  void load(sqlite_connection& c);

  /// If it has moved since `places` was written.
  std::optional<sqlite_place> find(const std::string& key) const;
  /// The writer's way to a place: `f` is called with it, as it is now, and may move it, which readers see after `publish`.
  /// `fresh`: the journal has no rows yet. `known`: where places are found that nobody has in mind.
  template <class F>
  void change(std::string_view key, open_journal& open, bool fresh, sqlite_place_table& known, F&& f) {
    if (open.entry == nullptr || open.entries_count != count_) {
      open.entry = &entry_of(std::string{key}, open, fresh, known).at;
      open.entries_count = count_;
    }
    f(open.at);
    changed_.emplace_back(open.entry, open.at);
  }
  /// Shows readers what `change` has moved. Before `write_down` and `forget`.
  void publish();
  /// The journal has no rows any more, nor one in `places`.
  void forget(std::string_view key);
  /// Number for the next row, the same count for both tables.
  std::uint64_t next_number() { return ++last_; }

  /// Writes down some of what has moved if there is enough, all of it if `all`. In a transaction of the caller's, who calls
  /// `committed` after it.
  void write_down(sqlite_connection& c, bool all);
  void committed();
  /// Goes up when `find` forgets what has come into `places`: who has begun to read before does not see that yet.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

private:
  struct entry {
    sqlite_place at;
    bool listed = false; ///< It has its row in `journals`, or will before this is written down.
  };
  using map = std::unordered_map<std::string, entry>;
  entry& entry_of(const std::string& key, open_journal& open, bool fresh, sqlite_place_table& known);
  entry& entry_of(const std::string& key, sqlite_place_table& known);
  entry& added(const std::string& key, const entry& e);
  void begin_writing();
  void write_some(sqlite_connection& c, std::size_t n);

  const std::uint64_t rows_between_;

  // -- guarded by mutex_: written by the writer only --
  mutable std::mutex mutex_; // leaf lock
  map moved_;
  map leaving_; // being written down

  // -- the writer --
  std::uint64_t count_ = 1;                                     // another one when entries of moved_ have left it
  std::vector<std::pair<sqlite_place*, sqlite_place>> changed_; // entries of moved_, and what they are to become
  std::uint64_t last_ = 0;
  std::uint64_t moved_from_ = 0; // rows up to this number are in `places`, or in leaving_
  std::uint64_t leaving_to_ = 0;
  std::vector<const map::value_type*> order_; // of leaving_, by key
  std::size_t written_ = 0;                   // of order_
  std::optional<sqlite_statement> put_;
  std::optional<sqlite_statement> list_;

  std::atomic<std::uint64_t> generation_{0}; // release by the writer, after the commit; acquire by readers
};

} // namespace troupe
