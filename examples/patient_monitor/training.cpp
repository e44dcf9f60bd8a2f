// SPDX-License-Identifier: BSD-3-Clause
#include "training.hpp"

#include "text/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <utility>

namespace patient_monitor {

namespace {

namespace analytics = troupe::analytics;

constexpr std::size_t around = 7;  // intervals to each side that say what is usual
constexpr double early = 0.88;     // of the usual interval
constexpr double tolerance = 0.15; // s
constexpr std::string_view normal_symbols = "NLRej/f";
constexpr std::string_view beat_symbols = "NLRBAaJSVrFejnE/fQ?";

/// The window that a beat ends.
struct window {
  std::uint64_t first; // R peak
  std::uint64_t last;  // R peak
  features x;
};

/// All windows of a lead, and its beats, as the monitor sees them.
struct heard {
  std::vector<std::uint64_t> beats;
  std::vector<window> windows;
};

heard listen(const ecg::lead& lead, double rate) {
  heard all;
  analytics::beat_detector detector{rate};
  rhythm r{rate};
  for (const double sample : lead.samples) {
    r.add(sample);
    for (const auto& b : detector.add(sample)) {
      all.beats.push_back(b.sample);
      if (const auto x = r.add(b))
        all.windows.push_back({all.beats[all.beats.size() - 1 - rhythm::intervals], b.sample, *x});
    }
  }
  return all;
}

bool any_within(const std::vector<std::uint64_t>& sorted, std::uint64_t first, std::uint64_t last) {
  const auto next = std::lower_bound(sorted.begin(), sorted.end(), first);
  return next != sorted.end() && *next <= last;
}

/// Whether a window has an early beat: the interval that makes it early has to be in the window too.
bool is_positive(const window& w, const std::vector<std::uint64_t>& premature, std::uint64_t slack) {
  return any_within(premature, w.first + slack + 1, w.last + slack);
}

held_out_figures try_out(const rhythm_model& model, const std::vector<window>& windows,
                         const std::vector<std::uint64_t>& premature, double rate) {
  const auto slack = static_cast<std::uint64_t>(tolerance * rate);
  held_out_figures h;
  std::vector<double> scores;
  std::vector<bool> labels;
  std::vector<const window*> alerts;
  double right = 0;
  double hits = 0;
  double quiet = 0;
  for (const auto& w : windows) {
    scores.push_back(model.weights.probability(w.x));
    labels.push_back(is_positive(w, premature, slack));
    const bool says = scores.back() >= model.threshold;
    right += says == labels.back() ? 1 : 0;
    hits += says && labels.back() ? 1 : 0;
    quiet += !says && !labels.back() ? 1 : 0;
    h.positive += labels.back() ? 1 : 0;
    if (says)
      alerts.push_back(&w);
    const bool rises = says && (scores.size() == 1 || scores[scores.size() - 2] < model.threshold);
    h.false_alerts += rises && !labels.back() ? 1 : 0;
  }
  h.windows = windows.size();
  h.area_under_curve = analytics::area_under_curve(scores, labels);
  h.accuracy = right / static_cast<double>(h.windows);
  h.sensitivity = hits / static_cast<double>(h.positive);
  h.specificity = quiet / static_cast<double>(h.windows - h.positive);
  for (const auto p : premature)
    if (p > windows.front().last && p <= windows.back().last) {
      ++h.premature;
      h.alerted += std::any_of(alerts.begin(), alerts.end(),
                               [&](const window* w) { return w->first < p && p <= w->last + slack; });
    }
  h.hours = static_cast<double>(windows.back().last - windows.front().first) / rate / 3600;
  return h;
}

} // namespace

std::vector<std::uint64_t> premature_beats(const std::vector<std::uint64_t>& beats) {
  std::vector<double> lengths; // i: of the interval that ends with beat i + 1
  for (std::size_t i = 1; i < beats.size(); ++i)
    lengths.push_back(static_cast<double>(beats[i] - beats[i - 1]));
  std::vector<std::uint64_t> found;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto first = lengths.begin() + static_cast<std::ptrdiff_t>(i - std::min(i, around));
    const auto last = lengths.begin() + static_cast<std::ptrdiff_t>(std::min(i + around + 1, lengths.size()));
    std::vector<double> near(first, last);
    const auto middle = near.begin() + static_cast<std::ptrdiff_t>(near.size() / 2);
    std::nth_element(near.begin(), middle, near.end());
    if (lengths[i] < early * *middle)
      found.push_back(beats[i + 1]);
  }
  return found;
}

