// SPDX-License-Identifier: BSD-3-Clause
// Quotes currencies from two publishers that differ in quoting, rhythm and reliability. See `market_data --help`.
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "desk.hpp"
#include "rate_files.hpp"
#include "reconciliation.hpp"
#include "text/csv.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace market_data;
using namespace std::chrono_literals;

constexpr int exit_broken = 1;
constexpr int exit_bad_input = 2;

constexpr const char* help_footer = R"(Examples:
  market_data --ecb eurofxref-hist.csv --fed fed_monthly.csv
  market_data --ecb eurofxref-hist.csv --fed fed_monthly.csv --crash-rate 0.1 --slow-rate 0.1 --outages --seed 7
  market_data --ecb eurofxref-hist.csv --fed fed_monthly.csv --from USD --to JPY --as-of 2008-10-12

Without --as-of: how the two publishers agree on each currency, then --queries quotes while they fail as told. Time is
simulated: the same seed gives the same run.

Exit status: 0 all checks hold, 1 one does not, 2 the command line or the input is wrong.)";

struct options {
  std::string ecb;
  std::string fed;
  std::string from = "EUR";
  std::string to = "USD";
  std::string as_of;
  std::uint64_t queries = 2'000;
  double crash_rate = 0;
  double slow_rate = 0;
  bool outages = false;
  std::uint64_t seed = 1;
};

int complain(int status, const std::string& problem) {
  std::fputs(fmt::format("market_data: {}\n", problem).c_str(), stderr);
  return status;
}

/// The two sources, in order of preference, and the desk, in simulated time.
class market {
public:
  market(std::shared_ptr<const rate_table> daily, std::shared_ptr<const rate_table> monthly, const options& opts)
      : system_{troupe::system_options{
            .through = {.clock = std::make_shared<troupe::manual_clock>(), .random = troupe::seeded_random(opts.seed)},
            .stepped = opts.seed}},
        tables_{std::move(daily), std::move(monthly)} {
    // A source that crashes often is still worth starting again; the breakers see to it that it is left in peace.
    troupe::supervisor_options tolerant;
    tolerant.intensity = troupe::unlimited;
    tolerant.group_intensity = troupe::unlimited;
    tolerant.backoff.max = 200ms;
    const auto group = system_.supervise("sources", tolerant);
    source_options behaviour{.slow = opts.slow_rate, .slow_latency = 1s, .crash = opts.crash_rate};
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      behaviour.age_most = age_most[i];
      behaviour.outage_every = opts.outages ? 40s + 13s * static_cast<int>(i) : 0s;
      sources_.push_back({names[i], group.start<source>(names[i], tables_[i], behaviour)});
    }
    desk_ = group.start<desk>("desk", sources_, desk_options{});
  }

  troupe::reply<quote> ask(const quote_request& r) { return desk_.ask(r, 5s); }
  void pass(std::chrono::milliseconds time) { system_.advance(time); }
  desk_figures figures() { return desk_.ask(figures_query{}).get(); }
  troupe::shutdown_report shutdown() { return system_.shutdown(); }

  /// What source `i` must say to a query.
  std::optional<dated_rate> expected(std::size_t i, const quote_request& r) const {
    return tables_[i]->cross(r.from, r.to, r.day, age_most[i]);
  }

private:
  static constexpr const char* names[] = {"ECB", "Fed"};
  static constexpr std::chrono::days age_most[] = {std::chrono::days{7}, std::chrono::days{31}};

  troupe::system system_;
  std::vector<std::shared_ptr<const rate_table>> tables_;
  std::vector<desk::named_source> sources_;
  troupe::ref<desk> desk_;
};

const char* name_of(quote::verdict v) {
  switch (v) {
    case quote::verdict::none: return "no rate";
    case quote::verdict::single: return "one source";
    case quote::verdict::agreed: return "agreed";
    case quote::verdict::disputed: return "disputed";
  }
  return "";
}

struct tally {
  std::uint64_t quotes = 0;
  std::uint64_t errors = 0; // requests that the desk has not answered
  std::uint64_t partial = 0;
  std::uint64_t verdicts[4] = {};
  std::uint64_t wrong = 0; // answers that the table does not give
};

void check(const market& m, const quote_request& r, const troupe::result<quote>& got, tally& t) {
  if (!got) {
    ++t.errors;
    return;
  }
  ++t.quotes;
  t.partial += got->partial ? 1 : 0;
  ++t.verdicts[static_cast<std::size_t>(got->how)];
  bool partial = false;
  for (std::size_t i = 0; i < got->answers.size(); ++i) {
    const auto& a = got->answers[i];
    const bool said = a.what == source_answer::kind::rate || a.what == source_answer::kind::no_rate;
    partial = partial || !said;
    const auto wanted = m.expected(i, r);
    if (said && (a.value.has_value() != wanted.has_value() || (wanted && a.value->rate != wanted->rate)))
      ++t.wrong;
  }
  t.wrong += partial != got->partial ? 1 : 0;
}

struct day_range {
  date first;
  std::uint64_t count;
};

day_range range_of(const rate_table& table, const std::string& path) {
  date first = date::max();
  date last = date::min();
  for (const auto& c : table.currencies()) {
    first = std::min(first, table.days_of(c).begin()->first);
    last = std::max(last, table.days_of(c).rbegin()->first);
  }
  if (first > last)
    throw text::input_error{path + ": holds no rates"};
  return {first, static_cast<std::uint64_t>((last - first).count()) + 1};
}

