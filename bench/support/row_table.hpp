// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

namespace bench {

/// How large a run is. All peers get the same numbers from the driver.
struct run_size {
  std::uint64_t n;  ///< operations, as the row counts them
  unsigned workers; ///< threads that run actors
};

using row_function = void (*)(const run_size&);
using row_table = std::map<std::string, row_function>;

/// `PROGRAM ROW N WORKERS`: runs one row once and prints its figures.
inline int run_row(int argc, char** argv, const row_table& rows) {
  if (argc == 2 && std::strcmp(argv[1], "--rows") == 0) {
    for (const auto& [name, run] : rows)
      std::puts(name.c_str());
    return 0;
  }
  run_size size{};
  const auto number = [](const char* text, auto& out) {
    const auto* end = text + std::strlen(text);
    return std::from_chars(text, end, out).ptr == end;
  };
  if (argc != 4 || !number(argv[2], size.n) || !number(argv[3], size.workers)) {
    std::fprintf(stderr, "usage: %s --rows | ROW N WORKERS\n", argv[0]);
    return 2;
  }
  const auto row = rows.find(argv[1]);
  if (row == rows.end()) {
    std::fprintf(stderr, "no row '%s'\n", argv[1]);
    return 2;
  }
  row->second(size);
  return 0;
}

} // namespace bench
