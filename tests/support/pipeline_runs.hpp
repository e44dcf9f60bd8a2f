// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/pipeline.hpp>
#include <troupe/testing/fault_injector.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>

namespace support {

/// A stepped system's options, in which handlings fail with probability `rate`.
inline troupe::system_options failing(std::uint64_t seed, double rate) {
  auto o = stepped(seed);
  if (rate > 0)
    o.faults = std::make_shared<troupe::fault_injector>(rate, seed);
  return o;
}

/// Runs a pipeline of a stepped system to its end. Restarts may wait for a millisecond.
inline troupe::result<void> run(troupe::system& sys, const troupe::pipeline::running& r) {
  for (int i = 0; i < 100'000 && !r.outcome(); ++i) {
    sys.run_until_idle(10'000'000);
    if (!r.outcome())
      sys.advance(std::chrono::milliseconds{1});
  }
  sys.run_until_idle();
  REQUIRE(r.outcome().has_value());
  return *r.outcome();
}

} // namespace support
