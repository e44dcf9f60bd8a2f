// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bench/support/measurement.hpp"
#include "bench/support/row_table.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <string>

namespace bench {

/// Rows about the marketplace of the order simulation, which is run as its users run it. There are none if the examples
/// have not been built.
#ifdef BENCH_ORDER_SIMULATION
inline constexpr bool has_marketplace = true;
#else
inline constexpr bool has_marketplace = false;
#define BENCH_ORDER_SIMULATION ""
#endif

/// Time for a transaction with this journal. The check is that all invariants hold. Writes to `folder`.
inline void run_marketplace(const run_size& size, const std::string& journal, const std::string& folder) {
  const auto report = folder + "/report.json";
  const auto said = "'" + folder + "/said'";
  const auto command = "'" BENCH_ORDER_SIMULATION "' --quiet --transactions " + std::to_string(size.n) + " --workers " +
                       std::to_string(size.workers) + " --journal '" + journal + "' --report '" + report + "' > " +
                       said + " 2>&1 || { cat " + said + " >&2; false; }";
  const bool holds = std::system(command.c_str()) == 0; // NOLINT(concurrency-mt-unsafe): one thread
  double per_second = 0;
  if (holds)
    per_second = nlohmann::json::parse(std::ifstream{report}).at("throughput").at("transactions_per_s").get<double>();
  print_figure("marketplace", "ns", per_second > 0 ? 1e9 / per_second : 0,
               holds ? static_cast<std::int64_t>(size.n) : -1);
}

} // namespace bench
