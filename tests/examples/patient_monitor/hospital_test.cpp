// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever fails, each patient has the beats and the alerts that its stream gives at once, a failure restarts that
// patient alone, and alerts reach the log in time; and the report says so when it is not so.
// Observed: the sample record, made signals and, if it is at hand (see support/shared_data.hpp), the real record in
// simulated time, the log, and charts that were tampered with.
#include "ecg/record.hpp"
#include "patient_monitor/hospital.hpp"
#include "support/shared_data.hpp"
#include "support/stepped_system.hpp"
#include "support/temporary_directory.hpp"
#include "text/csv.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

using namespace patient_monitor;
using namespace std::chrono_literals;

namespace {

/// Speaks where neighbouring intervals differ by more than about 50 ms.
std::shared_ptr<const rhythm_model> model() {
  return std::make_shared<const rhythm_model>(
      rhythm_model{{-5, {{0, 1, 0}, {0, 1, 0}, {0, 1, 100}, {0, 1, 0}, {0, 1, 0}}}, 0.5});
}

recording sample(double speed) {
  const auto path = std::string{TROUPE_SOURCE_DIR} + "/examples/ecg/sample.csv";
  return {ecg::read_record(path).front().samples, 250, speed};
}

/// A lead with an R peak of 10 ms at each of these times, s; with a little noise, as no lead is without.
std::vector<double> lead_with(const std::vector<double>& beats, double seconds, double rate = 250) {
  std::vector<double> samples(static_cast<std::size_t>(seconds * rate));
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = 0.01 * std::sin(static_cast<double>(i) * 1.7) + 0.005 * std::sin(static_cast<double>(i) * 0.37);
  for (const double b : beats)
    for (int d = -12; d <= 12; ++d) {
      const auto at = static_cast<std::ptrdiff_t>(b * rate) + d;
      if (at >= 0 && at < static_cast<std::ptrdiff_t>(samples.size()))
        samples[static_cast<std::size_t>(at)] += std::exp(-0.5 * d * d / 9.0);
    }
  return samples;
}

std::vector<finding> findings_in(const std::vector<double>& samples) {
  bedside watch{250, model()};
  std::vector<finding> all;
  for (const double s : samples) {
    const auto found = watch.add(s);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

report run(const recording& source, const hospital_options& options, std::chrono::nanoseconds time) {
  hospital h{source, model(), options, support::stepped(options.seed)};
  for (auto passed = 0ns; passed < time && !h.finished(); passed += 50ms)
    h.pass(50ms);
  return h.finish();
}

void check_holds(const report& r) {
  for (const auto& i : r.invariants) {
    CAPTURE(i.what);
    CHECK(i.holds);
  }
}

bool holds(const report& r, std::string_view part) {
  const auto found = std::find_if(r.invariants.begin(), r.invariants.end(),
                                  [&](const invariant& i) { return i.what.find(part) != std::string::npos; });
  REQUIRE(found != r.invariants.end());
  return found->holds;
}

/// Charts of three patients whose streams have gone well.
struct charts {
  recording source = sample(1);
  std::shared_ptr<const rhythm_model> weights = model();
  ward_figures figures;
  std::vector<std::shared_ptr<chart>> all;
  alert_log::summary logged;

  charts() {
    for (std::uint64_t i = 0; i < 3; ++i) {
      all.push_back(std::make_shared<chart>(i, 1, 1'000 * i, 5'000, source, weights, figures));
      auto& c = *all.back();
      c.incarnations = 1;
      for (std::uint64_t s = 0; s < c.length; ++s)
        for (const auto& f : c.watch.add(source.samples[(c.first + s) % source.samples.size()])) {
          c.found.push_back(f);
          ++logged.alerts[static_cast<std::size_t>(f.what)];
        }
    }
  }

  report judged() const {
    audit a{source, weights, all, logged};
    a.reaching_most = 100ms;
    a.failures_of = {0, 0, 0};
    a.log_ended = a.at_rest = a.clean_end = true;
    return make_report(a);
  }
};

} // namespace

TEST_CASE("hospital: each patient has the beats of its stream and alerts reach the log in time") {
  const auto source = sample(1);
  const auto r = run(source, {.patients = 20, .wards = 3}, 30s);
  check_holds(r);
  CHECK(r.beats > 20 * 30);
  CHECK(r.beats == r.batch_beats);
  CHECK(r.restarts == 0);
  CHECK(r.alerts[0] > 0); // where the record's end meets its start
  CHECK(r.knowing.max <= 4s);
  CHECK(r.reaching.max <= 500ms); // a packet
}

TEST_CASE("hospital: with failures everywhere nothing is missed and only those who failed are restarted") {
  const auto source = sample(1);
  const auto r = run(source, {.patients = 20, .wards = 3, .crash_rate = 0.2, .seed = 4}, 30s);
  check_holds(r);
  CHECK(r.failures > 100);
  const auto calm = run(source, {.patients = 20, .wards = 3, .length = 25}, 40s);
  const auto rough = run(source, {.patients = 20, .wards = 3, .length = 25, .crash_rate = 0.2}, 40s);
  CHECK(calm.beats == rough.beats);
  CHECK(std::equal(std::begin(calm.alerts), std::end(calm.alerts), std::begin(rough.alerts)));
}

TEST_CASE("hospital: the same seed gives the same run") {
  const auto source = sample(2);
  const hospital_options o{.patients = 12, .wards = 2, .crash_rate = 0.1, .seed = 8};
  CHECK(to_json(run(source, o, 10s)) == to_json(run(source, o, 10s)));
}

TEST_CASE("hospital: at full speed each stream is the record once, or as long as it is told to be") {
  const auto source = sample(0);
  const auto once = run(source, {.patients = 6, .wards = 2, .crash_rate = 0.05}, 10s);
  check_holds(once);
  CHECK(once.stream_hours == doctest::Approx(6 * 24.0 / 3600));
  const auto longer = run(source, {.patients = 6, .wards = 2, .length = 200}, 10s);
  check_holds(longer);
  CHECK(longer.stream_hours == doctest::Approx(6 * 200.0 / 3600));
  CHECK(longer.measured == 6); // two minutes make a spectrum
  CHECK(longer.low_to_high.half > 0);
}

TEST_CASE("hospital: with the real record and failures each patient has the beats of its stream") {
  const auto path = support::shared_data("ecg/mitbih_100.csv");
  if (path.empty())
    return;
  const recording source{ecg::read_record(path.string()).front().samples, 360, 1};
  const auto r = run(source, {.patients = 60, .wards = 4, .length = 30, .crash_rate = 0.05}, 60s);
  check_holds(r);
  CHECK(r.beats > 60 * 30);
  CHECK(r.heart_rate.half == doctest::Approx(75.5).epsilon(0.05)); // as over the whole record
}

TEST_CASE("hospital: the log has a line for each alert") {
  const support::temporary_directory folder;
  const auto source = sample(0);
  const auto r =
      run(source, {.patients = 9, .wards = 2, .length = 100, .crash_rate = 0.1, .alerts = folder / "a.csv"}, 10s);
  check_holds(r);
  std::uint64_t alerts = 0;
  for (const auto n : r.alerts)
    alerts += n;
  const auto lines = text::read_lines(folder / "a.csv");
  CHECK(lines.size() == alerts + 1);
  for (const auto& line : lines)
    CHECK(text::fields_of(line).size() == 7);
}

TEST_CASE("patient report: good charts hold and each kind of fault is seen") {
  check_holds(charts{}.judged());
  {
    charts c;
    (void)c.all[1]->watch.add(0); // a sample that the stream does not have
    for (int i = 0; i < 999; ++i)
      (void)c.all[1]->watch.add(i % 250 == 0 ? 5 : 0);
    CHECK_FALSE(holds(c.judged(), "the beats that the detector finds"));
  }
  {
    charts c;
    c.all[2]->found.push_back({1, 2, 3, alert_kind::slow});
    CHECK_FALSE(holds(c.judged(), "the alerts that its stream gives"));
    CHECK_FALSE(holds(c.judged(), "in the log once"));
  }
  {
    charts c;
    c.all[0]->incarnations = 2;
    CHECK_FALSE(holds(c.judged(), "and no other"));
  }
  {
    charts c;
    c.logged.knowing.record(5s);
    CHECK_FALSE(holds(c.judged(), "was known within 4 s"));
    c.logged.reaching.record(101ms);
    CHECK_FALSE(holds(c.judged(), "reached the log within 100 ms"));
  }
}

TEST_CASE("bedside: a heart that stops, one that races and one that is slow are noticed once each") {
  std::vector<double> beats;
  for (double t = 0.5; t < 30; t += 0.8)
    beats.push_back(t);
  const auto pause = findings_in(lead_with(beats, 40));
  REQUIRE(pause.size() == 1);
  CHECK(pause[0].what == alert_kind::pause);
  CHECK(pause[0].about == doctest::Approx((beats.back() + 4) * 250).epsilon(0.001));
  CHECK(pause[0].decided == pause[0].about);

  beats.clear();
  for (double t = 0.5; t < 15; t += 0.8)
    beats.push_back(t);
  for (double t = beats.back() + 0.4; t < 40; t += 0.4)
    beats.push_back(t);
  auto fast = findings_in(lead_with(beats, 40));
  std::erase_if(fast, [](const finding& f) { return f.what == alert_kind::irregular; });
  REQUIRE(fast.size() == 1);
  CHECK(fast[0].what == alert_kind::fast);
  CHECK(fast[0].value > 120);

  beats.clear();
  for (double t = 0.5; t < 60; t += 1.7)
    beats.push_back(t);
  auto slow = findings_in(lead_with(beats, 60));
  REQUIRE(slow.size() == 1);
  CHECK(slow[0].what == alert_kind::slow);
  CHECK(slow[0].value == doctest::Approx(60 / 1.7).epsilon(0.01));
}

TEST_CASE("bedside: an early beat is one alert while it is in the window") {
  std::vector<double> beats;
  for (double t = 0.5; t < 40; t += 0.8)
    beats.push_back(t);
  beats[25] -= 0.25;
  const auto found = findings_in(lead_with(beats, 40));
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == alert_kind::irregular);
  CHECK(found[0].about == doctest::Approx(beats[25] * 250).epsilon(0.001));
  CHECK(found[0].decided - found[0].about <= 250);
}

TEST_CASE("rhythm: features are those of their definitions") {
  rhythm r{250};
  const auto lead = lead_with({}, 20);
  for (const double s : lead)
    r.add(s);
  // Intervals 0.8 s, but for one of 0.7 and one of 0.9.
  std::optional<features> last;
  std::uint64_t at = 250;
  for (const std::uint64_t length : {200u, 200u, 200u, 175u, 225u, 200u, 200u, 200u, 200u, 200u}) {
    CHECK_FALSE(last);
    last = r.add({at, at, 1});
    at += length;
  }
  CHECK_FALSE(last);
  last = r.add({at, at, 1});
  REQUIRE(last);
  const auto& x = *last;
  CHECK(x[0] == doctest::Approx(0.8));
  CHECK(x[1] == doctest::Approx(std::sqrt(0.02 / 9)));
  CHECK(x[2] == doctest::Approx(std::sqrt((0.01 + 0.04 + 0.01) / 9)));
  CHECK(x[3] == doctest::Approx(3.0 / 9));
  CHECK(x[4] >= 0);
  CHECK(x[4] <= 2);
}

TEST_CASE(
    "rhythm: what is usual is learnt anew after eight strange complexes, even if the eighth is no complex at all") {
  constexpr std::uint64_t apart = 200;
  constexpr std::uint64_t flat_from = 2; // the first that is told; eight flat ones make that usual
  rhythm r{250};
  std::vector<double> shapes;
  for (std::uint64_t beat = 0; beat < 40; ++beat) {
    const bool flat = beat >= flat_from && beat < flat_from + 9;
    for (std::uint64_t i = 0; i < apart; ++i)
      r.add(i == apart / 2 && !flat ? 1 : 0);
    if (const auto x = r.add({beat * apart + apart / 2, beat * apart + apart - 1, 1}))
      shapes.push_back((*x)[4]);
  }
  CHECK(shapes.front() > 0.9);
  CHECK(shapes.back() < 0.2);
}

TEST_CASE(
    "rhythm: a complex cut off by the start is not held against those that follow, and a new shape becomes usual") {
  std::vector<double> beats;
  for (double t = 0.01; t < 40; t += 0.8)
    beats.push_back(t);
  CHECK(findings_in(lead_with(beats, 40)).empty());

  rhythm r{250};
  auto lead = lead_with(beats, 40);
  for (std::size_t i = lead.size() / 2; i < lead.size(); ++i)
    lead[i] = -lead[i]; // the lead is turned round
  std::vector<double> shapes;
  std::size_t next = 1;
  for (std::size_t i = 0; i < lead.size(); ++i) {
    r.add(lead[i]);
    const auto peak = static_cast<std::uint64_t>(beats[next] * 250);
    if (i < peak + 50)
      continue;
    if (const auto x = r.add({peak, i, 1}))
      shapes.push_back((*x)[4]);
    if (++next == beats.size())
      break;
  }
  CHECK(shapes.front() < 0.2);
  CHECK(*std::max_element(shapes.begin(), shapes.end()) > 1.5);
  CHECK(shapes.back() < 0.2);
}
