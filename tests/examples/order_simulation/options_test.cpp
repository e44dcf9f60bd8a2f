// SPDX-License-Identifier: BSD-3-Clause

// Claim: a command line becomes one complete set of options or one line that names the option at fault. Observed on
// the result for given arguments; nothing is run.
#include "order_simulation/options.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using order_simulation::command_line;
using order_simulation::key_skew;
using order_simulation::options;
using order_simulation::parse_command_line;
using order_simulation::replay_rule;
using order_simulation::scenario_kind;

namespace fs = std::filesystem;

namespace {

using arguments = std::vector<std::string>;

command_line parse(const arguments& given) {
  std::vector<const char*> argv{"order_simulation"};
  for (const std::string& argument : given)
    argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

options run_of(const arguments& given) {
  const command_line result = parse(given);
  CAPTURE(result.error);
  REQUIRE(result.run.has_value());
  return *result.run;
}

std::string error_of(const arguments& given) {
  const command_line result = parse(given);
  CHECK_FALSE(result.run.has_value());
  CHECK(result.exit_status == 2);
  CHECK(result.output.empty());
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  return result.error;
}

class temporary_directory {
public:
  temporary_directory() {
    std::string name = (fs::temp_directory_path() / "options_test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_directory() { fs::remove_all(path_); }

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  bool is_empty() const { return fs::is_empty(path_); }

private:
  std::string path_;
};

} // namespace

TEST_CASE("options: no arguments run the marketplace with the documented sizes") {
  const options o = run_of({});
  CHECK(o.scenario == scenario_kind::marketplace);
  CHECK(o.customers == 100'000);
  CHECK(o.sellers == 10'000);
  CHECK(o.products == 100'000);
  CHECK_FALSE(o.rate.has_value());
  CHECK_FALSE(o.duration.has_value());
  CHECK(o.workers == 0);
  CHECK(o.crash_rate == 0.0);
  CHECK(o.journal.empty()); // a new folder
  CHECK_FALSE(o.resume);
  CHECK(o.kill_after == 0);
  CHECK(o.acknowledged.empty());
  CHECK_FALSE(o.quiet);
}

TEST_CASE("options: every option of the marketplace arrives") {
  const options o =
      run_of({"--scenario",   "marketplace", "--duration",       "1500ms", "--rate",      "2500.5",
              "--skew",       "zipf",        "--zipf-constant",  "0.8",    "--customers", "200",
              "--products",   "300",         "--workers",        "3",      "--seed",      "18446744073709551615",
              "--crash-rate", "0.001",       "--journal=memory", "--quiet"});
  CHECK(o.duration == std::chrono::milliseconds{1500});
  CHECK(o.rate == 2500.5);
  CHECK(o.skew == key_skew::zipf);
  CHECK(o.zipf_constant == 0.8);
  CHECK(o.customers == 200);
  CHECK(o.products == 300);
  CHECK(o.sellers == 30);
  CHECK(o.workers == 3);
  CHECK(o.seed == UINT64_MAX);
  CHECK(o.crash_rate == 0.001);
  CHECK(o.quiet);
  CHECK(run_of({"--transactions", "5", "--concurrency", "7"}).concurrency == 7);
  CHECK(run_of({"--sellers", "5"}).products == 50);
  CHECK(run_of({"--customers", "5"}).concurrency == 5);
  CHECK(run_of({}).concurrency == 2'000);
  CHECK(run_of({"--customers", "5000"}).concurrency == 100);
  CHECK(run_of({"--journal", "memory"}).concurrency == 48);
}

TEST_CASE("options: flash-sale and replay take theirs") {
  CHECK(run_of({"--scenario", "flash-sale"}).orders == 300'000);
  CHECK(run_of({"--scenario", "flash-sale", "--orders", "10", "--rate", "5"}).orders == 10);
  const options o = run_of({"--scenario", "replay", "--input", "log.csv", "--rule", "order", "--opening-stock", "0",
                            "--final-stock", "/dev/null", "--report", "/dev/null", "--skip-bad-rows"});
  CHECK(o.scenario == scenario_kind::replay);
  CHECK(o.input == "log.csv");
  CHECK(o.rule == replay_rule::order);
  CHECK(o.opening_stock == 0);
  CHECK(o.final_stock == "/dev/null");
  CHECK(o.report == "/dev/null");
  CHECK(o.skip_bad_rows);
}

TEST_CASE("options: analytics are on unless they are switched off") {
  CHECK(run_of({}).analytics);
  CHECK(run_of({"--analytics", "on"}).analytics);
  CHECK_FALSE(run_of({"--analytics", "off"}).analytics);
  CHECK(error_of({"--analytics", "maybe"}) == "order_simulation: --analytics: 'maybe' is not one of on, off\n");
  CHECK(error_of({"--analytics", "off", "--dashboard", "/dev/null"}) ==
        "order_simulation: --dashboard: needs --analytics on\n");
  CHECK(error_of({"--dashboard", "no-such-directory/page.html"}).starts_with("order_simulation: --dashboard: "));
}

TEST_CASE("options: durations have units") {
  const std::vector<std::pair<std::string, int>> durations{
      {"1ms", 1}, {"10s", 10'000}, {"2m", 120'000}, {"24h", 86'400'000}};
  for (const auto& duration : durations) {
    CAPTURE(duration.first);
    CHECK(run_of({"--duration", duration.first}).duration == std::chrono::milliseconds{duration.second});
  }
}

TEST_CASE("options: every impossible value is one line that names the option") {
  const std::vector<std::pair<arguments, std::string>> faults{
      {{"--scenario", "shop"}, "--scenario: 'shop' is not one of marketplace, flash-sale, replay"},
      {{"--scenario", "Replay"}, "--scenario: 'Replay' is not one of marketplace, flash-sale, replay"},
      {{"--workers", "-1"}, "--workers: '-1' is not a whole number from 0 to 1024"},
      {{"--workers", "1025"}, "--workers: '1025' is not a whole number from 0 to 1024"},
      {{"--workers", "0x3"}, "--workers: '0x3' is not a whole number from 0 to 1024"},
      {{"--workers", "3 "}, "--workers: '3 ' is not a whole number from 0 to 1024"},
      {{"--seed", "18446744073709551616"},
       "--seed: '18446744073709551616' is not a whole number from 0 to 18446744073709551615"},
      {{"--transactions", "0"}, "--transactions: '0' is not a whole number from 1 to 1000000000000"},
      {{"--crash-rate", "1"}, "--crash-rate: '1' is not a probability P with 0 <= P < 1"},
      {{"--crash-rate", "-0.1"}, "--crash-rate: '-0.1' is not a probability P with 0 <= P < 1"},
      {{"--crash-rate", "nan"}, "--crash-rate: 'nan' is not a number"},
      {{"--crash-rate", "0,5"}, "--crash-rate: '0,5' is not a number"},
      {{"--rate", "0"}, "--rate: '0' is not a rate above 0 and up to 1e9 per second"},
      {{"--rate", "inf"}, "--rate: 'inf' is not a number"},
      {{"--skew", "normal"}, "--skew: 'normal' is not one of uniform, zipf"},
      {{"--skew", "zipf", "--zipf-constant", "0"}, "--zipf-constant: '0' is not a number S with 0 < S <= 10"},
      {{"--duration", "10"}, "--duration: '10' is not a duration such as 500ms, 10s, 2m or 1h"},
      {{"--duration", "s"}, "--duration: 's' is not a duration such as 500ms, 10s, 2m or 1h"},
      {{"--duration", "-5s"}, "--duration: '-5s' is not a duration such as 500ms, 10s, 2m or 1h"},
      {{"--duration", "0s"}, "--duration: '0s' is not between 1ms and 24h"},
      {{"--duration", "25h"}, "--duration: '25h' is not between 1ms and 24h"},
      {{"--duration", "9223372036854775807h"}, "--duration: '9223372036854775807h' is not between 1ms and 24h"},
      {{"--journal", ""}, "--journal: the name is empty"},
      {{"--resume"}, "--resume: needs the --journal to go on with"},
      {{"--resume", "--journal", "memory"},
       "--resume: cannot go on with --journal memory, which ends with its process"},
      {{"--kill-after", "0"}, "--kill-after: '0' is not a whole number from 1 to 1000000000000"},
      {{"--scenario", "replay", "--opening-stock", "-1"},
       "--opening-stock: '-1' is not a whole number from 0 to 1000000000000"},
      {{"--scenario", "replay", "--rule", "row"}, "--rule: 'row' is not one of line, order"},
      {{"--workers"}, "--workers: needs a value"},
      {{"--report", "--quiet"}, "--report: needs a value"},
      {{"--report="}, "--report: needs a value"},
      {{"--quiet=1"}, "--quiet: takes no value"},
      {{"--seed", "1", "--seed", "2"}, "--seed: is given more than once"},
      {{"--fast", "--slow"}, "--fast: is not an option; see --help"},
      {{"log.csv"}, "log.csv: is not an option; see --help"},
      {{"--seed", "a\nb"}, "--seed: 'a?b' is not a whole number from 0 to 18446744073709551615"},
  };
  for (const auto& [given, message] : faults)
    CHECK(error_of(given) == "order_simulation: " + message + "\n");
}

TEST_CASE("options: values that fit another scenario only are refused") {
  const std::vector<std::pair<std::string, arguments>> foreign{
      {"marketplace", {"--input", "--rule", "--opening-stock", "--final-stock", "--orders"}},
      {"flash-sale",
       {"--input", "--rule", "--opening-stock", "--final-stock", "--transactions", "--duration", "--concurrency",
        "--customers", "--sellers", "--products"}},
      {"replay", {"--orders", "--transactions", "--duration", "--rate", "--skew", "--customers", "--concurrency"}}};
  for (const auto& [scenario, names] : foreign)
    for (const std::string& name : names) {
      std::string value = "10";
      if (name == "--rule")
        value = "line";
      else if (name == "--duration")
        value = "10s";
      else if (name == "--skew")
        value = "zipf";
      std::string message = "order_simulation: ";
      message.append(name).append(": does not fit --scenario ").append(scenario).append("\n");
      CHECK(error_of({"--scenario", scenario, name, value}) == message);
    }
  CHECK(error_of({"--skip-bad-rows"}) == "order_simulation: --skip-bad-rows: does not fit --scenario marketplace\n");
}

TEST_CASE("options: impossible combinations are refused") {
  const std::vector<std::pair<arguments, std::string>> faults{
      {{"--duration", "1s", "--transactions", "5"}, "--duration: cannot be combined with --transactions"},
      {{"--zipf-constant", "2"}, "--zipf-constant: needs --skew zipf"},
      {{"--concurrency", "4", "--rate", "5"},
       "--concurrency: is for the closed loop and cannot be combined with --rate"},
      {{"--concurrency", "11", "--customers", "10"},
       "--concurrency: 11 exceeds the 10 of --customers, of whom each has one transaction at a time"},
      {{"--products", "15"}, "--products: 15 is not a multiple of 10"},
      {{"--products", "20", "--sellers", "3"}, "--products: 20 is not 10 times the 3 of --sellers"},
      {{"--scenario", "replay"}, "--input: is required by --scenario replay"},
  };
  for (const auto& [given, message] : faults)
    CHECK(error_of(given) == "order_simulation: " + message + "\n");
}

TEST_CASE("options: outputs that cannot be written are found before the run") {
  const temporary_directory place;
  const std::string nowhere = place / "missing/r.json";
  CHECK(error_of({"--report", nowhere}) ==
        "order_simulation: --report: " + nowhere + ": cannot be written: No such file or directory\n");
  CHECK(error_of({"--report", place / ""}) == "order_simulation: --report: " + (place / "") + ": is a directory\n");
  CHECK(error_of({"--scenario", "replay", "--input", "x", "--final-stock", nowhere}) ==
        "order_simulation: --final-stock: " + nowhere + ": cannot be written: No such file or directory\n");
  run_of({"--report", place / "r.json"});
  CHECK(place.is_empty());
}

TEST_CASE("options: outputs overwrite neither the input nor each other") {
  const temporary_directory place;
  const std::string log = place / "log.csv";
  std::ofstream{log} << "x";
  const std::string alias = place / "./log.csv";
  CHECK(error_of({"--scenario", "replay", "--input", log, "--report", alias}) ==
        "order_simulation: --report: " + alias + ": is the file of --input\n");
  CHECK(
      error_of({"--scenario", "replay", "--input", log, "--report", place / "out", "--final-stock", place / "./out"}) ==
      "order_simulation: --final-stock: " + (place / "./out") + ": is the file of --report\n");
  CHECK(error_of({"--report", place / "out", "--acknowledged", place / "./out"}) ==
        "order_simulation: --acknowledged: " + (place / "./out") + ": is the file of --report\n");
  CHECK(error_of({"--acknowledged", place / "out", "--dashboard", place / "./out"}) ==
        "order_simulation: --dashboard: " + (place / "./out") + ": is the file of --acknowledged\n");
  run_of({"--report", "/dev/null", "--acknowledged", "/dev/null"});
}

TEST_CASE("options: help goes to the standard output with examples") {
  const command_line result = parse({"--help"});
  CHECK_FALSE(result.run.has_value());
  CHECK(result.exit_status == 0);
  CHECK(result.error.empty());
  for (const char* part :
       {"Examples:", "--scenario replay --input", "--opening-stock", "--crash-rate", "(default 300000)"}) {
    CAPTURE(part);
    CHECK(result.output.find(part) != std::string::npos);
  }
}
