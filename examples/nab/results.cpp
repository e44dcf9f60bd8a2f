// SPDX-License-Identifier: BSD-3-Clause
#include "results.hpp"

#include "text/output_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace nab {

namespace {

std::vector<scored_series> views(const std::vector<labelled_series>& corpus, const detector_run& run) {
  std::vector<scored_series> result;
  for (std::size_t i = 0; i < corpus.size(); ++i)
    result.push_back({run.scores[i], corpus[i].windows});
  return result;
}

bool labelled(std::size_t row, const std::vector<window>& windows) {
  return std::any_of(windows.begin(), windows.end(),
                     [row](const window& w) { return w.first <= row && row <= w.last; });
}

void write(const std::string& path, std::string_view text) {
  std::error_code problem;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), problem);
  if (problem)
    throw text::output_error{fmt::format("{}: its folder cannot be created: {}", path, problem.message())};
  text::write_output(path, text);
}

} // namespace

corpus_score score(const std::vector<labelled_series>& corpus, const detector_run& run, const profile& weights,
                   const double* threshold) {
  const auto all = views(corpus, run);
  std::size_t windows = 0;
  for (const auto& one : all)
    windows += one.windows.size();
  corpus_score result{weights, 0, 0, 0};
  if (threshold != nullptr) {
    result.threshold = *threshold;
    for (const auto& one : all)
      result.raw += raw_score(one, *threshold, weights);
  } else {
    const auto best = best_threshold(all, weights);
    result.threshold = best.threshold;
    result.raw = best.raw;
  }
  result.normalised = normalised_score(result.raw, windows, weights);
  return result;
}

std::string series_results(const labelled_series& one, const std::vector<double>& scores,
                           const std::vector<corpus_score>& totals) {
  std::string text = "timestamp,value,anomaly_score,label";
  std::vector<std::vector<double>> values;
  for (const auto& p : totals) {
    text += fmt::format(",S(t)_{}", p.weights.name);
    values.push_back(row_values({scores, one.windows}, p.threshold, p.weights));
  }
  text += '\n';
  for (std::size_t row = 0; row < scores.size(); ++row) {
    const auto& o = one.data.rows[row];
    fmt::format_to(std::back_inserter(text), "{},{},{},{}", to_text(o.time), o.value, scores[row],
                   labelled(row, one.windows) ? 1 : 0);
    for (const auto& v : values)
      fmt::format_to(std::back_inserter(text), ",{}", v[row]);
    text += '\n';
  }
  return text;
}

std::string profile_results(const std::vector<labelled_series>& corpus, const detector_run& run,
                            const corpus_score& total) {
  std::string text = "Detector,Profile,File,Threshold,Score,TP,TN,FP,FN,Total_Count\n";
  row_counts sum;
  std::size_t rows = 0;
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    const scored_series one{run.scores[i], corpus[i].windows};
    const auto counts = count_rows(one, total.threshold);
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", run.name, total.weights.name, corpus[i].data.name,
                        total.threshold, raw_score(one, total.threshold, total.weights), counts.true_positive,
                        counts.true_negative, counts.false_positive, counts.false_negative, one.scores.size());
    sum.true_positive += counts.true_positive;
    sum.true_negative += counts.true_negative;
    sum.false_positive += counts.false_positive;
    sum.false_negative += counts.false_negative;
    rows += one.scores.size();
  }
  return text + fmt::format("Totals,,,,{},{},{},{},{},{}\n", total.raw, sum.true_positive, sum.true_negative,
                            sum.false_positive, sum.false_negative, rows);
}

void write_results(const std::string& folder, const std::vector<labelled_series>& corpus, const detector_run& run,
                   const std::vector<corpus_score>& totals) {
  for (std::size_t i = 0; i < corpus.size(); ++i)
    write(results_path(folder, run.name, corpus[i].data.name), series_results(corpus[i], run.scores[i], totals));
  for (const auto& p : totals)
    write(fmt::format("{}/{}_{}_scores.csv", folder, run.name, p.weights.name), profile_results(corpus, run, p));
}

} // namespace nab
