// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "support/temporary_directory.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace support {

/// A private PostgreSQL server in a temporary directory, reached over a socket there and over nothing else. It ends with
/// this object, or with the process. Under root it runs as the user `postgres`, or `nobody`, because it refuses root.
class postgres_server {
public:
  /// Where the server's programs are: $TROUPE_POSTGRES_BIN, Debian's place, or beside the first `postgres` in the path.
  static std::optional<std::string> programs();

  /// `synced`: as installed; otherwise without fsync, for tests that are not about power failures.
  explicit postgres_server(bool synced = false);
  ~postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  /// The address of a schema of its own, made if it is not there.
  std::string url(const std::string& schema) const;
  /// The path of its socket.
  std::string socket() const;
  /// Ends it without warning, as a power failure would.
  void crash();
  void start();
  /// Crashes it, copies what it has on the disk, and starts it.
  void back_up();
  /// Crashes it and starts from that copy in its place, as a standby that has followed so far and takes over.
  void fail_over();

  /// One for the whole program; it takes a second to make. Where none is installed the program ends here, and says so.
  static postgres_server& only();

private:
  int run(const std::vector<std::string>& command) const;

  const std::string programs_;
  const bool synced_;
  temporary_directory directory_;
  pid_t process_ = 0;
};

} // namespace support
