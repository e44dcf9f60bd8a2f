// SPDX-License-Identifier: BSD-3-Clause
// Claim: a command line is taken or refused with a message that names the option; bad series with their file and line.
// Observed: messages in full, and what the live table draws.
#include "sensor_analytics/options.hpp"
#include "sensor_analytics/table_lines.hpp"
#include "support/temporary_directory.hpp"
#include "text/csv.hpp"
#include "text/speed.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <unistd.h>
#include <vector>

using namespace sensor_analytics;

namespace {

command_line parsed(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"sensor_analytics", "--data", "nab"};
  argv.insert(argv.end(), arguments);
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string fault(std::initializer_list<const char*> arguments) {
  const auto c = parsed(arguments);
  CHECK(c.exit_status == exit_bad_input);
  CHECK_FALSE(c.run);
  return c.error;
}

field_figures figures() {
  field_figures f;
  f.elapsed = std::chrono::seconds{3};
  f.groups = {{"realTraffic", 70, 4'000, {3, 2, 1, 0}, 1}, {"a group with a name that is far too long", 30, 0, {}, 0}};
  f.readings = 4'000;
  f.restarts = 8;
  return f;
}

} // namespace

TEST_CASE("sensor options: what is given is what comes out") {
  const auto c =
      parsed({"--devices", "5000", "--speed", "max", "--seconds", "3.5", "--crash-rate", "0.01", "--seed", "9"});
  REQUIRE(c.run);
  CHECK(c.run->data == "nab");
  CHECK(c.run->field.devices == 5'000);
  CHECK(c.run->speed == 0);
  CHECK(c.run->seconds == 3.5);
  CHECK(c.run->field.crash_rate == 0.01);
  CHECK(c.run->field.seed == 9);
  CHECK(parsed({}).run->speed == 6'000);
}

TEST_CASE("sensor options: a fault names its option") {
  CHECK(fault({"--devices", "0"}) == "sensor_analytics: --devices: 0 is not from 1 to 100000\n");
  CHECK(fault({"--speed", "fast"}) == "sensor_analytics: --speed: 'fast' is neither a number above 0 nor max\n");
  CHECK(fault({"--speed", "-1"}) == "sensor_analytics: --speed: '-1' is neither a number above 0 nor max\n");
  CHECK(fault({"--seconds", "0"}) == "sensor_analytics: --seconds: 0 is not above 0 and at most 86400\n");
  CHECK(fault({"--crash-rate", "0.6"}) == "sensor_analytics: --crash-rate: 0.6 is not from 0 to 0.5\n");
  CHECK(fault({"--silence-rate", "0.1", "--speed", "max"}) ==
        "sensor_analytics: --silence-rate: needs a --speed; at max no reading is expected at a time\n");
  CHECK(fault({"--out", "/nowhere/r.json"}) ==
        "sensor_analytics: --out: /nowhere/r.json: cannot be written: No such file or directory\n");
  CHECK(fault({"--devices", "many"}).find("--devices") != std::string::npos);
  CHECK(fault({"--device", "1"}).find("--device") != std::string::npos);
  CHECK(fault({"--workers", "1000"}) == "sensor_analytics: --workers: 1000 is not from 0 to 256\n");
}

TEST_CASE("sensor options: help has examples and goes to standard output") {
  const auto c = parsed({"--help"});
  CHECK(c.exit_status == 0);
  CHECK(c.error.empty());
  CHECK(c.output.find("sensor_analytics --data nab --devices 5000") != std::string::npos);
}

TEST_CASE("sensor options: a speed is a number above 0 or max") {
  CHECK(text::parse_speed("max") == 0.0);
  CHECK(text::parse_speed("2.5") == 2.5);
  CHECK_FALSE(text::parse_speed("0"));
  CHECK_FALSE(text::parse_speed(""));
  CHECK_FALSE(text::parse_speed("nan"));
  CHECK_FALSE(text::parse_speed("2x"));
}

TEST_CASE("sensor streams: a folder or file that cannot be used is named with its line") {
  const support::temporary_directory folder;
  const auto said = [&] {
    try {
      read_recordings(folder.path().string(), 1);
      return std::string{};
    } catch (const text::input_error& e) {
      const std::string what = e.what();
      const auto path = folder.path().string();
      return what.starts_with(path) ? what.substr(path.size()) : what;
    }
  };
  const auto write = [&](std::string_view text) { std::ofstream{folder / "data/g/a.csv"} << text; };
  CHECK(said() == "/data: cannot be read: No such file or directory");
  std::filesystem::create_directories(folder.path() / "data/g");
  CHECK(said() == "/data: holds no series (<group>/<name>.csv)");
  write("timestamp,value\n");
  CHECK(said() == "/data/g/a.csv: holds no rows");
  write("timestamp,value\n2014-01-01 00:00:00,1\n2014-01-01 00:05:00,warm\n");
  CHECK(said() == "/data/g/a.csv:3: value: 'warm' is not a finite number");
  write("timestamp,value\n2014-01-01 00:00:00,1\n");
  CHECK(said() == "");
  if (::geteuid() == 0) // whom no folder is closed to
    return;
  const auto closed = folder.path() / "data/closed";
  std::filesystem::create_directory(closed);
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  CHECK(said() == "/data: cannot be read to its end: Permission denied");
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
}

TEST_CASE("sensor table: a line says what has come since the one before") {
  field_figures before;
  before.elapsed = std::chrono::seconds{2};
  before.readings = 1'000;
  CHECK(plain_line(figures(), before) ==
        "   3.0 s       4000 readings      3000 per s  3 level  2 pattern  1 silent  8 restarts");
}

TEST_CASE("sensor table: it keeps to its columns and has colors where they are wanted alone") {
  for (const std::size_t columns : {60u, 79u, 200u}) {
    const auto lines = table_lines(figures(), {}, columns, false);
    CHECK(lines.size() == 4);
    for (const auto& line : lines) {
      CHECK(line.size() <= columns);
      CHECK(line.find('\033') == std::string::npos);
    }
  }
  const auto colored = table_lines(figures(), {}, 100, true);
  CHECK(colored[2].find("\033[31m     1\033[0m") != std::string::npos);
  CHECK(colored[3].find('\033') == std::string::npos); // nothing there is worth it
}
