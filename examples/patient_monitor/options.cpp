// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include "text/output_file.hpp"
#include "text/speed.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <utility>

namespace patient_monitor {

namespace {

constexpr std::uint64_t patients_most = 100'000;
constexpr std::uint32_t wards_most = 1'000;

constexpr const char* help_footer = R"(Examples:
  patient_monitor --record mitbih_100.csv
  patient_monitor --record mitbih_100.csv --patients 5000 --seconds 60 --alerts alerts.csv --out report.json
  patient_monitor --record mitbih_100.csv --patients 200 --speed max --length 600 --crash-rate 0.01
  patient_monitor --record mitbih_100.csv --train model.json
  patient_monitor --record mitbih_100.csv --train model.json --annotations mitbih_100_annotations.csv

A record is a text file: a line 'sample,<lead>,...', then the sample's number and a value for each lead on a line. Each
patient gets one lead of it from a sample of its own, and round to its start. On a terminal a table shows how it goes on;
elsewhere one line a second. Ctrl-C ends the run early, with its report.

The log of --alerts has a line for each alert: seconds,patient,ward,what,value,knowing_ms,reaching_ms. What: irregular
(the model's score), fast (above 120 /min), slow (below 40 /min), pause (4 s). Knowing is the time of the stream from
what an alert is about to the sample that tells; reaching, the real time from that sample to the log.

--train writes a model and how well it did on the part of the record that it was not trained with. Without --annotations
(lines sample,symbol) the labels come from a rule over the intervals before and after each beat, which the record's
other leads must confirm. This program is an example of software. It is no medical device.

Exit status: 0 all checks hold, 1 one does not or a file could not be written, 2 the command line or the input is wrong.)";

command_line bad(std::string_view problem) {
  return {std::nullopt, {}, fmt::format("patient_monitor: {}\n", problem), exit_bad_input};
}

/// What is wrong with the options; empty if nothing.
std::string fault_of(const options& o) {
  using troupe::analytics::beat_detector;
  const auto& h = o.hospital;
  if (h.patients < 1 || h.patients > patients_most)
    return fmt::format("--patients: {} is not from 1 to {}", h.patients, patients_most);
  if (h.wards < 1 || h.wards > wards_most)
    return fmt::format("--wards: {} is not from 1 to {}", h.wards, wards_most);
  if (!(o.training.rate >= beat_detector::rate_least && o.training.rate <= beat_detector::rate_most))
    return fmt::format("--rate: {} is not from 80 to 4000", o.training.rate);
  if (!(o.seconds > 0 && o.seconds <= 86'400))
    return fmt::format("--seconds: {} is not above 0 and at most 86400", o.seconds);
  if (!(h.length >= 0 && h.length <= 864'000))
    return fmt::format("--length: {} is not from 0 to 864000", h.length);
  if (!(h.crash_rate >= 0 && h.crash_rate <= 0.5))
    return fmt::format("--crash-rate: {} is not from 0 to 0.5", h.crash_rate);
  if (h.reaching_most.count() < 1 || h.reaching_most.count() > 3'600'000)
    return fmt::format("--delay-most: {} is not from 1 to 3600000", h.reaching_most.count());
  if (o.workers > 256)
    return fmt::format("--workers: {} is not from 0 to 256", o.workers);
  if (!o.training.annotations.empty() && o.train.empty())
    return "--annotations: goes with --train";
  for (const auto& [name, path] :
       {std::pair{"--alerts", &h.alerts}, std::pair{"--out", &o.out}, std::pair{"--train", &o.train}})
    if (!path->empty())
      if (const auto obstacle = text::output_obstacle(*path))
        return fmt::format("{}: {}: {}", name, *path, *obstacle);
  return {};
}

} // namespace

command_line parse_command_line(int argc, const char* const* argv) {
  options o;
  std::string speed = "1";
  std::int64_t delay_most = o.hospital.reaching_most.count();
  CLI::App app{"Watches the hearts of thousands of patients, replayed from a recorded electrocardiogram."};
  app.footer(help_footer);
  app.add_option("--record", o.record, "The record")->type_name("FILE")->required();
  app.add_option("--lead", o.training.lead, "Name of the lead (default: the first)")->type_name("NAME");
  app.add_option("--rate", o.training.rate, "Samples per second, 80 to 4000 (default 360)")->type_name("HZ");
  app.add_option("--patients", o.hospital.patients, "Patients (default 1000)")->type_name("N");
  app.add_option("--wards", o.hospital.wards, "Wards (default 8)")->type_name("N");
  app.add_option("--speed", speed, "Times the pace of the record, or max (default 1)")->type_name("X");
  app.add_option("--seconds", o.seconds, "How long to run, at most (default 20)")->type_name("S");
  app.add_option("--length", o.hospital.length, "End each patient's stream after so many of its seconds")
      ->type_name("S");
  app.add_option("--crash-rate", o.hospital.crash_rate, "Share of all handlings of messages that fail, 0 to 0.5")
      ->type_name("P");
  app.add_option("--delay-most", delay_most, "Time in which an alert must reach the log, ms (default 1000)")
      ->type_name("MS");
  app.add_option("--model", o.model, "The trained model (default examples/patient_monitor/model.json)")
      ->type_name("FILE");
  app.add_option("--alerts", o.hospital.alerts, "Write the alerts to FILE, as they come")->type_name("FILE");
  app.add_option("--out", o.out, "Write the report to FILE, as JSON")->type_name("FILE");
  app.add_option("--workers", o.workers, "Worker threads (default: as many as processors)")->type_name("N");
  app.add_option("--seed", o.hospital.seed, "Of failures (default 1)")->type_name("N");
  app.add_flag("--quiet", o.quiet, "Show nothing while it runs");
  app.add_option("--train", o.train, "Train a model and write it to FILE, instead of a run")->type_name("FILE");
  app.add_option("--annotations", o.training.annotations, "Labels to train with (sample,symbol)")->type_name("FILE");
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
  o.hospital.reaching_most = std::chrono::milliseconds{delay_most};
  if (const auto fault = fault_of(o); !fault.empty())
    return bad(fault);
  return {std::move(o), {}, {}, 0};
}

} // namespace patient_monitor