tally run_queries(market& m, const rate_table& daily, const options& opts) {
  constexpr std::size_t together = 5;     // a crash takes all that its source has in hand
  constexpr auto between_batches = 250ms; // without it, time would stand still while the breakers refuse
  const auto dice = troupe::seeded_random(opts.seed + 1);
  auto currencies = daily.currencies();
  currencies.push_back(daily.base());
  const auto days = range_of(daily, opts.ecb);
  tally t;
  for (std::uint64_t done = 0; done < opts.queries;) {
    std::vector<quote_request> requests;
    std::vector<troupe::reply<quote>> replies;
    for (; requests.size() < together && done < opts.queries; ++done) {
      const auto pick = [&] { return currencies[dice->below(currencies.size())]; };
      requests.push_back({pick(), pick(), days.first + std::chrono::days{dice->below(days.count)}});
      replies.push_back(m.ask(requests.back()));
    }
    for (std::size_t i = 0; i < requests.size(); ++i)
      check(m, requests[i], std::move(replies[i]).try_get(), t);
    m.pass(between_batches);
  }
  return t;
}

int quote_one(market& m, const options& opts) {
  const auto day = parse_date(opts.as_of);
  if (!day)
    return complain(exit_bad_input, fmt::format("--as-of: '{}' is not a day YYYY-MM-DD", opts.as_of));
  const quote q = m.ask({opts.from, opts.to, *day}).get();
  for (const auto& a : q.answers)
    fmt::print("{:<6} {}\n", a.source,
               a.value ? fmt::format("{:.6g} of {}", a.value->rate, to_text(a.value->day))
                       : std::string{a.what == source_answer::kind::no_rate ? "no rate" : "no answer"});
  fmt::print("{:<6} {}{}\n", "quote", q.rate ? fmt::format("{:.6g}, ", *q.rate) : "", name_of(q.how));
  return m.shutdown().exit_code();
}

int run_all(market& m, const rate_table& daily, const rate_table& monthly, const options& opts) {
  std::size_t odd = 0;
  fmt::print("{:<9}{:<10}{:>7}{:>10}{:>10}  {}\n", "currency", "quoting", "months", "median", "worst", "in");
  for (const auto& a : reconcile(monthly, daily)) {
    fmt::print("{:<9}{:<10}{:>7}{:>9.3f}%{:>9.3f}%  {}\n", a.currency, to_text(a.how), a.months,
               a.median_difference * 100, a.worst_difference * 100, to_text(a.worst_month).substr(0, 7));
    odd += a.how == quoting::neither ? 1 : 0;
  }

  const tally t = run_queries(m, daily, opts);
  const auto f = m.figures();
  const auto report = m.shutdown();
  fmt::print("\nqueries        {:>8}\nquotes         {:>8}\nerrors         {:>8}\npartial        {:>8}\n", opts.queries,
             t.quotes, t.errors, t.partial);
  for (const auto v : {quote::verdict::agreed, quote::verdict::disputed, quote::verdict::single, quote::verdict::none})
    fmt::print("{:<14} {:>8}\n", name_of(v), t.verdicts[static_cast<std::size_t>(v)]);
  fmt::print("attempts       {:>8}\nretries        {:>8}\nfailures       {:>8}\nrefusals       {:>8}\n\n",
             f.first_attempts, f.retries, f.failures, f.refusals);

  bool all = true;
  const auto invariant = [&all](bool holds, const char* what) {
    fmt::print("{:<8} {}\n", holds ? "holds" : "BROKEN", what);
    all = all && holds;
  };
  const bool calm = opts.crash_rate == 0 && opts.slow_rate == 0 && !opts.outages;
  invariant(t.quotes + t.errors == opts.queries && t.errors == 0, "every query has one quote");
  invariant(t.wrong == 0, "every answer is that of its source's table, and partial quotes are marked");
  invariant(f.retries <= 10 + f.first_attempts / 5, "retries stay within their budget");
  invariant(!calm || (t.partial == 0 && f.failures == 0), "without trouble no quote is partial");
  invariant(odd == 0, "the sources agree on how each currency is quoted");
  invariant(report.unaccounted == 0 && report.exit_code() == 0, "every message has one outcome and the system ends");
  return all ? 0 : exit_broken;
}

int run(const options& opts) {
  const auto daily = std::make_shared<const rate_table>(read_ecb(opts.ecb));
  const auto monthly = std::make_shared<const rate_table>(read_fed(opts.fed));
  market m{daily, monthly, opts};
  return opts.as_of.empty() ? run_all(m, *daily, *monthly, opts) : quote_one(m, opts);
}

} // namespace

int main(int argc, char** argv) {
  options opts;
  CLI::App app{"Quotes currencies from two publishers that differ in quoting, rhythm and reliability."};
  app.footer(help_footer);
  app.add_option("--ecb", opts.ecb, "Daily rates of the European Central Bank")->type_name("FILE")->required();
  app.add_option("--fed", opts.fed, "Monthly rates of the US Federal Reserve")->type_name("FILE")->required();
  app.add_option("--from", opts.from, "Currency of one unit (default EUR)")->type_name("CODE");
  app.add_option("--to", opts.to, "Currency that it is quoted in (default USD)")->type_name("CODE");
  app.add_option("--as-of", opts.as_of, "Quote one rate as of this day")->type_name("DATE");
  app.add_option("--queries", opts.queries, "Quotes to ask for (default 2000)")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--crash-rate", opts.crash_rate, "Share of queries in which a source throws (default 0)")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow-rate", opts.slow_rate, "Share of answers that come after their deadline (default 0)")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--outages", opts.outages, "Each source is away for a quarter of the time");
  app.add_option("--seed", opts.seed, "Seed of all random choices (default 1)")->type_name("N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain(exit_bad_input, e.what());
  }
  try {
    const int status = run(opts);
    return std::fflush(stdout) == 0 ? status : complain(exit_broken, "standard output could not be written");
  } catch (const text::input_error& e) {
    return complain(exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(exit_broken, e.what());
  }
}
