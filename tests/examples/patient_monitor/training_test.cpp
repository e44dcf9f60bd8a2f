// SPDX-License-Identifier: BSD-3-Clause
// Claim: labels follow their rule, a model is trained and tried on different beats, and what is in the repository is what
// its command gives.
// Observed: small cases by hand, messages in full, and, if it is at hand (see support/shared_data.hpp), the real record.
#include "patient_monitor/training.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_directory.hpp"
#include "text/csv.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace patient_monitor;

namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const text::input_error& e) {
    return e.what();
  }
  return {};
}

} // namespace

TEST_CASE("training labels: a beat is premature if its interval is short beside those around it") {
  std::vector<std::uint64_t> beats;
  for (std::uint64_t t = 0; t < 10'000; t += 200)
    beats.push_back(t);
  CHECK(premature_beats(beats).empty());
  beats[20] -= 20; // 180: nine tenths
  beats[30] -= 40; // 160: eight tenths
  CHECK(premature_beats(beats) == std::vector<std::uint64_t>{beats[30]});
  CHECK(premature_beats({}).empty());
  CHECK(premature_beats({5}).empty());
}

TEST_CASE("training labels: beats are confirmed by those within 150 ms") {
  CHECK(confirmed_by({100, 500, 900}, {46, 555, 910}, 360) == std::vector<std::uint64_t>{100, 900});
  CHECK(confirmed_by({10}, {0}, 360) == std::vector<std::uint64_t>{10});
}

TEST_CASE("training labels: annotations are read, and faults are named with their line") {
  const support::temporary_directory folder;
  const auto path = folder / "a.csv";
  const auto said = [&](std::string_view text) {
    std::ofstream{path} << text;
    const auto what = message_of([&] { read_annotations(path); });
    return what.starts_with(path) ? what.substr(path.size()) : what;
  };
  CHECK(said("sample,symbol\n18,+\n77,N\n370,A\n662,V\n662,~\n700,L\n") == "");
  CHECK(read_annotations(path) == std::vector<std::uint64_t>{370, 662});
  CHECK(said("sample;symbol\n") == ":1: the header is 'sample;symbol', not 'sample,symbol'");
  CHECK(said("sample,symbol\nx,N\n") == ":2: sample: 'x' is not a sample's number");
  CHECK(said("sample,symbol\n7,N\n6,N\n") == ":3: sample: 6 comes after 7");
  CHECK(said("sample,symbol\n7,NN\n") == ":2: symbol: 'NN' is not one character");
  CHECK(said("sample,symbol\n7\n") == ":2: 1 fields, not 2");
}

TEST_CASE("training: a model is read as it was written, and faults of its file are named") {
  const support::temporary_directory folder;
  const auto path = folder / "model.json";
  model_file m;
  m.model = {{-1.25, {{0.8, 0.1, 1}, {0.05, 0.02, -2}, {0.05, 0.02, 3}, {0.1, 0.2, 0.5}, {0.1, 0.1, 0}}}, 0.75};
  const auto text = to_json(m);
  std::ofstream{path} << text;
  const auto back = read_model(path);
  CHECK(back.model.threshold == 0.75);
  CHECK(back.model.weights.bias() == -1.25);
  CHECK(back.model.weights.terms()[2].weight == 3);
  CHECK(back.model.weights.terms()[0].mean == 0.8);
  const auto said = [&](std::string_view content) {
    std::ofstream{path} << content;
    const auto what = message_of([&] { read_model(path); });
    return what.starts_with(path) ? what.substr(path.size()) : what;
  };
  CHECK(said("{\n\n nonsense") == ":3: is not JSON");
  CHECK(said("{}") == ": /model/features/mean_rr/mean is not a number");
  auto endless = text;
  endless.replace(endless.find("-1.25"), 5, "1e999");
  CHECK(said(endless) == ": holds a number that is out of range");
  auto flat = text;
  flat.replace(flat.find("\"deviation\": 0.1"), 16, "\"deviation\": 0.0");
  CHECK(said(flat) == ": /model/features/mean_rr/deviation is not above 0");
  CHECK(message_of([] { read_model("/nowhere/m.json"); }) ==
        "/nowhere/m.json: cannot be opened: No such file or directory");
}

TEST_CASE("training: a record without premature beats cannot be learnt from") {
  const std::string path = TROUPE_SOURCE_DIR "/examples/ecg/sample.csv";
  const auto said = message_of([&] { train_model(path, {.rate = 250}); });
  CHECK(said.find("too few") != std::string::npos);
}

TEST_CASE("training: a record in which all beats are premature cannot be learnt from") {
  const support::temporary_directory folder;
  const auto annotations = folder / "a.csv";
  {
    std::ofstream file{annotations};
    file << "sample,symbol\n";
    for (int sample = 0; sample < 6'000; sample += 50)
      file << sample << ",V\n";
  }
  const std::string path = TROUPE_SOURCE_DIR "/examples/ecg/sample.csv";
  CHECK(message_of([&] { train_model(path, {.annotations = annotations, .rate = 250}); }) ==
        path + ": no window without a premature beat to train with, or none to try it on");
}

TEST_CASE("training: the model in the repository is what its command gives with the real record") {
  const auto record = support::shared_data("ecg/mitbih_100.csv");
  if (record.empty())
    return;
  const auto m = train_model(record.string(), {});
  CHECK(m.trained_positive > 100);
  CHECK(m.held_out.area_under_curve > 0.95);
  CHECK(m.held_out.alerted == m.held_out.premature);
  const auto stored = read_model(TROUPE_SOURCE_DIR "/examples/patient_monitor/model.json");
  for (std::size_t i = 0; i < feature_names.size(); ++i) {
    CHECK(m.model.weights.terms()[i].weight == doctest::Approx(stored.model.weights.terms()[i].weight).epsilon(1e-6));
    CHECK(m.model.weights.terms()[i].mean == doctest::Approx(stored.model.weights.terms()[i].mean).epsilon(1e-6));
  }
}
