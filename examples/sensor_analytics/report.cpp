// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <map>
#include <thread>
#include <tuple>
#include <utility>

namespace sensor_analytics {

namespace {

/// What the detectors find in the devices' readings when these are given to them at once, by device.
///
/// Devices that have lost nothing and have the same series and first row differ in how far they came alone: one run over
/// the longest of them gives the findings of all, since a finding depends on what came before it only.
class batch_runs {
public:
  explicit batch_runs(const audit& a) : audit_{a}, findings_(a.monitors.size()) {
    std::map<std::tuple<std::size_t, std::size_t>, std::vector<std::size_t>> alike;
    std::vector<std::vector<std::size_t>> work;
    for (std::size_t i = 0; i < a.monitors.size(); ++i) {
      const auto& m = *a.monitors[i];
      if (lost_of(i).empty())
        alike[{m.plan.series(), m.plan.first_row()}].push_back(i);
      else
        work.push_back({i});
    }
    for (auto& [key, devices] : alike)
      work.push_back(std::move(devices));
    std::atomic<std::size_t> next{0};
    const auto run = [&] {
      for (std::size_t i; (i = next.fetch_add(1)) < work.size();)
        find(work[i]);
    };
    std::jthread other{run}; // each takes the next piece of work; `work` is not changed any more
    run();
  }

  const std::vector<located_finding>& of(std::size_t device) const { return findings_[device]; }

private:
  /// Gaps that the monitor saw, and what was lost behind the last reading that it took.
  std::vector<std::uint64_t> lost_of(std::size_t device) const {
    auto lost = audit_.monitors[device]->lost;
    for (auto n = audit_.monitors[device]->next; n < audit_.devices[device]->sent; ++n)
      lost.push_back(n);
    return lost;
  }

  void find(const std::vector<std::size_t>& devices) {
    const auto longest = *std::max_element(devices.begin(), devices.end(), [this](std::size_t a, std::size_t b) {
      return audit_.devices[a]->sent < audit_.devices[b]->sent;
    });
    const auto all = findings_of(audit_.devices[longest]->plan, audit_.devices[longest]->sent, lost_of(longest));
    for (const auto d : devices)
      std::copy_if(all.begin(), all.end(), std::back_inserter(findings_[d]),
                   [&](const located_finding& f) { return f.number < audit_.devices[d]->sent; });
  }

