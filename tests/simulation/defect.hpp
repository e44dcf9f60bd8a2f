// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/testing/explore.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace support {

/// Supervision that outlasts any number of injected failures.
inline troupe::supervisor_options patient(troupe::strategy how = troupe::one_for_one) {
  return {.strategy = how,
          .intensity = troupe::unlimited,
          .group_intensity = troupe::unlimited,
          .backoff = {.min = std::chrono::milliseconds{1}, .max = std::chrono::milliseconds{2}}};
}

/// Checks that the program with the defect is found out by the rule within so many seeds, that the finding can be run
/// again from its smallest schedule, and that the same program without the defect stands all seeds.
inline void finds(troupe::exploration_options o, const std::string& rule, std::uint64_t within,
                  const troupe::simulated_program& broken, const troupe::simulated_program& sound) {
  o.seeds = within;
  const auto bad = troupe::explore(o, broken);
  REQUIRE_MESSAGE(bad.found, o.name << ": not found within " << within << " seeds, " << bad.text());
  const auto& f = *bad.found;
  CHECK_MESSAGE(f.rule == rule, f.text());
  CHECK(f.smallest.choices.size() <= f.choices);
  MESSAGE(o.name << ": " << f.rule << ", seed " << f.seed << ", " << f.choices << " choices, "
                 << f.smallest.choices.size() << " are enough");
  troupe::simulation_options again;
  again.faults.slow_by = o.faults.slow_by;
  again.faults.link_delay_by = o.faults.link_delay_by;
  again.faults.link_down_for = o.faults.link_down_for;
  again.run_for = o.run_for;
  again.replay = f.smallest;
  troupe::simulation sim{again};
  CHECK_THROWS_AS(broken(sim), troupe::violation);

  o.seeds = 2 * within;
  const auto good = troupe::explore(o, sound);
  CHECK_MESSAGE(!good.found, (good.found ? good.found->text() : std::string{}));
}

} // namespace support
