// SPDX-License-Identifier: BSD-3-Clause
// Claim: whole applications hold what they promise whatever the order and the faults. Observed: a few seeds of each; many
// more with `./dev simulate`. Seeds that have found something are kept here.
#include "programs/programs.hpp"

#include <doctest/doctest.h>

#include <chrono>
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

TEST_CASE("applications: a pipeline of keyed windows stands 60 seeds") { stands(simulated::windowed_pipeline(), 60); }

TEST_CASE("applications: the marketplace stands 15 seeds") { stands(simulated::marketplace(), 15); }

TEST_CASE("applications: the replay by line stands 30 seeds") { stands(simulated::replay_by_line(), 30); }

TEST_CASE("applications: the replay by order stands 30 seeds") { stands(simulated::replay_by_order(), 30); }

// Found by seed 23194: the change to a write-ahead log was not committed, and nobody had looked; the file then did without,
// and a crash of the process undid a sale that was acknowledged.
TEST_CASE("applications: a durable shop keeps its sales though its disk fails while the file is made") {
  troupe::simulation_options o;
  o.faults.slow_by = std::chrono::milliseconds{80};
  o.replay = troupe::parse_schedule("23194/d2.4=1/d2.16=1");
  troupe::simulation sim{o};
  simulated::durable_shop().run(sim);
  CHECK(sim.outcomes().at("books").starts_with("entered 1x1 2x1"));
}
