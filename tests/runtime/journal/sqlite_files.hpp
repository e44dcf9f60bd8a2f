// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include "support/thrown_text.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

/// What tests do to the files of a SQLite store behind its back, and what they hear of it.
namespace notes {

/// On the thread of who appends.
inline troupe::sqlite_options alone(std::uint64_t place_every = 512 * 1024) {
  troupe::sqlite_options o;
  o.place_every = place_every;
  o.threads = nullptr;
  return o;
}

inline void execute(const std::string& path, const std::string& sql) {
  troupe::sqlite_connection c{path, troupe::sqlite_connection::mode::write};
  c.execute(sql.c_str());
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

/// As a kill would leave `path` now, under the name `copy`.
inline void copy_as_killed(const std::string& path, const std::string& copy) {
  write_bytes(copy, bytes_of(path));
  write_bytes(copy + "-wal", bytes_of(path + "-wal"));
}

using support::message_of;
using support::says;

} // namespace notes
