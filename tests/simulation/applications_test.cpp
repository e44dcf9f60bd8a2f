// SPDX-License-Identifier: BSD-3-Clause
// Claim: whole applications hold what they promise whatever the order and the faults. Observed: a few seeds of each; many
// more with `./dev simulate`. Seeds that have found something are kept here.
#include "programs/programs.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace {

void stands(simulated::application a, std::uint64_t seeds) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  seeds = seeds / 10 + 1;
#endif
  a.options.seeds = seeds;
  const auto e = troupe::explore(a.options, a.run);
  CHECK_MESSAGE(!e.found, (e.found ? e.found->text() : std::string{}));
  MESSAGE(a.options.name << ": " << e.text());
}

} // namespace

TEST_CASE("applications: random supervision trees stand 150 seeds") { stands(simulated::supervision_tree(), 150); }

TEST_CASE("applications: journaled accounts stand 150 seeds with crashes of the process") {
  stands(simulated::journaled_accounts(), 150);
}

TEST_CASE("applications: durable actors on a failing disk stand 40 seeds with crashes of the process") {
  stands(simulated::durable_shop(), 40);
}

TEST_CASE("applications: durable actors on a disk that rots misread nothing in 20 seeds") {
  stands(simulated::rotting_shop(), 20);
}

TEST_CASE("applications: a pipeline of keyed windows stands 60 seeds") { stands(simulated::windowed_pipeline(), 60); }

TEST_CASE("applications: the marketplace stands 15 seeds") { stands(simulated::marketplace(), 15); }

TEST_CASE("applications: the replay by line stands 30 seeds") { stands(simulated::replay_by_line(), 30); }

TEST_CASE("applications: the replay by order stands 30 seeds") { stands(simulated::replay_by_order(), 30); }
