// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "csv.hpp"

#include <optional>
#include <string_view>

namespace text {

/// How fast a recording is replayed: `max` is 0, as fast as possible; otherwise a multiple, above 0, of its own pace.
/// Nothing if `text` is neither.
inline std::optional<double> parse_speed(std::string_view text) {
  if (text == "max")
    return 0.0;
  const auto speed = parse_number(text);
  return speed && *speed > 0 ? speed : std::nullopt;
}

} // namespace text
