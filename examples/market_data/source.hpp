// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/pause.hpp>
#include <troupe/seams.hpp>

#include "rate_table.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace market_data {

/// What a source is asked: units of `to` for one of `from`, as of `day`.
struct rate_query {
  std::string from;
  std::string to;
  date day;
  using reply = std::optional<dated_rate>;
};

/// How a source behaves. The defaults are those of one without trouble.
struct source_options {
  std::chrono::days age_most{7};         ///< An older rate is none.
  std::chrono::milliseconds latency{20}; ///< Of an answer.
  double slow = 0;                       ///< Share of answers that take `slow_latency`.
  std::chrono::milliseconds slow_latency{0};
  double crash = 0;                          ///< Share of queries in which it throws.
  std::chrono::milliseconds outage_every{0}; ///< It is away for the last quarter of each; 0: never.
};

/// One publisher of rates, with the latency and the failures of a service far away.
///
///     rate_query      optional<dated_rate>
class source final : public troupe::actor<source, rate_query> {
public:
  source(std::shared_ptr<const rate_table> table, source_options options)
      : table_{std::move(table)}, options_{options} {}

  troupe::task<std::optional<dated_rate>> on(const rate_query& q) {
    if (is_away() || random().unit() < options_.crash)
      throw std::runtime_error{"the source is out of order"};
    const auto rate = table_->cross(q.from, q.to, q.day, options_.age_most);
    co_await troupe::pause(self(), random().unit() < options_.slow ? options_.slow_latency : options_.latency);
    co_return rate;
  }

private:
  bool is_away() const {
    if (options_.outage_every.count() == 0)
      return false;
    const std::chrono::nanoseconds every = options_.outage_every;
    return now().time_since_epoch() % every >= every * 3 / 4;
  }

  std::shared_ptr<const rate_table> table_;
  source_options options_;
};

} // namespace market_data
