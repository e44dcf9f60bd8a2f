// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sales_answers.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace order_simulation {

struct invariant;

/// What the analytics of a run have come to.
struct sales_report {
  std::shared_ptr<const sales_terms> terms;
  sales_answers answers; ///< Those that were there live, at the end.
  bounded_top hot{sales_table::counters};
  std::uint64_t given = 0;    ///< Events that were given to the pipeline,
  std::uint64_t taken = 0;    ///< and that it has acknowledged.
  std::uint64_t lost = 0;     ///< Refused by it: always 0, or the answers are wrong.
  std::uint64_t failures = 0; ///< Of the pipeline's actors, each repaired.
};

/// That the live answers are those of `batch`, recomputed from the record of the run, one invariant for each answer.
void append_sales_invariants(std::vector<invariant>& to, const sales_report& live, const sales_answers& batch);

/// For a person: titles, each with its lines.
struct text_section {
  std::string title;
  std::vector<std::string> lines;
};
std::vector<text_section> to_text(const sales_report& r);

/// The part `analytics` of the JSON report. Amounts are integers of the smallest unit. Keys: money_decimals, events, revenue,
/// by_country_and_period, top_products, bounded_memory_top, order_rate, dashboards.
nlohmann::ordered_json to_json(const sales_report& r);

} // namespace order_simulation
