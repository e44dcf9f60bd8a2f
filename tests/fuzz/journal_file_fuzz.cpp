// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a file of journals: everything in it is read, or refused with a journal_error that names the file.
#include <troupe/journal/row_codec.hpp>
#include <troupe/journal/sqlite_reader.hpp>

#include "memory_file.hpp"

#include <cstdio>
#include <string_view>

namespace {

using fuzz::require;

/// A file of that content; one for the whole process, because SQLite wants a real directory beside it.
const std::string& file_of(const std::uint8_t* data, std::size_t size) {
  static const std::string path = [] {
    char folder[] = "/tmp/troupe-fuzz-XXXXXX";
    require(::mkdtemp(folder) != nullptr);
    static const std::string made = folder;
    std::atexit([] {
      for (const auto* end : {"/j.db", "/j.db-wal", "/j.db-shm", "/j.db-journal"})
        std::remove((made + end).c_str());
      ::rmdir(made.c_str());
    });
    return made + "/j.db";
  }();
  std::FILE* const f = std::fopen(path.c_str(), "wb");
  require(f != nullptr && (size == 0 || std::fwrite(data, 1, size, f) == size));
  std::fclose(f);
  return path;
}

void read_all(const std::string& path) {
  troupe::sqlite_reader reader{path};
  reader.begin();
  (void)reader.damage();
  (void)reader.unsettled();
  (void)reader.summaries("");
  for (const auto& key : reader.keys("")) {
    if (const auto head = reader.head(key))
      (void)troupe::fault_of(key, *head);
    const auto look = [&](const auto& row) {
      (void)troupe::fault_of(key, row);
      return true;
    };
    reader.snapshots(key, look);
    reader.events(key, 0, look);
    reader.handled(key, look);
    reader.outbox(key, look);
  }
  reader.end();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = file_of(data, size);
  try {
    read_all(path);
  } catch (const troupe::journal_error& e) {
    require(std::string_view{e.what()}.find(path) != std::string_view::npos);
  }
  return 0;
}
