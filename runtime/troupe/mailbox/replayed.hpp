// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace troupe::detail {

/// The bit in `envelope::mark` of a message that was in the quarantine.
inline constexpr std::uint32_t replayed_mark = 2;

} // namespace troupe::detail
