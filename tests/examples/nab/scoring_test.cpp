// SPDX-License-Identifier: BSD-3-Clause
// Claim: scores follow the benchmark's rules, and those of its published results are the published ones.
// Observed: values computed by hand; the best threshold against trying every threshold; the corpus, if it is at hand
// (see support/shared_data.hpp).
#include "nab/corpus.hpp"
#include "nab/results.hpp"
#include "nab/scoring.hpp"
#include "support/shared_data.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

using doctest::Approx;
using namespace nab;

namespace {

const profile standard = profiles[0];

} // namespace

TEST_CASE("nab scoring: the probation is 15 percent and at most 750 rows") {
  CHECK(probation(0) == 0);
  CHECK(probation(6) == 0);
  CHECK(probation(100) == 15);
  CHECK(probation(4'032) == 604);
  CHECK(probation(22'695) == 750);
}

TEST_CASE("nab scoring: a detection counts by its place") {
  const std::vector<window> windows{{100, 109}, {200, 219}};
  const auto value = [&](std::size_t row) { return detection_value(row, windows, standard); };
  const auto sigmoid = [](double x) { return 2 / (1 + std::exp(5 * x)) - 1; };
  CHECK(value(99) == -0.11);
  CHECK(value(100) == Approx(1));
  CHECK(value(105) == Approx(sigmoid(-0.5) / sigmoid(-1)));
  CHECK(value(109) == Approx(sigmoid(-0.1) / sigmoid(-1)));
  CHECK(value(118) == Approx(0.11 * sigmoid(1)));
  CHECK(value(137) == -0.11); // more than three widths behind
  CHECK(value(200) == Approx(1));
}

TEST_CASE("nab scoring: only the best detection of a window counts and a missed window costs") {
  const std::vector<window> windows{{100, 109}, {200, 219}};
  std::vector<double> scores(300);
  CHECK(raw_score({scores, windows}, 0.5, standard) == -2);
  scores[10] = scores[105] = scores[108] = scores[150] = 0.5; // the first one is in the probation
  const double best = detection_value(105, windows, standard);
  CHECK(raw_score({scores, windows}, 0.5, standard) == Approx(best - 0.11 - 1));
  const auto rows = row_values({scores, windows}, 0.5, standard);
  CHECK(rows[105] == Approx(best));
  CHECK(rows[108] == 0);
  CHECK(rows[200] == -1);
  const auto counts = count_rows({scores, windows}, 0.5);
  CHECK(counts.true_positive == 2);
  CHECK(counts.false_negative == 28);
  CHECK(counts.false_positive == 1);
  CHECK(counts.true_negative == 224);
}

TEST_CASE("nab scoring: no detection is 0 and a perfect one 100 in every profile") {
  const std::vector<window> windows{{100, 109}, {200, 219}};
  std::vector<double> scores(300);
  for (const auto& p : profiles) {
    CHECK(normalised_score(raw_score({scores, windows}, 0.5, p), 2, p) == 0);
    auto perfect = scores;
    perfect[100] = perfect[200] = 1;
    CHECK(normalised_score(raw_score({perfect, windows}, 0.5, p), 2, p) == Approx(100));
  }
}

TEST_CASE("nab scoring: the best threshold is as good as any that is tried") {
  std::mt19937 random{1};
  for (int round = 0; round < 50; ++round) {
    CAPTURE(round);
    std::vector<std::vector<double>> scores(3);
    const std::vector<std::vector<window>> windows{{{60, 69}, {100, 119}}, {}, {{50, 54}}};
    std::vector<scored_series> corpus;
    for (std::size_t i = 0; i < 3; ++i) {
      for (int row = 0; row < 150; ++row)
        scores[i].push_back(random() % 10 == 0 ? static_cast<double>(random() % 20) / 20 : 0);
      corpus.push_back({scores[i], windows[i]});
    }
    for (const auto& p : profiles) {
      const auto found = best_threshold(corpus, p);
      const auto total = [&](double threshold) {
        double sum = 0;
        for (const auto& one : corpus)
          sum += raw_score(one, threshold, p);
        return sum;
      };
      CHECK(found.raw == Approx(total(found.threshold)));
      for (int t = 0; t <= 21; ++t)
        CHECK(total(t / 20.0) <= found.raw + 1e-9);
    }
  }
}

TEST_CASE("nab scoring: the published results of the windowed Gaussian give its published scores") {
  const auto folder = support::shared_data("nab");
  if (folder.empty())
    return;
  const auto corpus = read_corpus(folder.string());
  REQUIRE(corpus.size() == 58);
  detector_run run{"windowedGaussian", {}};
  for (const auto& one : corpus)
    run.scores.push_back(read_scores(results_path((folder / "results" / run.name).string(), run.name, one.data.name)));
  const auto thresholds = read_thresholds((folder / "config/thresholds.json").string(), run.name);
  const double published[] = {39.649523496077585, 20.86798582474138, 47.4100271583046};
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(profiles[i].name);
    const double threshold = thresholds.find(profiles[i].name)->second;
    CHECK(std::abs(score(corpus, run, profiles[i], &threshold).normalised - published[i]) < 1e-9);
    CHECK(score(corpus, run, profiles[i]).normalised >= published[i] - 1e-9); // the best threshold
  }
}