std::vector<std::uint64_t> confirmed_by(const std::vector<std::uint64_t>& beats,
                                        const std::vector<std::uint64_t>& others, double rate) {
  const auto slack = static_cast<std::uint64_t>(tolerance * rate);
  std::vector<std::uint64_t> both;
  std::copy_if(beats.begin(), beats.end(), std::back_inserter(both),
               [&](std::uint64_t b) { return any_within(others, b - std::min(b, slack), b + slack); });
  return both;
}

std::vector<std::uint64_t> read_annotations(const std::string& path) {
  std::vector<std::uint64_t> found;
  std::uint64_t before = 0;
  text::for_each_line(path, [&](std::size_t number, std::string_view line) {
    if (number == 1) {
      if (line != "sample,symbol")
        text::fail(path, 1, fmt::format("the header is '{}', not 'sample,symbol'", text::shown(line)));
      return;
    }
    const auto fields = text::fields_of(line);
    if (fields.size() != 2)
      text::fail(path, number, fmt::format("{} fields, not 2", fields.size()));
    std::uint64_t sample = 0;
    const auto [end, error] = std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), sample);
    if (error != std::errc{} || end != fields[0].data() + fields[0].size())
      text::fail(path, number, fmt::format("sample: '{}' is not a sample's number", text::shown(fields[0])));
    if (sample < before)
      text::fail(path, number, fmt::format("sample: {} comes after {}", sample, before));
    if (fields[1].size() != 1)
      text::fail(path, number, fmt::format("symbol: '{}' is not one character", text::shown(fields[1])));
    before = sample;
    if (beat_symbols.find(fields[1][0]) != std::string_view::npos &&
        normal_symbols.find(fields[1][0]) == std::string_view::npos)
      found.push_back(sample);
  });
  return found;
}

model_file train_model(const std::string& record_path, const training_options& options) {
  const auto record = ecg::read_record(record_path);
  const auto& lead = ecg::find_lead(record, options.lead, record_path);
  const auto all = listen(lead, options.rate);
  std::vector<std::uint64_t> premature;
  model_file m;
  if (options.annotations.empty()) {
    premature = premature_beats(all.beats);
    m.labels = "A rule over the intervals before and after each beat";
    for (const auto& other : record)
      if (&other != &lead) {
        premature = confirmed_by(premature, premature_beats(listen(other, options.rate).beats), options.rate);
        m.labels += ", confirmed by lead " + other.name;
      }
    m.labels +=
        "; no expert has seen them. Rule and model both look at intervals, the rule also at those to come and at "
        "the other leads: the figures say how well they agree, and nothing about diagnoses.";
  } else {
    premature = read_annotations(options.annotations);
    m.labels =
        "Beats that " + std::filesystem::path{options.annotations}.filename().string() + " does not call normal.";
  }

  const auto border = static_cast<std::uint64_t>(options.share * static_cast<double>(lead.samples.size()));
  const auto slack = static_cast<std::uint64_t>(tolerance * options.rate);
  std::vector<analytics::example> examples;
  std::vector<window> rest;
  for (const auto& w : all.windows)
    if (w.last < border)
      examples.push_back({{w.x.begin(), w.x.end()}, is_positive(w, premature, slack)});
    else if (w.first >= border)
      rest.push_back(w);
  m.trained_windows = examples.size();
  m.trained_positive = static_cast<std::uint64_t>(
      std::count_if(examples.begin(), examples.end(), [](const auto& e) { return e.positive; }));
  const auto in_rest =
      std::count_if(rest.begin(), rest.end(), [&](const window& w) { return is_positive(w, premature, slack); });
  if (m.trained_positive == 0 || in_rest == 0)
    throw text::input_error{
        fmt::format("{}: {} windows with a premature beat to train with, and {} to try it on: too few", record_path,
                    m.trained_positive, in_rest)};
  if (m.trained_positive == m.trained_windows || static_cast<std::size_t>(in_rest) == rest.size())
    throw text::input_error{
        fmt::format("{}: no window without a premature beat to train with, or none to try it on", record_path)};
  m.model = {analytics::train(examples), options.threshold};
  m.held_out = try_out(m.model, rest, premature, options.rate);
  m.record = std::filesystem::path{record_path}.filename().string();
  m.lead = lead.name;
  m.rate = options.rate;
  m.command = fmt::format(
      "patient_monitor --train FILE --record {}{}{}", m.record, options.lead.empty() ? "" : " --lead " + options.lead,
      options.annotations.empty() ? ""
                                  : " --annotations " + std::filesystem::path{options.annotations}.filename().string());
  return m;
}

} // namespace patient_monitor
