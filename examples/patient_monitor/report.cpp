// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>

namespace patient_monitor {

namespace {

namespace analytics = troupe::analytics;

/// What the detectors make of a stream that is given to them at once.
struct batch_run {
  std::uint64_t beats = 0;
  std::vector<finding> found;
};

batch_run run_at_once(const audit& a, const chart& c) {
  batch_run result;
  analytics::beat_detector detector{a.source.rate};
  bedside watch{a.source.rate, a.model};
  for (std::uint64_t i = 0; i < c.watch.samples(); ++i) {
    const double sample = a.source.samples[(c.first + i) % a.source.samples.size()];
    result.beats += detector.add(sample).size();
    const auto found = watch.add(sample);
    result.found.insert(result.found.end(), found.begin(), found.end());
  }
  return result;
}

std::vector<batch_run> run_all(const audit& a) {
  std::vector<batch_run> all(a.charts.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] { // each takes the next patient
    for (std::size_t i; (i = next.fetch_add(1)) < all.size();)
      all[i] = run_at_once(a, *a.charts[i]);
  };
  std::jthread other{work};
  work();
  return all;
}

spread spread_of(std::vector<double> values) {
  if (values.empty())
    return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {at(0.1), at(0.5), at(0.9)};
}

delay_figures figures_of(const analytics::latency_histogram& h, std::chrono::microseconds bound) {
  return {h.value_at(0.5), h.value_at(0.99), h.max(), bound};
}

bool within(const delay_figures& d) { return d.bound.count() == 0 || d.max <= d.bound; }

double in_ms(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; }

void measure(report& r, const audit& a) {
  std::vector<double> low, high, ratio, rate, sdnn, rmssd;
  for (const auto& c : a.charts) {
    const auto m = c->watch.variability();
    if (m.intervals > 1) {
      rate.push_back(m.heart_rate);
      sdnn.push_back(m.sdnn * 1e3);
      rmssd.push_back(m.rmssd * 1e3);
    }
    const auto& s = c->watch.spectrum();
    if (s.span == 0)
      continue;
    low.push_back(s.low * 1e6);
    high.push_back(s.high * 1e6);
    ratio.push_back(s.low_to_high());
  }
  r.measured = low.size();
  r.low = spread_of(low);
  r.high = spread_of(high);
  r.low_to_high = spread_of(ratio);
  r.heart_rate = spread_of(rate);
  r.sdnn = spread_of(sdnn);
  r.rmssd = spread_of(rmssd);
}

} // namespace

bool report::holds() const {
  return std::all_of(invariants.begin(), invariants.end(), [](const invariant& i) { return i.holds; });
}

report make_report(const audit& a) {
  report r;
  r.patients = a.charts.size();
  r.seconds = a.seconds;
  const bool has_pace = a.source.speed > 0;
  r.knowing = figures_of(a.logged.knowing, analytics::beat_detector::delay_most);
  r.reaching = figures_of(a.logged.reaching, has_pace ? a.reaching_most : std::chrono::milliseconds{0});

  const auto batch = run_all(a);
  bool same_beats = true;
  bool same_findings = true;
  bool own_restarts = true;
  for (std::size_t i = 0; i < a.charts.size(); ++i) {
    const auto& c = *a.charts[i];
    r.stream_hours += static_cast<double>(c.watch.samples()) / a.source.rate / 3600;
    r.beats += c.watch.beats();
    r.batch_beats += batch[i].beats;
    same_beats = same_beats && c.watch.beats() == batch[i].beats;
    same_findings = same_findings && c.found == batch[i].found;
    own_restarts = own_restarts && c.incarnations == 1 + a.failures_of[i];
    r.failures += a.failures_of[i];
    r.restarts += c.incarnations - 1;
    for (const auto& f : c.found)
      ++r.alerts[static_cast<std::size_t>(f.what)];
  }
  measure(r, a);
  const bool all_logged = std::equal(a.logged.alerts.begin(), a.logged.alerts.end(), r.alerts);
  r.invariants = {
      {"every patient has the beats that the detector finds in its stream at once", a.at_rest && same_beats},
      {"every patient has the alerts that its stream gives at once", same_findings},
      {"every alert is in the log once", a.log_ended && all_logged},
      {fmt::format("every alert was known within {:.0f} s of its stream", in_ms(r.knowing.bound) / 1e3),
       within(r.knowing)},
      {has_pace ? fmt::format("every alert reached the log within {:.0f} ms", in_ms(r.reaching.bound))
                : std::string{"alerts reached the log as fast as they could"},
       within(r.reaching)},
      {"a failure restarted the patient that failed and no other", own_restarts},
      {"every message has one outcome and the system ends", a.unaccounted == 0 && a.clean_end},
  };
  return r;
}

std::string to_text(const report& r, bool color) {
  std::string text = fmt::format("patients       {:>12}\nseconds        {:>12.1f}\nstream         {:>12.2f} h\n"
                                 "beats          {:>12}\nbatch          {:>12}\n",
                                 r.patients, r.seconds, r.stream_hours, r.beats, r.batch_beats);
  for (std::size_t k = 0; k < alert_kinds; ++k)
    text += fmt::format("{:<14} {:>12}\n", name_of(static_cast<alert_kind>(k)), r.alerts[k]);
  text += fmt::format("failures       {:>12}\nrestarts       {:>12}\n\n", r.failures, r.restarts);
  text += fmt::format("{:<15}{:>12}{:>12}{:>12}\n", "delay", "p50", "p99", "max");
  for (const auto& [name, d] : {std::pair{"knowing", &r.knowing}, std::pair{"reaching", &r.reaching}})
    text += fmt::format("{:<15}{:>9.1f} ms{:>9.1f} ms{:>9.1f} ms\n", name, in_ms(d->p50), in_ms(d->p99), in_ms(d->max));
  text += fmt::format("\n{:<15}{:>12}{:>12}{:>12}\n", "patients", "10 %", "50 %", "90 %");
  const auto row = [&](const char* name, const spread& s) {
    text += fmt::format("{:<15}{:>12.1f}{:>12.1f}{:>12.1f}\n", name, s.tenth, s.half, s.nine_tenths);
  };
  row("rate /min", r.heart_rate);
  row("SDNN ms", r.sdnn);
  row("RMSSD ms", r.rmssd);
  if (r.measured > 0) {
    row("LF ms^2", r.low);
    row("HF ms^2", r.high);
    row("LF/HF", r.low_to_high);
  } else {
    text += "no spectrum: it needs two minutes of a stream\n";
  }
  text += '\n';
  return text + text::invariant_lines(r.invariants, color);
}

std::string to_json(const report& r) {
  nlohmann::ordered_json j{{"patients", r.patients}, {"seconds", r.seconds},         {"stream_hours", r.stream_hours},
                           {"beats", r.beats},       {"batch_beats", r.batch_beats}, {"failures", r.failures},
                           {"restarts", r.restarts}};
  for (std::size_t k = 0; k < alert_kinds; ++k)
    j["alerts"][name_of(static_cast<alert_kind>(k))] = r.alerts[k];
  for (const auto& [name, d] : {std::pair{"knowing", &r.knowing}, std::pair{"reaching", &r.reaching}}) {
    j["delay_ms"][name] = {{"p50", in_ms(d->p50)}, {"p99", in_ms(d->p99)}, {"max", in_ms(d->max)}};
    if (d->bound.count() > 0)
      j["delay_ms"][name]["bound"] = in_ms(d->bound);
  }
  const auto add = [&](const char* name, const spread& s) {
    j["variability"][name] = {{"p10", s.tenth}, {"p50", s.half}, {"p90", s.nine_tenths}};
  };
  add("heart_rate_per_min", r.heart_rate);
  add("sdnn_ms", r.sdnn);
  add("rmssd_ms", r.rmssd);
  j["variability"]["patients_with_spectrum"] = r.measured;
  if (r.measured > 0) {
    add("lf_ms2", r.low);
    add("hf_ms2", r.high);
    add("lf_to_hf", r.low_to_high);
  }
  for (const auto& i : r.invariants)
    j["invariants"].push_back({{"what", i.what}, {"holds", i.holds}});
  j["holds"] = r.holds();
  return j.dump(2) + "\n";
}

} // namespace patient_monitor
