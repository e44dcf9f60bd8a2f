// SPDX-License-Identifier: BSD-3-Clause
#include "recorded_runs.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sqlite3.h>
#include <stdexcept>

namespace simulated {

namespace {

constexpr std::uint64_t seeds = 10;

/// What equal runs depend on, beside the code.
std::string tools() {
#ifdef __clang__
  return fmt::format("# clang++ {}, SQLite {}", __clang_major__, ::sqlite3_libversion());
#else
  return fmt::format("# g++ {}, SQLite {}", __GNUC__, ::sqlite3_libversion());
#endif
}

/// A line for each application and seed: the hash covers one run of the seed, and one without faults.
std::vector<std::string> lines_of(const std::vector<application>& all) {
  std::vector<std::string> lines{tools()};
  for (const auto& a : all)
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      auto options = a.options;
      options.first_seed = seed;
      options.seeds = 1;
      options.repeat_every = 0;
      const auto e = troupe::explore(options, a.run);
      lines.push_back(fmt::format("{} {} {:016x}", a.options.name, seed, e.hash));
    }
  return lines;
}

} // namespace

void record_runs(const std::vector<application>& all, const std::string& path) {
  std::ofstream file{path};
  for (const auto& line : lines_of(all))
    file << line << '\n';
  if (!file.flush())
    throw std::runtime_error{path + " cannot be written"};
}

int compare_runs(const std::vector<application>& all, const std::string& path) {
  std::ifstream file{path};
  std::string recorded;
  if (!std::getline(file, recorded))
    throw std::runtime_error{path + " cannot be read"};
  if (recorded != tools()) {
    fmt::print("SKIPPED: {} was recorded with {}, and this is {}\n", path, recorded.substr(2), tools().substr(2));
    return 77;
  }
  std::size_t others = 0;
  const auto lines = lines_of(all);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    recorded.clear();
    std::getline(file, recorded);
    if (recorded != lines[i] && ++others <= 20)
      fmt::print("recorded: {:<36} here: {}\n", recorded, lines[i]);
  }
  if (others == 0) {
    fmt::print("{} runs are as recorded\n", lines.size() - 1);
    return 0;
  }
  fmt::print(
      "{} of {} runs are not as recorded. If the applications or the runtime's messages have changed since, that is\n"
      "as it must be: ./dev simulate --record. If not, this build differs from the one that recorded them:\n"
      "something depends on addresses, on the order of evaluation, or on a value that nobody has set.\n",
      others, lines.size() - 1);
  return 1;
}

} // namespace simulated
