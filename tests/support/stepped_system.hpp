// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <cstdint>
#include <memory>

namespace support {

/// Options of a deterministic system: no threads, a clock that stands still, everything random from one seed.
inline troupe::system_options stepped(std::uint64_t seed = 0) {
  return {.through = {.clock = std::make_shared<troupe::manual_clock>(), .random = troupe::seeded_random(seed + 1)},
          .stepped = seed};
}

/// Child options with one thing changed, without a warning about the others.
inline troupe::child_options with_mailbox(std::size_t capacity, troupe::overflow_policy overflow = troupe::reject) {
  troupe::child_options o;
  o.mailbox.capacity = capacity;
  o.mailbox.overflow = overflow;
  return o;
}

} // namespace support
