// SPDX-License-Identifier: BSD-3-Clause
// Claim: a command line is taken or refused with a message that names the option.
// Observed: messages in full, and what the live table draws.
#include "patient_monitor/options.hpp"
#include "patient_monitor/table_lines.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace patient_monitor;

namespace {

command_line parsed(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"patient_monitor", "--record", "r.csv"};
  argv.insert(argv.end(), arguments);
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string fault(std::initializer_list<const char*> arguments) {
  const auto c = parsed(arguments);
  CHECK(c.exit_status == exit_bad_input);
  CHECK_FALSE(c.run);
  return c.error;
}

hospital_figures figures() {
  hospital_figures f;
  f.elapsed = std::chrono::seconds{60};
  f.rate = 360;
  f.wards = {{10, 360 * 600, 750, {4, 0, 0, 1}}, {10, 360 * 600, 700, {}}};
  f.restarts = 3;
  return f;
}

} // namespace

TEST_CASE("patient options: what is given is what comes out") {
  const auto c = parsed({"--patients", "5000", "--wards", "20", "--speed", "max", "--length", "90", "--lead", "II",
                         "--rate", "250", "--delay-most", "300"});
  REQUIRE(c.run);
  CHECK(c.run->hospital.patients == 5'000);
  CHECK(c.run->hospital.wards == 20);
  CHECK(c.run->speed == 0);
  CHECK(c.run->hospital.length == 90);
  CHECK(c.run->training.lead == "II");
  CHECK(c.run->training.rate == 250);
  CHECK(c.run->hospital.reaching_most == std::chrono::milliseconds{300});
  CHECK(parsed({}).run->speed == 1);
}

TEST_CASE("patient options: a fault names its option") {
  CHECK(fault({"--patients", "0"}) == "patient_monitor: --patients: 0 is not from 1 to 100000\n");
  CHECK(fault({"--wards", "0"}) == "patient_monitor: --wards: 0 is not from 1 to 1000\n");
  CHECK(fault({"--speed", "0"}) == "patient_monitor: --speed: '0' is neither a number above 0 nor max\n");
  CHECK(fault({"--rate", "50"}) == "patient_monitor: --rate: 50 is not from 80 to 4000\n");
  CHECK(fault({"--length", "-1"}) == "patient_monitor: --length: -1 is not from 0 to 864000\n");
  CHECK(fault({"--crash-rate", "1"}) == "patient_monitor: --crash-rate: 1 is not from 0 to 0.5\n");
  CHECK(fault({"--delay-most", "0"}) == "patient_monitor: --delay-most: 0 is not from 1 to 3600000\n");
  CHECK(fault({"--annotations", "a.csv"}) == "patient_monitor: --annotations: goes with --train\n");
  CHECK(fault({"--alerts", "/nowhere/a"}) ==
        "patient_monitor: --alerts: /nowhere/a: cannot be written: No such file or directory\n");
  CHECK(fault({"--patient", "1"}).find("--patient") != std::string::npos);
}

TEST_CASE("patient options: help has examples and says what it is not") {
  const auto c = parsed({"--help"});
  CHECK(c.exit_status == 0);
  CHECK(c.output.find("--patients 5000") != std::string::npos);
  CHECK(c.output.find("no medical device") != std::string::npos);
}

TEST_CASE("patient table: figures are those of the wards") {
  CHECK(plain_line(figures()) ==
        "  60.0 s       20 patients       1450 beats   72.5 /min  4 irregular  0 fast  0 slow  "
        "1 pauses  3 restarts");
  const auto plain = table_lines(figures(), 79, false);
  REQUIRE(plain.size() == 4);
  CHECK(plain[2] == "1              10       750   75.0          4     0     0      1");
  for (const auto& line : plain)
    CHECK(line.size() <= 79);
  CHECK(table_lines(figures(), 79, true)[2].find("\033[31m     1\033[0m") != std::string::npos);
}
