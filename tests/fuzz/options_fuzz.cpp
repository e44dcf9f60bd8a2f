// SPDX-License-Identifier: BSD-3-Clause
// Any bytes, split at line ends, as a command line: a run, or something to print and an exit status that says so.
#include "order_simulation/options.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> arguments{"order_simulation"};
  std::string next;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n')
      arguments.push_back(std::exchange(next, {}));
    else if (data[i] != 0)
      next += static_cast<char>(data[i]);
  }
  std::vector<const char*> argv;
  for (const auto& a : arguments)
    argv.push_back(a.c_str());
  const auto c = order_simulation::parse_command_line(static_cast<int>(argv.size()), argv.data());
  if (c.run)
    require(c.run->crash_rate >= 0 && c.run->crash_rate < 1 && c.run->concurrency > 0 &&
            c.run->products == c.run->sellers * order_simulation::products_per_seller);
  else if (c.exit_status == 0)
    require(!c.output.empty() && c.error.empty());
  else
    require(c.exit_status == 2 && c.error.find('\n') == c.error.size() - 1);
  return 0;
}
