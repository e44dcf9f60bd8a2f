// SPDX-License-Identifier: BSD-3-Clause
#include "invariants.hpp"

#include <fmt/format.h>

namespace text {

std::string invariant_lines(const std::vector<invariant>& all, bool color) {
  std::string lines;
  for (const auto& i : all)
    lines += fmt::format("{}{:<8}{} {}\n",
                         !color    ? ""
                         : i.holds ? "\033[32m"
                                   : "\033[1;31m",
                         i.holds ? "holds" : "BROKEN", color ? "\033[0m" : "", i.what);
  return lines;
}

} // namespace text
