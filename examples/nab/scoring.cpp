// SPDX-License-Identifier: BSD-3-Clause
#include "scoring.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace nab {

namespace {

double sigmoid(double x) { return x > 3.0 ? -1.0 : 2.0 / (1.0 + std::exp(5.0 * x)) - 1.0; }

double inside(std::size_t row, const window& w, const profile& weights) {
  const auto width = static_cast<double>(w.last - w.first + 1);
  const auto position = -static_cast<double>(w.last - row + 1) / width;
  return sigmoid(position) * weights.true_positive / sigmoid(-1.0);
}

double outside(std::size_t row, const window* previous, const profile& weights) {
  if (previous == nullptr)
    return -weights.false_positive;
  const auto past = static_cast<double>(row - previous->last);
  return sigmoid(past / static_cast<double>(previous->last - previous->first)) * weights.false_positive;
}

/// The window that holds `row`, and the last one that ends before it; null where there is none.
struct neighbours {
  const window* around = nullptr;
  const window* before = nullptr;
};

neighbours find(std::size_t row, std::span<const window> windows) {
  const auto next =
      std::partition_point(windows.begin(), windows.end(), [row](const window& w) { return w.last < row; });
  neighbours found;
  if (next != windows.end() && next->first <= row)
    found.around = &*next;
  if (next != windows.begin())
    found.before = &*(next - 1);
  return found;
}

double value_of(std::size_t row, const neighbours& near, const profile& weights) {
  return near.around != nullptr ? inside(row, *near.around, weights) : outside(row, near.before, weights);
}

struct detection {
  double score;
  double value;
  std::optional<std::size_t> window; // over the corpus
};

std::vector<detection> detections_of(std::span<const scored_series> corpus, const profile& weights) {
  std::vector<detection> all;
  std::size_t windows_before = 0;
  for (const auto& one : corpus) {
    for (std::size_t row = probation(one.scores.size()); row < one.scores.size(); ++row) {
      const auto near = find(row, one.windows);
      detection d{one.scores[row], value_of(row, near, weights), {}};
      if (near.around != nullptr)
        d.window = windows_before + static_cast<std::size_t>(near.around - one.windows.data());
      all.push_back(d);
    }
    windows_before += one.windows.size();
  }
  return all;
}

} // namespace

std::size_t probation(std::size_t rows) { return std::min<std::size_t>(rows * 3 / 20, 750); }

double detection_value(std::size_t row, std::span<const window> windows, const profile& weights) {
  return value_of(row, find(row, windows), weights);
}

std::vector<double> row_values(const scored_series& one, double threshold, const profile& weights) {
  std::vector<double> values(one.scores.size());
  std::vector<std::optional<std::size_t>> best(one.windows.size()); // rows
  for (std::size_t row = probation(one.scores.size()); row < one.scores.size(); ++row) {
    if (one.scores[row] < threshold)
      continue;
    const auto near = find(row, one.windows);
    const double value = value_of(row, near, weights);
    if (near.around == nullptr) {
      values[row] = value;
      continue;
    }
    auto& leader = best[static_cast<std::size_t>(near.around - one.windows.data())];
    if (!leader || value > values[*leader]) {
      if (leader)
        values[*leader] = 0;
      leader = row;
      values[row] = value;
    }
  }
  for (std::size_t w = 0; w < best.size(); ++w)
    if (!best[w])
      values[one.windows[w].first] = -weights.false_negative;
  return values;
}

double raw_score(const scored_series& one, double threshold, const profile& weights) {
  const auto values = row_values(one, threshold, weights);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

row_counts count_rows(const scored_series& one, double threshold) {
  row_counts counts;
  for (std::size_t row = probation(one.scores.size()); row < one.scores.size(); ++row) {
    const bool detected = one.scores[row] >= threshold;
    const bool labelled = find(row, one.windows).around != nullptr;
    ++(labelled ? (detected ? counts.true_positive : counts.false_negative)
                : (detected ? counts.false_positive : counts.true_negative));
  }
  return counts;
}

double normalised_score(double raw, std::size_t windows, const profile& weights) {
  assert(windows > 0);
  const auto count = static_cast<double>(windows);
  const double null = -count * weights.false_negative;
  const double perfect = count * weights.true_positive;
  return 100.0 * (raw - null) / (perfect - null);
}

optimum best_threshold(std::span<const scored_series> corpus, const profile& weights) {
  std::size_t windows = 0;
  for (const auto& one : corpus)
    windows += one.windows.size();
  auto all = detections_of(corpus, weights);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });

  // From no detection at all down to every row: only windows whose best detection changes and false alarms move the sum.
  std::vector<double> best(windows, -weights.false_negative);
  double raw = -static_cast<double>(windows) * weights.false_negative;
  optimum found{std::numeric_limits<double>::infinity(), raw};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& d = all[i];
    if (!d.window) {
      raw += d.value;
    } else if (d.value > best[*d.window]) {
      raw += d.value - best[*d.window];
      best[*d.window] = d.value;
    }
    const bool last_of_equals = i + 1 == all.size() || all[i + 1].score < d.score;
    if (last_of_equals && raw > found.raw)
      found = {d.score, raw};
  }
  return found;
}

} // namespace nab
