// SPDX-License-Identifier: BSD-3-Clause
// Scores anomaly detectors by the rules of the Numenta Anomaly Benchmark. See `nab --help`.
#include "corpus.hpp"
#include "detectors.hpp"
#include "results.hpp"
#include "text/output_file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace nab;

constexpr int exit_failed = 1;
constexpr int exit_bad_input = 2;

constexpr const char* help_footer = R"(Examples:
  nab --data nab                                   every detector, every profile
  nab --data nab --detector ensemble --profile standard --out results
  nab --data nab --results nab/results/windowedGaussian --thresholds nab/config/thresholds.json
  nab --series cpu.csv --detector ensemble         timestamp,value,anomaly_score of one series to standard output

The folder of --data holds data/<group>/<name>.csv (timestamp,value) and labels/combined_windows.json. The threshold is
the best one for the corpus and the profile, as the benchmark does it, unless --thresholds names a file of them.
Scores: 0 is a detector that detects nothing, 100 a perfect one.

Exit status: 0 done, 1 a file could not be written, 2 the command line or the input is wrong.)";

struct options {
  std::string data;
  std::string series;
  std::string detector;
  std::string results;
  std::string thresholds;
  std::string profile;
  std::string out;
};

int complain(int status, const std::string& problem) {
  std::fputs(fmt::format("nab: {}\n", problem).c_str(), stderr);
  return status;
}

/// Runs a detector over the corpus; series are independent, so each worker takes the next one.
detector_run run_detector(std::string_view name, const std::vector<labelled_series>& corpus) {
  detector_run run{std::string{name}, std::vector<std::vector<double>>(corpus.size())};
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < corpus.size();)
      run.scores[i] = detect(name, corpus[i].data);
  };
  std::vector<std::jthread> workers(std::max(1u, std::thread::hardware_concurrency()) - 1);
  for (auto& w : workers)
    w = std::jthread{work};
  work();
  workers.clear(); // joins
  return run;
}

detector_run read_run(const std::string& folder, const std::vector<labelled_series>& corpus) {
  std::filesystem::path path{folder};
  if (!path.has_filename())
    path = path.parent_path();
  detector_run run{path.filename().string(), {}};
  for (const auto& one : corpus) {
    const std::string file = results_path(folder, run.name, one.data.name);
    run.scores.push_back(read_scores(file));
    if (run.scores.back().size() != one.data.rows.size())
      throw input_error{
          fmt::format("{}: {} rows, but the series has {}", file, run.scores.back().size(), one.data.rows.size())};
  }
  return run;
}

void report(const detector_run& run, const std::vector<corpus_score>& scores) {
  for (const auto& s : scores)
    fmt::print("{:<18} {:<20} {:>10.6g} {:>10.4f} {:>7.2f}\n", run.name, s.weights.name, s.threshold, s.raw,
               s.normalised);
}

int score_corpus(const options& opts) {
  const auto corpus = read_corpus(opts.data);
  if (std::all_of(corpus.begin(), corpus.end(), [](const auto& one) { return one.windows.empty(); }))
    throw input_error{opts.data + "/labels/combined_windows.json: no window, so there is nothing to score"};
  std::vector<detector_run> runs;
  if (!opts.results.empty())
    runs.push_back(read_run(opts.results, corpus));
  for (const auto name : detector_names)
    if (opts.results.empty() && (opts.detector.empty() || opts.detector == name))
      runs.push_back(run_detector(name, corpus));

  fmt::print("{:<18} {:<20} {:>10} {:>10} {:>7}\n", "detector", "profile", "threshold", "raw", "score");
  for (const auto& run : runs) {
    const auto given = opts.thresholds.empty() ? std::map<std::string, double, std::less<>>{}
                                               : read_thresholds(opts.thresholds, run.name);
    std::vector<corpus_score> scores;
    for (const auto& p : profiles)
      if (opts.profile.empty() || opts.profile == p.name) {
        const auto threshold = given.find(p.name);
        scores.push_back(score(corpus, run, p, threshold == given.end() ? nullptr : &threshold->second));
      }
    report(run, scores);
    if (!opts.out.empty())
      write_results(opts.out + "/" + run.name, corpus, run, scores);
  }
  return 0;
}

int score_series(const options& opts) {
  const auto data = read_series(opts.series, opts.series);
  const auto scores = detect(opts.detector.empty() ? detector_names[0] : opts.detector, data);
  fmt::print("timestamp,value,anomaly_score\n");
  for (std::size_t i = 0; i < scores.size(); ++i)
    fmt::print("{},{},{}\n", to_text(data.rows[i].time), data.rows[i].value, scores[i]);
  return 0;
}

/// What is wrong with the options together; empty if nothing.
std::string fault_of(const options& opts) {
  if (opts.data.empty() == opts.series.empty())
    return "one of --data and --series is needed";
  if (!opts.series.empty() && !(opts.results + opts.thresholds + opts.profile + opts.out).empty())
    return "--series: goes with --detector alone";
  if (!opts.results.empty() && !opts.detector.empty())
    return "--results: does not go with --detector";
  if (!opts.detector.empty() && make_detector(opts.detector) == nullptr)
    return fmt::format("--detector: '{}' is not one of {}", opts.detector, fmt::join(detector_names, ", "));
  std::vector<std::string_view> names;
  for (const auto& p : profiles)
    names.push_back(p.name);
  if (!opts.profile.empty() && std::find(names.begin(), names.end(), opts.profile) == names.end())
    return fmt::format("--profile: '{}' is not one of {}", opts.profile, fmt::join(names, ", "));
  return {};
}

} // namespace

int main(int argc, char** argv) {
  options opts;
  CLI::App app{"Scores anomaly detectors by the rules of the Numenta Anomaly Benchmark."};
  app.footer(help_footer);
  app.add_option("--data", opts.data, "Folder of the benchmark")->type_name("DIR");
  app.add_option("--series", opts.series, "One series instead, without labels")->type_name("FILE");
  app.add_option("--detector", opts.detector, fmt::format("One of {}", fmt::join(detector_names, ", ")))
      ->type_name("NAME");
  app.add_option("--profile", opts.profile, "standard, reward_low_FP_rate or reward_low_FN_rate")->type_name("NAME");
  app.add_option("--results", opts.results, "Score these results files instead of running a detector")
      ->type_name("DIR");
  app.add_option("--thresholds", opts.thresholds, "Thresholds by detector and profile")->type_name("FILE");
  app.add_option("--out", opts.out, "Write results files below DIR/<detector>")->type_name("DIR");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain(exit_bad_input, e.what());
  }
  if (const auto fault = fault_of(opts); !fault.empty())
    return complain(exit_bad_input, fault);
  try {
    const int status = opts.series.empty() ? score_corpus(opts) : score_series(opts);
    return std::fflush(stdout) == 0 ? status : complain(exit_failed, "standard output could not be written");
  } catch (const input_error& e) {
    return complain(exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(exit_failed, e.what());
  }
}
