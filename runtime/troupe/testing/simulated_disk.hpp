// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// A file of a simulated disk that is read and written in any place, as a database does.
class simulated_file : public file {
public:
  /// Where the next read or write begins.
  virtual void seek(std::uint64_t to) = 0;
};

/// Files in memory that behave at a crash as a disk does.
///
/// What was synced stays. Of what was written after that, a beginning stays: a whole number of sectors of 512 bytes in
/// the order of writing, the last of them perhaps torn; and lengths as they were then. Names that were created, renamed
/// or removed since their directory was synced: the first few of these changes stay, in their order, as on a journaling
/// file system. After a failed sync what was not kept counts as clean: a second sync succeeds and keeps nothing of it,
/// as on Linux.
///
/// The disk itself draws no random numbers: it asks `chance` (see `faults`).
/// Threads: the simulation's.
class simulated_disk final : public file_system {
public:
  /// Where the disk asks how things go. By default all go well, and at a crash nothing stays that was not synced.
  struct chance {
    std::function<bool()> write_fails = [] { return false; };
    std::function<bool()> sync_fails = [] { return false; };
    std::function<bool()> read_rots = [] { return false; };
    /// Any number below its argument, which is above 0.
    std::function<std::uint64_t(std::uint64_t below)> draw = [](std::uint64_t) { return std::uint64_t{0}; };
  };

  simulated_disk();
  ~simulated_disk() override;

  void faults(chance c) { chance_ = std::move(c); }

  std::unique_ptr<file> open(const std::string& path, open_mode mode) override;
  /// Made if it does not exist; its content stays.
  std::unique_ptr<simulated_file> open_in_place(const std::string& path);
  void rename(const std::string& from, const std::string& to) override;
  bool remove(const std::string& path) override;
  bool exists(const std::string& path) override;
  std::vector<std::string> list(const std::string& directory) override;
  void create_directories(const std::string& directory) override;
  void sync_directory(const std::string& directory) override;

  /// The power fails. Files that are open stay usable, and lead nowhere.
  void crash();
  /// How often that has happened.
  std::uint64_t crashes() const noexcept { return crashes_; }

  /// The bytes of a file as a program would read them. Throws as `open`.
  std::string content(const std::string& path) const;
  /// Makes a file with this content, synced with its name.
  void put(const std::string& path, const std::string& content);

  /// The directory that a path lies in.
  static std::string parent_of(const std::string& path);

private:
  class handle;
  struct inode;
  using names = std::map<std::string, std::shared_ptr<inode>>; // by path; sorted, so that a run can be repeated

  struct change { // to the names of a directory, not synced
    std::string path;
    std::shared_ptr<inode> now; // null: removed
    std::uint64_t operation;    // a rename is two changes that go together
  };

  static std::string plain(const std::string& path);
  void change_name(const std::string& path, std::shared_ptr<inode> now);
  std::shared_ptr<inode> find(const std::string& path, const char* operation) const;
  void require_directory(const std::string& path, const char* operation) const;
  std::shared_ptr<inode> find_or_make(const std::string& path);

  chance chance_;
  names live_;                  // as programs see it
  names durable_;               // as it is after a crash, with the first of `pending_`
  std::vector<change> pending_; // oldest first
  std::uint64_t operations_ = 0;
  std::uint64_t crashes_ = 0;
};

} // namespace troupe
