// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace troupe {

/// A path that one process at a time may use. The lock is the kernel's (flock) on a file beside the path, so it ends with
/// the process however that ends; the file stays, and holds the number of the last holder's process.
///
/// Not for file systems that several machines share. Threads: one at a time.
class path_lock {
public:
  /// Throws journal_error naming the path and the process that holds it, or why the file cannot be locked.
  explicit path_lock(const std::string& path);
  ~path_lock();
  path_lock(const path_lock&) = delete;
  path_lock& operator=(const path_lock&) = delete;

private:
  int descriptor_;
};

} // namespace troupe
