// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "replay_oracle.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace order_simulation {

enum class scenario_kind { marketplace, flash_sale, replay };

enum class key_skew { uniform, zipf };

inline constexpr std::uint64_t products_per_seller = 10;

/// The name as on the command line and in the report.
const char* name_of(scenario_kind scenario);
const char* name_of(key_skew skew);
const char* name_of(replay_rule rule);

/// The journal's file in its folder.
inline constexpr const char* journal_file = "journal.db";

/// Whether `--journal` names a database server.
bool is_server(std::string_view journal);

/// Everything a run is told by its command line. The defaults here are the defaults of the command line.
struct options {
  scenario_kind scenario = scenario_kind::marketplace;

  // Load of the scenarios marketplace and flash-sale.
  std::uint64_t transactions = 1'000'000;            ///< marketplace: transactions to submit; unused with `duration`.
  std::optional<std::chrono::milliseconds> duration; ///< marketplace: submit for this long instead.
  std::optional<double> rate;                        ///< Arrivals per second (open loop); none: marketplace runs closed
                                                     ///< loop, flash-sale chooses one above its capacity.
  std::uint64_t concurrency = 48;                    ///< marketplace, closed loop: outstanding transactions.
  std::uint64_t orders = 300'000;                    ///< flash-sale: orders, each of its own customer.
  key_skew skew = key_skew::uniform;                 ///< How sellers and products are picked.
  double zipf_constant = 1.0;                        ///< Exponent of `key_skew::zipf`.

  // Population of the scenario marketplace.
  std::uint64_t customers = 100'000;
  std::uint64_t sellers = 10'000;
  std::uint64_t products = sellers * products_per_seller; ///< Always `products_per_seller` times `sellers`.

  // Scenario replay.
  std::string input;
  replay_rule rule = replay_rule::line;
  std::int64_t opening_stock = 1000; ///< Units of every stock code.
  std::string final_stock;           ///< File for the final stock; empty: none.
  bool skip_bad_rows = false;

  // Every scenario.
  std::uint32_t workers = 0; ///< Scheduler threads; 0: as many as there are processors.
  std::uint64_t seed = 1;
  double crash_rate = 0.0; ///< Probability, in [0, 1), that the handling of a message, or a record once kept, throws.
  std::string journal;     ///< A folder, `memory`, or `postgresql://...`; empty: a new folder.
  bool resume = false;     ///< Go on with the run in `journal`.
  std::uint64_t kill_after = 0; ///< Acknowledged orders after which the process ends by SIGKILL; 0: never.
  std::string acknowledged;     ///< File that lists what customers were told; empty: none.
  std::string report;           ///< File for the JSON report; empty: none.
  bool analytics = true;        ///< Revenue, top products, dashboards and order rate beside the shop.
  std::string dashboard;        ///< File for the analytics as an HTML page; empty: none.
  bool quiet = false;           ///< No live view.

  std::set<std::string, std::less<>> given; ///< What the command line names, such as `--seed`; the rest are defaults.
};

/// What a command line asks for: a run, or something to print and an exit status.
struct command_line {
  std::optional<options> run; ///< Present iff the run is to go on; the rest matters only otherwise.
  int exit_status = 0;        ///< 0 after --help, 2 after an error.
  std::string output;         ///< For the standard output: the help.
  std::string error;          ///< For the standard error: one line, LF-terminated, that names the option.
};

/// Reads a command line. Looks at the file system to tell whether the output files can be written; prints nothing.
command_line parse_command_line(int argc, const char* const* argv);

} // namespace order_simulation
