// SPDX-License-Identifier: BSD-3-Clause
#include "model_file.hpp"

#include "text/csv.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace patient_monitor {

namespace {

using nlohmann::ordered_json;

class reader {
public:
  explicit reader(const std::string& path) : path_{path} {
    std::string all;
    text::for_each_line(path, [&](std::size_t, std::string_view line) { (all += line) += '\n'; });
    try {
      json_ = ordered_json::parse(all);
    } catch (const ordered_json::parse_error& e) {
      const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, all.size()));
      text::fail(path, static_cast<std::size_t>(1 + std::count(all.begin(), end, '\n')), "is not JSON");
    } catch (const ordered_json::out_of_range&) {
      throw text::input_error{path + ": holds a number that is out of range"};
    }
  }

  double number(const std::string& pointer) const {
    const ordered_json::json_pointer at{pointer};
    if (!json_.contains(at) || !json_[at].is_number() || !std::isfinite(json_[at].get<double>()))
      throw text::input_error{fmt::format("{}: {} is not a number", path_, pointer)};
    return json_[at].get<double>();
  }

private:
  std::string path_;
  ordered_json json_;
};

/// Six significant digits: what a person wants to read.
double rounded(double x) { return std::stod(fmt::format("{:.6g}", x)); }

} // namespace

model_file read_model(const std::string& path) {
  const reader r{path};
  model_file m;
  std::vector<troupe::analytics::logistic_model::term> terms;
  for (const auto name : feature_names) {
    const std::string at = fmt::format("/model/features/{}", name);
    terms.push_back({r.number(at + "/mean"), r.number(at + "/deviation"), r.number(at + "/weight")});
    if (!(terms.back().deviation > 0))
      throw text::input_error{fmt::format("{}: {}/deviation is not above 0", path, at)};
  }
  m.model = {{r.number("/model/bias"), std::move(terms)}, r.number("/model/threshold")};
  return m;
}

std::string to_json(const model_file& m) {
  ordered_json j;
  j["what"] = "Logistic regression: the probability that one of the last 10 beats came too early.";
  j["command"] = m.command;
  j["record"] = {{"file", m.record}, {"lead", m.lead}, {"rate", m.rate}};
  j["labels"] = m.labels;
  j["trained_with"] = {{"windows", m.trained_windows}, {"positive", m.trained_positive}};
  const auto& h = m.held_out;
  j["held_out"] = {{"windows", h.windows},
                   {"positive", h.positive},
                   {"area_under_curve", rounded(h.area_under_curve)},
                   {"accuracy", rounded(h.accuracy)},
                   {"sensitivity", rounded(h.sensitivity)},
                   {"specificity", rounded(h.specificity)},
                   {"premature_beats", h.premature},
                   {"alerted", h.alerted},
                   {"false_alerts", h.false_alerts},
                   {"hours", rounded(h.hours)}};
  j["model"] = {{"threshold", m.model.threshold}, {"bias", m.model.weights.bias()}};
  for (std::size_t i = 0; i < feature_names.size(); ++i) {
    const auto& t = m.model.weights.terms()[i];
    j["model"]["features"][std::string{feature_names[i]}] = {
        {"mean", t.mean}, {"deviation", t.deviation}, {"weight", t.weight}};
  }
  return j.dump(2) + "\n";
}

} // namespace patient_monitor
