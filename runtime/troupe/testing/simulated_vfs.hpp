// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/testing/simulated_disk.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

struct sqlite3_vfs;

namespace troupe::detail {

/// Lets SQLite keep its files on a simulated disk, from one crash of it to the next: after that, nothing that SQLite still
/// wants to do reaches a file.
///
/// Must outlive the connections that use it. Threads: the simulation's.
class simulated_vfs {
public:
  /// Registers itself with SQLite; `disk` outlives this.
  explicit simulated_vfs(simulated_disk& disk);
  ~simulated_vfs();
  simulated_vfs(const simulated_vfs&) = delete;
  simulated_vfs& operator=(const simulated_vfs&) = delete;

  /// For `sqlite_options::vfs`.
  const std::string& name() const noexcept { return name_; }

private:
  struct operations;
  struct shared_file;
  struct handle;

  simulated_disk& disk_;
  const std::uint64_t boot_; // the disk's crashes when this was made
  const std::string name_;
  const std::unique_ptr<sqlite3_vfs> registered_;
  std::map<std::string, std::weak_ptr<shared_file>> shared_; // by path
  std::uint64_t temporary_files_ = 0;
  int last_error_ = 0; // errno of the last operation that failed
};

} // namespace troupe::detail
