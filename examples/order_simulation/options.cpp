// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include "option_values.hpp"
#include "text/output_file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace order_simulation {

namespace {

constexpr std::string_view help_footer = R"(Examples:
  order_simulation
  order_simulation --scenario marketplace --duration 30s --skew zipf --workers 2
  order_simulation --scenario marketplace --rate 20000 --transactions 200000
  order_simulation --scenario flash-sale --orders 300000
  order_simulation --scenario replay --input online_retail.csv --rule order --opening-stock 1000 --report r.json
  order_simulation --scenario replay --input online_retail.csv --crash-rate 0.001 --final-stock stock.csv
  order_simulation --journal shop --kill-after 1000
  order_simulation --journal shop --resume
  order_simulation --journal memory --transactions 200000

Exit status: 0 all invariants hold, 1 one does not or the run failed, 2 the command line or the input is wrong.)";

constexpr std::uint64_t durable_concurrency = 2'000;
constexpr std::uint64_t customers_per_transaction = 50;

/// The options as CLI11 sees them, and which scenarios they fit.
class option_table {
public:
  option_table() {
    app_.footer(std::string{help_footer});
    app_.get_formatter()->column_width(28);
    app_.allow_extras(); // CLI11 would list them in reverse
    app_.set_help_flag("-h,--help", "Print this help and exit");
    const std::string any = "Every scenario";
    add(any, "--scenario", "NAME", "marketplace (default), flash-sale or replay", {}, [this](auto& o, auto& v) {
      values_.scenario =
          parse_choice(o, v, {scenario_kind::marketplace, scenario_kind::flash_sale, scenario_kind::replay});
    });
    add(any, "--workers", "N", "Scheduler threads, 0 for one per processor (default 0)", {},
        [this](auto& o, auto& v) { values_.workers = parse_whole<std::uint32_t>(o, v, 0, 1024); });
    add(any, "--seed", "N", fmt::format("Seed of all random choices (default {})", values_.seed), {},
        [this](auto& o, auto& v) { values_.seed = parse_whole<std::uint64_t>(o, v, 0, UINT64_MAX); });
    add(any, "--crash-rate", "P",
        "Each handling of a message, and each record once it is kept, throws with probability P, 0 <= P < 1 (default "
        "0)",
        {}, [this](auto& o, auto& v) {
          values_.crash_rate = parse_real(o, v);
          if (values_.crash_rate < 0 || values_.crash_rate >= 1)
            fail(o, fmt::format("'{}' is not a probability P with 0 <= P < 1", v));
        });
    add(any, "--journal", "STORE",
        "Where actors keep their events: a folder, which is made (default: a new one for temporary files), "
        "postgresql://USER@HOST/DATABASE, or memory",
        {}, [this](auto& o, auto& v) {
          if (v.empty())
            fail(o, "the name is empty");
          values_.journal = v;
        });
    add_flag(any, "--resume",
             "Go on with the run that --journal holds, as it was begun, after it was killed or interrupted", {},
             values_.resume);
    add(any, "--kill-after", "N", "End this process by SIGKILL after N acknowledged orders", {},
        [this](auto& o, auto& v) { values_.kill_after = parse_whole<std::uint64_t>(o, v, 1, 1'000'000'000'000); });
    add(any, "--acknowledged", "FILE", "Append a line to FILE for each order that a customer is told is accepted", {},
        [this](auto&, auto& v) { values_.acknowledged = v; });
    add(any, "--report", "FILE", "Write the report as JSON to FILE", {},
        [this](auto&, auto& v) { values_.report = v; });
    add(any, "--analytics", "on|off",
        "Revenue by country and time, top products, dashboards, order rate: live, and recomputed at the end (default "
        "on)",
        {}, [this](auto& o, auto& v) {
          if (v != "on" && v != "off")
            fail(o, fmt::format("'{}' is not one of on, off", v));
          values_.analytics = v == "on";
        });
    add(any, "--dashboard", "FILE", "Write the analytics as an HTML page to FILE", {},
        [this](auto&, auto& v) { values_.dashboard = v; });
    add_flag(any, "--quiet", "No live view, only the final report", {}, values_.quiet);
    add_marketplace();
    add_flash_sale_and_replay();
  }

