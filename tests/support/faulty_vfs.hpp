// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace support {

/// A SQLite VFS that stands before the default one and fails when told to. One for the whole program, registered when first
/// named. Threads: any; what fails is set while nothing is written.
struct faulty_vfs {
  enum class fault : unsigned char {
    none,
    write,       ///< An input/output error.
    short_write, ///< Half of the bytes are written, then an input/output error.
    full,        ///< No space left on the device.
    sync,        ///< A sync fails; the pages may or may not be on the disk.
    index,       ///< No room for more of the log's index.
  };

  /// For sqlite_options::vfs.
  static const std::string& name();
  /// The `nth` operation of that kind from now on fails, 1: the next, and no other. Only files whose names end with
  /// `suffix` count.
  static void fail(fault f, int nth, const std::string& suffix = {});
  /// Whether what was set has happened.
  static bool has_failed();
};

} // namespace support
