// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace troupe::detail {

/// The bit in `envelope::mark` of a message that was in the quarantine. 1 is a parcel, 2 a simulation's.
inline constexpr std::uint32_t replayed_mark = 4;

} // namespace troupe::detail
