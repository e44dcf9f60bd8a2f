// SPDX-License-Identifier: BSD-3-Clause
// Finds the heart beats in a recorded electrocardiogram. See `ecg --help`.
#include <troupe/analytics/beat_detector.hpp>
#include <troupe/analytics/heart_rate_variability.hpp>

#include "record.hpp"
#include "text/csv.hpp"
#include "text/output_file.hpp"
#include "text/program.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr int exit_failed = 1;
constexpr int exit_bad_input = 2;

constexpr const char* help_footer = R"(Examples:
  ecg --record mitbih_100.csv
  ecg --record mitbih_100.csv --beats beats.txt
  ecg --record holter.csv --rate 250 --lead II --beats beats.txt

A record is a text file: a line 'sample,<lead>,...', then the sample's number and a value for each lead on a line; an
empty value is a gap. Unit, gain, offset and polarity do not matter. --beats writes the sample numbers of the R
peaks, one on a line.

Exit status: 0 done, 1 a file or standard output could not be written, 2 the command line or the input is wrong.)";

struct options {
  std::string record;
  std::string lead;
  std::string beats;
  double rate = 360;
};

int complain(int status, const std::string& problem) {
  std::fputs(fmt::format("ecg: {}\n", problem).c_str(), stderr);
  return status;
}

/// Streams a lead through the detector, sample by sample.
std::vector<troupe::analytics::beat> beats_of(const ecg::lead& lead, double rate) {
  troupe::analytics::beat_detector detector{rate};
  std::vector<troupe::analytics::beat> beats;
  const auto take = [&beats](auto decided) { beats.insert(beats.end(), decided.begin(), decided.end()); };
  for (const double sample : lead.samples)
    take(detector.add(sample));
  take(detector.finish());
  return beats;
}

std::string summary(const ecg::lead& lead, const std::vector<troupe::analytics::beat>& beats, double rate) {
  troupe::analytics::heart_rate_variability variability{1e9}; // over the whole record
  double delay = 0;
  for (const auto& b : beats) {
    variability.add(static_cast<double>(b.sample) / rate);
    delay = std::max(delay, static_cast<double>(b.decided - b.sample) / rate);
  }
  const auto m = variability.read();
  return fmt::format("lead         {}\nsamples      {}\nseconds      {:.1f}\nbeats        {}\nworst delay  {:.2f} s\n"
                     "heart rate   {:.1f} /min\nSDNN         {:.1f} ms\nRMSSD        {:.1f} ms\npNN50        {:.1f} %\n"
                     "left out     {:.1f} % of the intervals\n",
                     lead.name, lead.samples.size(), static_cast<double>(lead.samples.size()) / rate, beats.size(),
                     delay, m.heart_rate, m.sdnn * 1e3, m.rmssd * 1e3, m.pnn50 * 100, m.left_out * 100);
}

int run(const options& opts) {
  const auto record = ecg::read_record(opts.record);
  const auto& lead = ecg::find_lead(record, opts.lead, opts.record);
  const auto beats = beats_of(lead, opts.rate);
  if (!opts.beats.empty()) {
    std::string text;
    for (const auto& b : beats)
      fmt::format_to(std::back_inserter(text), "{}\n", b.sample);
    text::write_output(opts.beats, text);
  }
  return text::print(summary(lead, beats, opts.rate))
             ? 0
             : complain(exit_failed, "the summary could not be written to standard output");
}

} // namespace

int main(int argc, char** argv) {
  options opts;
  CLI::App app{"Finds the heart beats in a recorded electrocardiogram, as a monitor would: sample by sample."};
  app.footer(help_footer);
  app.add_option("--record", opts.record, "The record")->type_name("FILE")->required();
  app.add_option("--lead", opts.lead, "Name of the lead (default: the first)")->type_name("NAME");
  app.add_option("--rate", opts.rate, "Samples per second, 80 to 4000 (default 360)")->type_name("HZ");
  app.add_option("--beats", opts.beats, "Write the sample numbers of the R peaks to FILE")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain(exit_bad_input, e.what());
  }
  using troupe::analytics::beat_detector;
  if (!(opts.rate >= beat_detector::rate_least && opts.rate <= beat_detector::rate_most))
    return complain(exit_bad_input, fmt::format("--rate: {} is not from 80 to 4000", opts.rate));
  try {
    return run(opts);
  } catch (const text::input_error& e) {
    return complain(exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(exit_failed, e.what());
  }
}
