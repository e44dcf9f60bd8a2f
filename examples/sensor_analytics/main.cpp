// SPDX-License-Identifier: BSD-3-Clause
// Watches thousands of device streams for what is unusual. See `sensor_analytics --help`.
#include "field.hpp"
#include "live_table.hpp"
#include "options.hpp"
#include "text/csv.hpp"
#include "text/output_file.hpp"
#include "text/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

using namespace sensor_analytics;
using namespace std::chrono_literals;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

int complain(int status, const std::string& problem) {
  std::fputs(fmt::format("sensor_analytics: {}\n", problem).c_str(), stderr);
  return status;
}

/// Standard output is either the table's, redrawn in place, or that of lines and the report, to be read by programs.
report watch(const options& opts) {
  const auto recordings = read_recordings(opts.data, opts.speed);
  troupe::system_options how;
  how.workers = opts.workers;
  field f{recordings, opts.field, how};
  live_table table{stdout, opts.quiet};
  const auto end = std::chrono::duration<double>(opts.seconds);
  auto now = f.figures();
  for (auto shown = 0ns; now.elapsed < end && !f.finished() && !interrupted.load(std::memory_order_relaxed);
       now = f.figures()) {
    f.pass(50ms);
    if (now.elapsed - shown >= table.interval()) {
      shown = now.elapsed;
      table.show(now);
    }
  }
  table.show(now);
  return f.finish();
}

int run(const options& opts) {
  const report r = watch(opts);
  const std::string text = "\n" + to_text(r, text::wants_color(stdout));
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!opts.out.empty())
    text::write_output(opts.out, to_json(r));
  if (!printed)
    return complain(exit_broken, "the report could not be written to standard output");
  return r.holds() ? 0 : exit_broken;
}

} // namespace

int main(int argc, char** argv) {
  const auto command = parse_command_line(argc, argv);
  std::fputs(command.output.c_str(), stdout);
  std::fputs(command.error.c_str(), stderr);
  if (!command.run)
    return command.exit_status;
  std::signal(SIGINT, [](int) { interrupted.store(true, std::memory_order_relaxed); });
  try {
    return run(*command.run);
  } catch (const text::input_error& e) {
    return complain(exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(exit_broken, e.what());
  }
}
