// SPDX-License-Identifier: BSD-3-Clause

// Claim: a replay by actors gives the sequential answers, for any number of workers and any opening stock, whatever fails
// on the way. Observed on the reports of whole runs over random small logs, and over the real one where it is at hand.
#include <troupe/journal/memory_store.hpp>

#include "order_simulation/order_log.hpp"
#include "order_simulation/replay.hpp"
#include "order_simulation/replay_oracle.hpp"
#include "support/shared_data.hpp"
#include "support/stress_setting.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <unistd.h>

using namespace order_simulation;

namespace fs = std::filesystem;

namespace {

/// A file that is there as long as this.
class scratch_file {
public:
  explicit scratch_file(const std::string& text)
      : path_{(fs::temp_directory_path() / ("replay_test." + std::to_string(::getpid()))).string()} {
    std::ofstream{path_} << text;
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

std::string log_text(std::string_view rows) { return fmt::format("{}\n{}", order_log::header, rows); }

/// Few codes, so that orders meet; invoices of several rows, some of them in two runs.
std::string random_log(std::mt19937_64& random, std::size_t rows) {
  constexpr std::array<const char*, 6> codes{"A", "a", "B", "POST", "85123A", "x/y"};
  std::string text;
  std::uint64_t invoice = 1;
  for (std::size_t i = 0; i < rows; ++i) {
    if (random() % 3 == 0)
      invoice = random() % 20 == 0 ? 1 + random() % invoice : invoice + 1;
    const auto size = static_cast<std::int64_t>(1 + random() % 6);
    const std::int64_t quantity = random() % 6 == 0 ? -size : size;
    fmt::format_to(std::back_inserter(text), "{},{},x,{},2010-12-01 08:26:00,{}.{},,France\n", invoice,
                   codes[random() % codes.size()], quantity, random() % 9, random() % 10);
  }
  return log_text(text);
}

report run(const options& opts, bool interrupt = false) {
  live_view view{stderr, live_view::style::silent};
  const std::atomic<bool> interrupted{interrupt};
  return run_replay(opts, {std::make_shared<troupe::memory_store>()}, view, interrupted);
}

/// All invariants hold, and the answers are the sequential ones.
void check(const report& r, const order_log& log, const options& opts) {
  for (const invariant& i : r.invariants) {
    CAPTURE(i.name);
    CHECK(i.holds);
  }
  REQUIRE(r.replay);
  CHECK(*r.replay == replay_by_rule(log, opts.rule, opts.opening_stock));
  CHECK(r.orders.submitted == static_cast<std::uint64_t>(r.replay->accepted + r.replay->rejected));
  CHECK(r.orders.in_flight == 0);
  const auto& m = r.messages;
  if (opts.crash_rate == 0)
    CHECK(m.accepted == m.handled);
  else // dropped: what was repeated to an order that had ended meanwhile
    CHECK(m.accepted == m.handled + m.expired + m.dropped);
}

void check_random_logs(replay_rule rule) {
  const std::uint64_t seed = support::test_seed(20101201);
  std::mt19937_64 random{seed};
  std::uint64_t restarts = 0;
  std::int64_t accepted = 0;
  std::int64_t rejected = 0;
  for (std::uint32_t workers = 1; workers <= 4; ++workers)
    for (const double crash_rate : {0.0, 0.001, 0.05})
      for (const std::int64_t opening_stock : {0, 3, 20, 1000}) {
        options opts;
        opts.scenario = scenario_kind::replay;
        opts.rule = rule;
        opts.workers = workers;
        opts.crash_rate = crash_rate;
        opts.opening_stock = opening_stock;
        opts.seed = random();
        const scratch_file file{random_log(random, 1 + random() % 400)};
        opts.input = file.path();
        CAPTURE(seed);
        CAPTURE(workers);
        CAPTURE(crash_rate);
        CAPTURE(opening_stock);
        const report r = run(opts);
        check(r, order_log::load(opts.input), opts);
        CHECK(r.workers == workers);
        CHECK(r.supervision.restarts == r.supervision.crashes_injected);
        restarts += r.supervision.restarts;
        accepted += r.replay->accepted;
        rejected += r.replay->rejected;
      }
  CHECK(restarts > 100);
  CHECK(accepted > 100);
  CHECK(rejected > 100);
}

} // namespace

TEST_CASE("replay: by line random logs get the sequential answers whatever fails") {
  check_random_logs(replay_rule::line);
}

TEST_CASE("replay: by order random logs get the sequential answers whatever fails") {
  check_random_logs(replay_rule::order);
}

TEST_CASE("replay: by order an order of very many codes comes to its end though it fails again and again") {
  std::string rows;
  for (int code = 0; code < 2'000; ++code)
    fmt::format_to(std::back_inserter(rows), "1,C{},x,1,2010-12-01 08:26:00,1,,France\n", code);
  const scratch_file file{log_text(rows)};
  options opts;
  opts.scenario = scenario_kind::replay;
  opts.rule = replay_rule::order;
  opts.crash_rate = 0.002; // some eight failures for one telling of all, if none were remembered
  opts.opening_stock = 1;
  opts.input = file.path();
  const report r = run(opts);
  check(r, order_log::load(opts.input), opts);
  CHECK(r.replay->accepted == 1);
}

TEST_CASE("replay: a log without rows has an empty answer") {
  const scratch_file file{log_text({})};
  for (const replay_rule rule : {replay_rule::line, replay_rule::order}) {
    options opts;
    opts.rule = rule;
    opts.input = file.path();
    check(run(opts), order_log::load(opts.input), opts);
  }
}

TEST_CASE("replay: an interrupted run reports about what was fed") {
  const std::uint64_t seed = support::test_seed(20101201);
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  const scratch_file file{random_log(random, 200'000)};
  for (const replay_rule rule : {replay_rule::line, replay_rule::order}) {
    options opts;
    opts.rule = rule;
    opts.opening_stock = 100;
    opts.input = file.path();
    const report r = run(opts, true);
    CHECK(r.holds());
    CHECK(r.orders.in_flight == 0);
    CHECK(r.messages.queued == 0);
  }
}

TEST_CASE("replay: the final stock is written") {
  const scratch_file file{log_text("1,B,x,2,2010-12-01 08:26:00,1,,France\n1,A,x,-3,2010-12-01 08:26:00,1,,France\n")};
  const std::string stock = file.path() + ".stock";
  options opts;
  opts.input = file.path();
  opts.opening_stock = 5;
  opts.final_stock = stock;
  run(opts);
  std::ifstream written{stock};
  const std::string text{std::istreambuf_iterator<char>{written}, {}};
  std::remove(stock.c_str());
  CHECK(text == "A,8\nB,3\n");
}

TEST_CASE("replay: a log that cannot be read starts nothing") {
  options opts;
  opts.input = "no-such-directory/log.csv";
  CHECK_THROWS_AS(run(opts), order_log_error);
}

TEST_CASE("replay: the real log gets the published answers, with and without failures") {
  const auto path = support::shared_data("online-retail/online_retail.csv").string();
  if (path.empty())
    return;
  const order_log log = order_log::load(path);
  for (const replay_rule rule : {replay_rule::line, replay_rule::order})
    for (const double crash_rate : {0.0, 0.001}) {
      options opts;
      opts.input = path;
      opts.rule = rule;
      opts.crash_rate = crash_rate;
      CAPTURE(crash_rate);
      const report r = run(opts);
      check(r, log, opts);
      CHECK(r.replay->accepted == (rule == replay_rule::line ? 291'973 : 7'527));
      CHECK(r.replay->rejected == (rule == replay_rule::line ? 239'312 : 13'202));
      CHECK((r.supervision.restarts > 0) == (crash_rate > 0));
    }
}
