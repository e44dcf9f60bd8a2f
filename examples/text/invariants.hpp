// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace text {

/// Something that a run was to keep to, and whether it has.
struct invariant {
  std::string what;
  bool holds;
};

/// One line for each, terminated.
std::string invariant_lines(const std::vector<invariant>& all, bool color);

} // namespace text
