// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include "sales_answers.hpp"
#include "sales_terms.hpp"

#include <optional>
#include <string>
#include <vector>

namespace order_simulation {

/// The analytics as lines of the live view.
///
/// Threads: owner only.
class sales_ticker {
public:
  explicit sales_ticker(const sales_terms& terms) : terms_{terms} {}

  /// Whether it is time for another look: some two per second.
  bool wants(troupe::time_point now) const;
  void look(troupe::time_point now, const sales_glance& g);
  /// As of the last look.
  const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
  void watch_rate(const order_counts_by_interval& orders);

  const sales_terms& terms_;
  std::optional<troupe::time_point> looked_at_{};
  std::vector<std::string> lines_{};
  order_rate rate_{};
  order_counts_by_interval scored_{}; // what rate_ has seen
};

} // namespace order_simulation