  command_line parse(int argc, const char* const* argv) {
    command_line result;
    try {
      app_.parse(argc, argv);
      if (const auto extras = app_.remaining(); !extras.empty())
        fail(extras.front(), "is not an option; see --help");
      check_scenario();
      check_combinations();
      check_outputs();
      for (const auto& [option, fits] : entries_)
        if (option->count() > 0)
          values_.given.insert(option->get_name());
      result.run = std::move(values_);
    } catch (const CLI::CallForHelp&) {
      result.output = app_.help();
    } catch (const option_fault& fault) {
      result.error = fault.text;
    } catch (const CLI::ParseError& error) {
      result.error = clear_message(error);
    }
    if (!result.error.empty()) {
      std::replace_if(
          result.error.begin(), result.error.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
      result.error = "order_simulation: " + result.error + "\n";
      result.exit_status = 2;
    }
    return result;
  }

private:
  using scenarios = std::vector<scenario_kind>; // empty: all

  template <class Take>
  void add(const std::string& group, const std::string& name, const std::string& type, const std::string& help,
           scenarios fits, Take take) {
    const auto store = [name, take](const std::string& value) {
      if (value.starts_with("--"))
        fail(name, "needs a value");
      take(name, value);
    };
    CLI::Option* option = app_.add_option_function<std::string>(name, store, help)->type_name(type)->group(group);
    entries_.push_back({option, std::move(fits)});
  }

  void add_flag(const std::string& group, const std::string& name, const std::string& help, scenarios fits,
                bool& flag) {
    entries_.push_back({app_.add_flag(name, flag, help)->disable_flag_override()->group(group), std::move(fits)});
  }

  void add_marketplace() {
    const std::string group = "Scenario marketplace";
    const scenarios market{scenario_kind::marketplace};
    const scenarios loads{scenario_kind::marketplace, scenario_kind::flash_sale};
    const auto count = [](std::uint64_t& target) {
      return [&target](auto& o, auto& v) { target = parse_whole<std::uint64_t>(o, v, 1, 1'000'000'000'000); };
    };
    add(group, "--transactions", "N", fmt::format("Transactions to submit (default {})", values_.transactions), market,
        count(values_.transactions));
    add(group, "--duration", "TIME", "Submit for this long instead, such as 500ms, 10s, 2m or 1h", market,
        [this](auto& o, auto& v) { values_.duration = parse_duration(o, v); });
    add(group, "--concurrency", "N",
        fmt::format("Outstanding transactions of the closed loop (default {}; with a journal that outlives the process "
                    "up to {}, one for {} customers)",
                    values_.concurrency, durable_concurrency, customers_per_transaction),
        market, count(values_.concurrency));
    add(group, "--rate", "R", "Open loop: transactions or orders per second, whatever is outstanding; also flash-sale",
        loads, [this](auto& o, auto& v) {
          values_.rate = parse_real(o, v);
          if (*values_.rate <= 0 || *values_.rate > 1e9)
            fail(o, fmt::format("'{}' is not a rate above 0 and up to 1e9 per second", v));
        });
    add(group, "--skew", "NAME", "How keys are picked: uniform (default) or zipf; also flash-sale", loads,
        [this](auto& o, auto& v) {
          values_.skew = parse_choice(o, v, {key_skew::uniform, key_skew::zipf});
        });
    add(group, "--zipf-constant", "S",
        fmt::format("Exponent of --skew zipf, 0 < S <= 10 (default {}); also flash-sale", values_.zipf_constant), loads,
        [this](auto& o, auto& v) {
          values_.zipf_constant = parse_real(o, v);
          if (values_.zipf_constant <= 0 || values_.zipf_constant > 10)
            fail(o, fmt::format("'{}' is not a number S with 0 < S <= 10", v));
        });
    const auto people = [](std::uint64_t& target, std::uint64_t most) {
      return [&target, most](auto& o, auto& v) { target = parse_whole<std::uint64_t>(o, v, 1, most); };
    };
    add(group, "--customers", "N", fmt::format("Customers (default {})", values_.customers), market,
        people(values_.customers, 10'000'000));
    add(group, "--sellers", "N",
        fmt::format("Sellers of {} products each (default {})", products_per_seller, values_.sellers), market,
        people(values_.sellers, 1'000'000));
    add(group, "--products", "N",
        fmt::format("Products, {} times the sellers (default {})", products_per_seller, values_.products), market,
        people(values_.products, 1'000'000 * products_per_seller));
  }

  void add_flash_sale_and_replay() {
    add("Scenario flash-sale", "--orders", "N", fmt::format("Orders, one per customer (default {})", values_.orders),
        {scenario_kind::flash_sale},
        [this](auto& o, auto& v) { values_.orders = parse_whole<std::uint64_t>(o, v, 1, 100'000'000); });
    const std::string group = "Scenario replay";
    const scenarios replay{scenario_kind::replay};
    add(group, "--input", "FILE", "Order log in the Online Retail format (required)", replay,
        [this](auto&, auto& v) { values_.input = v; });
    add(group, "--rule", "NAME", "Accept or reject each line (default) or each order", replay,
        [this](auto& o, auto& v) {
          values_.rule = parse_choice(o, v, {replay_rule::line, replay_rule::order});
        });
    add(group, "--opening-stock", "S",
        fmt::format("Units of every stock code at the start (default {})", values_.opening_stock), replay,
        [this](auto& o, auto& v) { values_.opening_stock = parse_whole<std::int64_t>(o, v, 0, opening_stock_max); });
    add(group, "--final-stock", "FILE", "Write the stock at the end to FILE, one line 'code,available' per code",
        replay, [this](auto&, auto& v) { values_.final_stock = v; });
    add_flag(group, "--skip-bad-rows", "Leave malformed rows out and count them", replay, values_.skip_bad_rows);
  }

  bool given(const std::string& name) const { return app_.get_option(name)->count() > 0; }

  void check_scenario() const {
    for (const auto& [option, fits] : entries_)
      if (option->count() > 0 && !fits.empty() && std::find(fits.begin(), fits.end(), values_.scenario) == fits.end())
        fail(option->get_name(), fmt::format("does not fit --scenario {}", name_of(values_.scenario)));
  }

  void check_combinations() {
    if (given("--transactions") && given("--duration"))
      fail("--duration", "cannot be combined with --transactions");
    if (given("--dashboard") && !values_.analytics)
      fail("--dashboard", "needs --analytics on");
    if (given("--zipf-constant") && values_.skew != key_skew::zipf)
      fail("--zipf-constant", "needs --skew zipf");
    if (given("--concurrency") && given("--rate"))
      fail("--concurrency", "is for the closed loop and cannot be combined with --rate");
    if (given("--concurrency") && values_.concurrency > values_.customers)
      fail("--concurrency", fmt::format("{} exceeds the {} of --customers, of whom each has one transaction at a time",
                                        values_.concurrency, values_.customers));
    if (!given("--concurrency") &&
        values_.journal != "memory") // a transaction waits for many commits, which others share
      values_.concurrency =
          std::clamp(values_.customers / customers_per_transaction, values_.concurrency, durable_concurrency);
    values_.concurrency = std::min(values_.concurrency, values_.customers);
    if (values_.products % products_per_seller != 0)
      fail("--products", fmt::format("{} is not a multiple of {}", values_.products, products_per_seller));
    if (!given("--products"))
      values_.products = values_.sellers * products_per_seller;
    else if (!given("--sellers"))
      values_.sellers = values_.products / products_per_seller;
    if (values_.products != values_.sellers * products_per_seller)
      fail("--products", fmt::format("{} is not {} times the {} of --sellers", values_.products, products_per_seller,
                                     values_.sellers));
    if (values_.resume && !given("--journal"))
      fail("--resume", "needs the --journal to go on with");
    if (values_.resume && values_.journal == "memory")
      fail("--resume", "cannot go on with --journal memory, which ends with its process");
    if (values_.scenario == scenario_kind::replay && values_.input.empty())
      fail("--input", given("--input") ? "the file name is empty" : "is required by --scenario replay");
  }

  void check_outputs() const {
    const std::array<std::pair<std::string, const std::string&>, 4> outputs{{{"--report", values_.report},
                                                                             {"--final-stock", values_.final_stock},
                                                                             {"--acknowledged", values_.acknowledged},
                                                                             {"--dashboard", values_.dashboard}}};
    for (const auto& [name, path] : outputs) {
      if (!given(name))
        continue;
      if (const auto obstacle = text::output_obstacle(path))
        fail(name, path.empty() ? *obstacle : path + ": " + *obstacle);
      if (is_same_file(path, values_.input))
        fail(name, path + ": is the file of --input");
    }
    for (auto one = outputs.begin(); one != outputs.end(); ++one)
      for (auto other = outputs.begin(); other != one; ++other)
        if (given(one->first) && given(other->first) && is_same_file(one->second, other->second))
          fail(one->first, one->second + ": is the file of " + other->first);
  }

  /// Whether writing one regular file would overwrite the other. Two outputs may share a device such as /dev/null.
  static bool is_same_file(const std::string& a, const std::string& b) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (b.empty() || (fs::exists(a, error) && !fs::is_regular_file(a, error)))
      return false;
    return fs::equivalent(a, b, error) || fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error);
  }

  /// CLI11's wording for a missing, repeated or needless value tells nothing to who does not know its types.
  static std::string clear_message(const CLI::ParseError& error) {
    constexpr std::string_view override_suffix = " was given a disallowed flag override";
    std::string text = error.what();
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ArgumentMismatch))
      return text;
    if (text.ends_with(override_suffix))
      return "--" + text.substr(0, text.size() - override_suffix.size()) + ": takes no value";
    const std::string option = text.substr(0, text.find(':'));
    return option + (text.find("missing") != std::string::npos ? ": needs a value" : ": is given more than once");
  }

  struct entry {
    CLI::Option* option;
    scenarios fits;
  };

  options values_;
  CLI::App app_{"Order simulation: a shop of supervised actors under load, checked against its invariants",
                "order_simulation"};
  std::vector<entry> entries_;
};

} // namespace

const char* name_of(scenario_kind scenario) {
  switch (scenario) {
    case scenario_kind::marketplace: return "marketplace";
    case scenario_kind::flash_sale: return "flash-sale";
    case scenario_kind::replay: return "replay";
  }
  return "unknown";
}

const char* name_of(key_skew skew) { return skew == key_skew::uniform ? "uniform" : "zipf"; }

const char* name_of(replay_rule rule) { return rule == replay_rule::line ? "line" : "order"; }

bool is_server(std::string_view journal) {
  return journal.starts_with("postgresql://") || journal.starts_with("postgres://");
}

command_line parse_command_line(int argc, const char* const* argv) { return option_table{}.parse(argc, argv); }

} // namespace order_simulation
