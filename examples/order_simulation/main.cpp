// SPDX-License-Identifier: BSD-3-Clause
// The order simulation: runs one scenario and reports. See `order_simulation --help`.
#include "analytics/sales_page.hpp"
#include "flash_sale.hpp"
#include "live_view.hpp"
#include "marketplace.hpp"
#include "options.hpp"
#include "order_log.hpp"
#include "replay.hpp"
#include "report.hpp"
#include "run_journal.hpp"
#include "text/output_file.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

using namespace order_simulation;

constexpr int exit_holds = 0;
constexpr int exit_broken = 1;
constexpr int exit_bad_input = 2;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free); // and hence usable in a signal handler

/// The first signal asks for an early end with a report, the second one ends at once.
extern "C" void on_signal(int number) {
  if (interrupted.exchange(true))
    ::_exit(128 + number);
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM})
    ::sigaction(number, &action, nullptr);
}

int complain(int status, const std::string& problem) {
  std::fputs(fmt::format("order_simulation: {}\n", problem).c_str(), stderr);
  return status;
}

report run_scenario(const options& opts, const run_journal& journal, live_view& view) {
  switch (opts.scenario) {
    case scenario_kind::marketplace: return run_marketplace(opts, journal, view, interrupted);
    case scenario_kind::flash_sale: return run_flash_sale(opts, journal, view, interrupted);
    case scenario_kind::replay: return run_replay(opts, journal, view, interrupted);
  }
  throw std::logic_error{"no such scenario"};
}

int run(options opts) {
  // The view goes to standard error, so that standard output holds the report alone.
  live_view view{stderr, live_view::style_for(stderr, opts.quiet)};
  if (opts.scenario == scenario_kind::replay)
    order_log::require(opts.input); // before a journal is made for it
  const run_journal journal = open_run_journal(opts);
  if (journal.name != "memory" && !opts.quiet)
    std::fputs(fmt::format("order_simulation: journal in {0}; after a crash go on with --journal {0} --resume{1}\n",
                           journal.name,
                           opts.scenario == scenario_kind::replay ? " --scenario replay --input " + opts.input : "")
                   .c_str(),
               stderr);
  const report r = run_scenario(opts, journal, view);
  const std::string text = to_text(r, wants_color(stdout));
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!opts.report.empty())
    text::write_output(opts.report, to_json(r));
  if (!opts.dashboard.empty())
    text::write_output(opts.dashboard, to_html(r));
  if (!printed)
    return complain(exit_broken, "the report could not be written to standard output");
  return r.holds() ? exit_holds : exit_broken;
}

} // namespace

int main(int argc, char** argv) {
  command_line command = parse_command_line(argc, argv);
  if (std::fputs(command.output.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
    return complain(exit_broken, "standard output could not be written");
  std::fputs(command.error.c_str(), stderr);
  if (!command.run)
    return command.exit_status;
  handle_signals();
  try {
    return run(*std::move(command.run));
  } catch (const journal_mismatch& e) {
    return complain(exit_bad_input, e.what());
  } catch (const troupe::journal_error& e) {
    return complain(exit_bad_input, std::string{"--journal: "} + e.what());
  } catch (const order_log_error& e) {
    return complain(exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(exit_broken, e.what());
  }
}
