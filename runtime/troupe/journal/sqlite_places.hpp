// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journal_write.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_new_places.hpp>
#include <troupe/journal/sqlite_place_table.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// The places of all journals. Rows are added at the end of their tables, whichever journals they belong to, so that a
/// commit of many journals' rows touches few pages; the table `places`, by which a journal is found, is written much later,
/// once for many rows of a journal and in the order of its keys, and so is the row in `journals` of one that has sent nothing. Until then the places that
/// have moved are known here, and to who opens the file after a kill by a look at the rows that were added since. A journal
/// that begins without rows has its place (0, 0) in the table from the start, as nothing else would tell of it.
///
/// A look at the file and a place that is found here are of different moments. The place may be the newer one: then it names
/// a row that the look does not hold, and all rows are looked at. It must not be older, which would hide rows. So the writer
///
///   1. notes:     `change` and `forget`; only the writer knows,
///   2. shows:     `publish`, before the commit; where there is no row any more, the last one is named still, which goes with
///                 the commit,
///   3. commits,
///   4. clears:    `committed`; what has no row any more, is erased or stands in the table leaves the memory, and
///                 with it, under the same lock, the generation goes up. Or, if the commit has failed,
///   4. withdraws: `withdraw`; all is as it was before 2,
///
/// and who looks
///
///   a. reads the generation,
///   b. begins to read, and reads something: from then on the look is fixed,
///   c. finds the place,
///   d. compares the generation, and begins anew if it is another one.
///
/// What a look holds was committed before b, and so was shown before c. What c does not find any more was cleared after its
/// commit: before a, and the look holds that commit, or else d sees it.
///
/// Threads: `find` and `generation` any; all else the writer, or the one owner of a look at a foreign file.
class sqlite_places {
public:
  /// `rows_between`: added rows after which `places` begins to be written.
  explicit sqlite_places(std::uint64_t rows_between = 0) : rows_between_{rows_between} {}

  /// Takes in the rows that are not in `places` yet.
  void load(sqlite_connection& c);

  /// If it has moved since `places` was written.
  std::optional<sqlite_place> find(const std::string& key) const;
  /// The writer's way to a place: `f` is called with it, as it is now, and may move it. `fresh`: the journal holds
  /// nothing yet. `known`: where places are found that nobody has in mind.
  template <class F>
  void change(std::string_view key, open_journal& open, bool fresh, sqlite_place_table& known, F&& f) {
    if (open.entry == nullptr || open.entries_count != count_) {
      open.entry = &entry_of(std::string{key}, open, fresh, known).at;
      open.entries_count = count_;
    }
    f(open.at);
    changed_.push_back({open.entry, open.at});
  }
  /// After a change that has left nothing: the journal is gone, and so is its row in `places`.
  void forget(std::string_view key);
  /// Has the place of a journal that is changed, but not moved, in mind, so that one that is in no table, which an earlier
  /// version may have left, is searched once.
  void settle(std::string_view key, open_journal& open, sqlite_place_table& known);
  /// Number for the next row, the same count for both tables.
  std::uint64_t next_number() { return ++last_; }

  void publish();
  /// Once there are enough rows: writes some of the places down, more with each row that is added, so that all stand in the
  /// table when there are half as many rows more, those included that a process has added which was killed. In a
  /// transaction.
  void write_down(sqlite_connection& c);
  /// All of it: nothing is changed after that.
  void write_down_all(sqlite_connection& c);
  /// Also after `load`, for who writes: there may be enough rows.
  void committed();
  void withdraw();
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

private:
  struct entry {
    sqlite_place at; ///< As it is shown.
    // -- the writer's --
    bool listed = false; ///< It has its row in `journals`, or will before this is written down.
    bool gone = false;   ///< Erased: not to be written down.
  };
  /// An entry of moved_, and what it is to show; once that is shown, what it has shown before.
  struct move {
    sqlite_place* shown;
    sqlite_place other;
  };
  static constexpr std::size_t few = 64; // places that are not worth a page of the table yet
  using map = std::unordered_map<std::string, entry>;
  entry& entry_of(const std::string& key, open_journal& open, bool fresh, sqlite_place_table& known);
  entry& entry_of(const std::string& key, sqlite_place_table& known);
  entry& added(const std::string& key, const entry& e);
  sqlite_place exact(const entry& e) const;
  void end(sqlite_place* shown, sqlite_place& next);
  void begin_writing();
  void sort_to(std::size_t end);
  void write_some(sqlite_connection& c, std::size_t n);

  const std::uint64_t rows_between_;

  // -- guarded by mutex_: written by the writer only --
  mutable std::mutex mutex_; // leaf lock
  map moved_;
  map leaving_; // being written down

  // -- the writer --
  std::uint64_t count_ = 1;            // another one when entries of moved_ have left it
  std::vector<move> changed_;          // by the transaction
  std::size_t shown_ = 0;              // of changed_
  std::vector<move> ended_;            // entries that name rows still, and these rows, which go with the commit
  std::vector<std::string> forgotten_; // by the transaction
  std::uint64_t last_ = 0;
  std::uint64_t moved_from_ = 0; // rows up to this number are in `places`, or in leaving_
  std::uint64_t leaving_to_ = 0;
  std::uint64_t pace_ = 0;                    // rows from there on while which leaving_ is written down
  std::vector<const map::value_type*> order_; // of leaving_
  std::vector<std::size_t>
      bounds_;              // in order_: what stands before one is less than what stands behind it; the first last
  std::size_t sorted_ = 0;  // of order_, by key
  std::size_t written_ = 0; // of order_
  map spent_;               // was leaving_
  std::optional<sqlite_new_places> rows_;

  std::atomic<std::uint64_t> generation_{0}; // release by the writer, with mutex_ held; acquire by readers
};

} // namespace troupe
