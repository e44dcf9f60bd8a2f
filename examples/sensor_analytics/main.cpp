// SPDX-License-Identifier: BSD-3-Clause
// Watches thousands of device streams for what is unusual. See `sensor_analytics --help`.
#include "field.hpp"
#include "options.hpp"
#include "table_lines.hpp"
#include "text/live_table.hpp"
#include "text/program.hpp"
#include "text/terminal.hpp"

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using namespace sensor_analytics;
using namespace std::chrono_literals;

/// Standard output is either the table's, redrawn in place, or that of lines and the report, to be read by programs.
report watch(const options& opts) {
  const auto recordings = read_recordings(opts.data, opts.speed);
  troupe::system_options how;
  how.workers = opts.workers;
  field f{recordings, opts.field, how};
  text::live_table table{stdout, opts.quiet};
  const auto end = std::chrono::duration<double>(opts.seconds);
  auto now = f.figures();
  auto before = field_figures{};
  const auto show = [&] {
    table.show([&](auto columns, bool color) { return table_lines(now, before, columns, color); },
               [&] { return plain_line(now, before); });
    before = now;
  };
  for (auto shown = 0ns; now.elapsed < end && !f.finished() && !text::interrupted(); now = f.figures()) {
    f.pass(50ms);
    if (now.elapsed - shown >= table.interval()) {
      shown = now.elapsed;
      show();
    }
  }
  show();
  return f.finish();
}

int run(const options& opts) {
  const report r = watch(opts);
  return text::hand_over("sensor_analytics", "\n" + to_text(r, text::wants_color(stdout)), to_json(r), opts.out,
                         r.holds());
}

} // namespace

int main(int argc, char** argv) { return text::run_program("sensor_analytics", parse_command_line(argc, argv), run); }