  const audit& audit_;
  std::vector<std::vector<located_finding>> findings_; // each written by one thread
};

} // namespace

bool report::holds() const {
  return std::all_of(invariants.begin(), invariants.end(), [](const invariant& i) { return i.holds; });
}

report make_report(const audit& a) {
  report r;
  r.devices = a.devices.size();
  r.seconds = a.seconds;
  r.lost = a.lost;
  r.failures = a.failures;
  for (const auto& one : a.recordings)
    r.series.push_back({one.data.name});

  const batch_runs batch{a};
  std::uint64_t gaps = 0;
  std::uint64_t repeated = 0;
  bool same_findings = true;
  bool all_noticed = true;
  for (std::size_t i = 0; i < a.devices.size(); ++i) {
    const auto& d = *a.devices[i];
    const auto& m = *a.monitors[i];
    r.accepted += d.sent;
    r.refused += d.refused;
    r.processed += m.processed;
    r.finished += d.sent == d.plan.readings() ? 1 : 0;
    r.went_silent += d.silences;
    const auto noticed = m.alerts[static_cast<std::size_t>(alert_kind::silent)];
    r.noticed += noticed;
    const bool still = d.mute && a.now < d.due; // it may not have been noticed yet
    all_noticed = all_noticed && noticed + (still ? 1 : 0) >= d.silences;
    gaps += m.lost.size() + (d.sent - m.next);
    repeated += m.repeated;
    r.restarts += d.incarnations - 1 + m.incarnations - 1;
    same_findings = same_findings && m.found == batch.of(i);
    auto& row = r.series[d.plan.series()];
    ++row.devices;
    row.readings += m.processed;
    for (std::size_t k = 0; k < alert_kinds; ++k)
      row.alerts[k] += m.alerts[k];
    for (const auto& f : batch.of(i))
      ++row.expected[static_cast<std::size_t>(f.what)];
  }

  bool all_logged = true;
  for (std::size_t s = 0; s < r.series.size(); ++s) {
    const auto found = a.logged.find(s);
    for (std::size_t k = 0; k < alert_kinds; ++k)
      all_logged = all_logged && r.series[s].alerts[k] == (found == a.logged.end() ? 0 : found->second[k]);
  }
  r.invariants = {
      {"every reading that was accepted was processed or declared lost",
       a.at_rest && r.accepted == r.processed + r.lost && gaps == r.lost},
      {"no reading was processed twice", repeated == 0},
      {"the alerts of every device are those of the detectors over its readings at once", same_findings},
      {"every alert is in the log once", a.log_ended && all_logged},
      {"every device that fell silent was noticed", all_noticed},
      {"every failure was followed by a restart", r.failures == r.restarts},
      {"every message has one outcome and the system ends", a.unaccounted == 0 && a.clean_end},
  };
  return r;
}

std::string to_text(const report& r, bool color) {
  std::string text = fmt::format("{:<48}{:>8}{:>10}{:>8}{:>8}{:>8}{:>8}{:>7}\n", "series", "devices", "readings",
                                 "level", "batch", "pattern", "batch", "silent");
  const auto of = [](const std::uint64_t(&counts)[alert_kinds], alert_kind k) {
    return counts[static_cast<std::size_t>(k)];
  };
  for (const auto& s : r.series)
    if (s.devices > 0)
      text += fmt::format("{:<48}{:>8}{:>10}{:>8}{:>8}{:>8}{:>8}{:>7}\n", s.name.substr(0, 47), s.devices, s.readings,
                          of(s.alerts, alert_kind::level), of(s.expected, alert_kind::level),
                          of(s.alerts, alert_kind::pattern), of(s.expected, alert_kind::pattern),
                          of(s.alerts, alert_kind::silent));
  text +=
      fmt::format("\ndevices        {:>12}\nfinished       {:>12}\nseconds        {:>12.1f}\naccepted       {:>12}\n"
                  "processed      {:>12}\nper second     {:>12.0f}\nlost           {:>12}\nsent again     {:>12}\n"
                  "went silent    {:>12}\nnoticed        {:>12}\nfailures       {:>12}\nrestarts       {:>12}\n\n",
                  r.devices, r.finished, r.seconds, r.accepted, r.processed,
                  r.seconds > 0 ? static_cast<double>(r.processed) / r.seconds : 0.0, r.lost, r.refused, r.went_silent,
                  r.noticed, r.failures, r.restarts);
  return text + text::invariant_lines(r.invariants, color);
}

std::string to_json(const report& r) {
  nlohmann::ordered_json j{{"devices", r.devices},    {"finished", r.finished},       {"seconds", r.seconds},
                           {"accepted", r.accepted},  {"processed", r.processed},     {"lost", r.lost},
                           {"sent_again", r.refused}, {"went_silent", r.went_silent}, {"noticed", r.noticed},
                           {"failures", r.failures},  {"restarts", r.restarts}};
  for (const auto& s : r.series) {
    nlohmann::ordered_json row{{"name", s.name}, {"devices", s.devices}, {"readings", s.readings}};
    for (std::size_t k = 0; k < alert_kinds; ++k)
      row["alerts"][name_of(static_cast<alert_kind>(k))] = s.alerts[k];
    for (const auto k : {alert_kind::level, alert_kind::pattern})
      row["batch"][name_of(k)] = s.expected[static_cast<std::size_t>(k)];
    j["series"].push_back(std::move(row));
  }
  for (const auto& i : r.invariants)
    j["invariants"].push_back({{"what", i.what}, {"holds", i.holds}});
  j["holds"] = r.holds();
  return j.dump(2) + "\n";
}

} // namespace sensor_analytics
