// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

namespace troupe::detail {

/// An ask that nobody has answered yet. Actors by id.
struct pending_ask {
  std::uint64_t asker = 0;
  std::uint64_t asked = 0;
  bool asker_blocked = false; ///< It handles nothing else while it waits.
  bool expires = false;       ///< Now, unanswered.
};

/// The actors of a circle of asks to which one that expires belongs, beginning with its asker, if one of them is blocked:
/// then that is why nobody has answered. Empty if there is none. The same for the same asks, in whatever order.
std::vector<std::uint64_t> ask_circle(std::vector<pending_ask> asks);

} // namespace troupe::detail
