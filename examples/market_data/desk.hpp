// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/patterns/circuit_breaker.hpp>
#include <troupe/patterns/retry_budget.hpp>

#include <troupe/actor.hpp>

#include "source.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace market_data {

/// What one source had to say.
struct source_answer {
  enum class kind {
    rate,    ///< `value` is its rate.
    no_rate, ///< It has none as of that day.
    failed,  ///< Every attempt failed or was too late.
    refused, ///< Its breaker was open: it was not asked.
  };

  std::string source;
  kind what = kind::failed;
  std::optional<dated_rate> value;
  unsigned attempts = 0;
};

/// The sources' answers, reconciled.
struct quote {
  enum class verdict {
    none,     ///< No source has given a rate.
    single,   ///< One has.
    agreed,   ///< All rates are within the tolerance of the first one.
    disputed, ///< They are not.
  };

  std::optional<double> rate; ///< Of the first source, in the order of the desk's list, that has given one.
  verdict how = verdict::none;
  bool partial = false; ///< A source failed or was refused, so that the verdict might have been another.
  std::vector<source_answer> answers;
};

struct quote_request {
  std::string from;
  std::string to;
  date day;
  using reply = quote;
};

/// What the desk has done so far.
struct desk_figures {
  std::uint64_t first_attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t failures = 0;
  std::uint64_t refusals = 0;
};

struct figures_query {
  using reply = desk_figures;
};

struct desk_options {
  std::chrono::milliseconds attempt_timeout{200};
  unsigned attempts_most = 3; ///< For each source and quote.
  double tolerance = 0.05;    ///< Relative: one source gives days, the other means over months.
  troupe::breaker_options breaker{.failures_most = 10, .reset = std::chrono::seconds{2}};
};

/// Asks all sources at the same time, each under a deadline, again while the budget lasts, and not at all while its breaker is
/// open; and makes one quote of what comes back.
///
///     quote_request   quote           at the latest after `attempts_most` timeouts
///     figures_query   desk_figures
class desk final : public troupe::actor<desk, quote_request, figures_query> {
public:
  struct named_source {
    std::string name;
    troupe::ref<source> at;
  };

  desk(const std::vector<named_source>& sources, desk_options options);

  troupe::task<quote> on(const quote_request& r);
  desk_figures on(const figures_query&) const { return figures_; }

private:
  struct line {
    named_source source;
    troupe::circuit_breaker breaker;
  };

  /// An attempt that is under way.
  struct attempt {
    std::uint64_t ticket;
    troupe::reply<std::optional<dated_rate>> answer;
  };

  std::optional<attempt> try_ask(line& to, const rate_query& query, source_answer& answer);
  void reconcile(quote& q) const;

  desk_options options_;
  std::vector<line> lines_;
  troupe::retry_budget budget_;
  desk_figures figures_;
};

} // namespace market_data
