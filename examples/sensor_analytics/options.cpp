// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include "text/output_file.hpp"
#include "text/speed.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sensor_analytics {

namespace {

constexpr std::size_t devices_most = 100'000;

constexpr const char* help_footer = R"(Examples:
  sensor_analytics --data nab
  sensor_analytics --data nab --devices 5000 --speed 3000 --seconds 60 --alerts alerts.csv --out report.json
  sensor_analytics --data nab --devices 2000 --speed max --crash-rate 0.01
  sensor_analytics --data nab --silence-rate 0.001

The folder of --data holds data/<group>/<name>.csv (timestamp,value), as the Numenta Anomaly Benchmark does. Its series
are dealt out to the devices; each replays its own once, from a row of its own. At --speed 6000 a series of one value in
5 minutes is 20 readings a second. On a terminal a table shows how it goes on; elsewhere one line a second. Ctrl-C ends
the run early, with its report. A device needs up to 120 KB, as its detectors fill.

The log of --alerts has a line for each alert: time,device,series,what,value,score. What: level (far off the mean),
pattern (the stream does not go on as it used to), silent (no reading for 8 intervals), back.

Exit status: 0 all checks hold, 1 one does not or a file could not be written, 2 the command line or the input is wrong.)";

command_line bad(std::string_view problem) {
  return {std::nullopt, {}, fmt::format("sensor_analytics: {}\n", problem), exit_bad_input};
}

/// What is wrong with the options; empty if nothing.
std::string fault_of(const options& o) {
  if (o.field.devices < 1 || o.field.devices > devices_most)
    return fmt::format("--devices: {} is not from 1 to {}", o.field.devices, devices_most);
  if (!(o.seconds > 0 && o.seconds <= 86'400))
    return fmt::format("--seconds: {} is not above 0 and at most 86400", o.seconds);
  if (!(o.field.crash_rate >= 0 && o.field.crash_rate <= 0.5))
    return fmt::format("--crash-rate: {} is not from 0 to 0.5", o.field.crash_rate);
  if (!(o.field.silence_rate >= 0 && o.field.silence_rate <= 0.5))
    return fmt::format("--silence-rate: {} is not from 0 to 0.5", o.field.silence_rate);
  if (o.field.silence_rate > 0 && o.speed == 0)
    return "--silence-rate: needs a --speed; at max no reading is expected at a time";
  if (o.workers > 256)
    return fmt::format("--workers: {} is not from 0 to 256", o.workers);
  for (const auto& [name, path] : {std::pair{"--alerts", &o.field.alerts}, std::pair{"--out", &o.out}})
    if (!path->empty())
      if (const auto obstacle = text::output_obstacle(*path))
        return fmt::format("{}: {}: {}", name, *path, *obstacle);
  return {};
}

} // namespace

command_line parse_command_line(int argc, const char* const* argv) {
  options o;
  std::string speed = "6000";
  CLI::App app{"Watches thousands of device streams for what is unusual, replayed from recorded series."};
  app.footer(help_footer);
  app.add_option("--data", o.data, "Folder of the series")->type_name("FOLDER")->required();
  app.add_option("--devices", o.field.devices, "Devices (default 1000)")->type_name("N");
  app.add_option("--speed", speed, "Times the pace of the recordings, or max (default 6000)")->type_name("X");
  app.add_option("--seconds", o.seconds, "How long to run, at most (default 20)")->type_name("S");
  app.add_option("--crash-rate", o.field.crash_rate, "Share of all handlings of messages that fail, 0 to 0.5")
      ->type_name("P");
  app.add_option("--silence-rate", o.field.silence_rate,
                 "Share of readings before which a device is silent for a while, 0 to 0.5")
      ->type_name("P");
  app.add_option("--alerts", o.field.alerts, "Write the alerts to FILE, as they come")->type_name("FILE");
  app.add_option("--out", o.out, "Write the report to FILE, as JSON")->type_name("FILE");
  app.add_option("--workers", o.workers, "Worker threads (default: as many as processors)")->type_name("N");
  app.add_option("--seed", o.field.seed, "Of failures and silences (default 1)")->type_name("N");
  app.add_flag("--quiet", o.quiet, "Show nothing while it runs");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), {}, 0};
  } catch (const CLI::ParseError& e) {
    return bad(e.what());
  }
  const auto parsed = text::parse_speed(speed);
  if (!parsed)
    return bad(fmt::format("--speed: '{}' is neither a number above 0 nor max", text::shown(speed)));
  o.speed = *parsed;
  if (const auto fault = fault_of(o); !fault.empty())
    return bad(fault);
  return {std::move(o), {}, {}, 0};
}

} // namespace sensor_analytics
