// SPDX-License-Identifier: BSD-3-Clause
#include "bench/driver/results.hpp"

#include "bench/driver/rows.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>

namespace bench {

namespace {

std::vector<double> values(const series& s) {
  std::vector<double> result;
  for (const auto& [round, value] : s.by_round)
    result.push_back(value);
  return result;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 1000 ? "%.0f" : value >= 10 ? "%.1f" : "%.3g", value);
  return text;
}

std::string spread(const series& s) { return number(s.min()) + "-" + number(s.max()); }

std::string ratio(const results& r, const series& s) {
  const auto a = s.peer == "troupe" ? std::nullopt : r.advantage(s);
  return a ? number(*a) : "";
}

} // namespace

double median_of(std::vector<double> v) {
  if (v.empty())
    return std::numeric_limits<double>::quiet_NaN();
  std::sort(v.begin(), v.end());
  const auto half = v.size() / 2;
  return v.size() % 2 == 1 ? v[half] : (v[half - 1] + v[half]) / 2;
}

double series::median() const { return median_of(values(*this)); }
double series::min() const { return std::ranges::min(values(*this)); }
double series::max() const { return std::ranges::max(values(*this)); }

const series* results::find(const std::string& figure, const std::string& peer) const {
  const auto found = std::ranges::find_if(all_, [&](auto& s) { return s.figure == figure && s.peer == peer; });
  return found != all_.end() ? &*found : nullptr;
}

void results::add(const std::string& figure, const std::string& peer, const std::string& unit, unsigned round,
                  double value) {
  auto* s = const_cast<series*>(find(figure, peer));
  if (s == nullptr)
    s = &all_.emplace_back(series{figure, peer, unit, {}});
  s->by_round[round] = value;
}

std::optional<double> results::advantage(const series& other) const {
  const auto* ours = find(other.figure, "troupe");
  if (ours == nullptr)
    return std::nullopt;
  std::vector<double> ratios;
  for (const auto& [round, value] : other.by_round)
    if (const auto same = ours->by_round.find(round); same != ours->by_round.end() && value > 0 && same->second > 0)
      ratios.push_back(more_is_better(other.figure) ? same->second / value : value / same->second);
  return ratios.empty() ? std::nullopt : std::optional{median_of(std::move(ratios))};
}

std::string table(const results& r) {
  std::string text;
  char line[160];
  std::snprintf(line, sizeof line, "%-24s %-12s %-9s %10s  %-19s %s\n", "row", "peer", "unit", "median", "min-max",
                "troupe is so many times better");
  text += line;
  std::string last;
  for (const auto& s : r.all()) {
    std::snprintf(line, sizeof line, "%-24s %-12s %-9s %10s  %-19s %s\n", s.figure == last ? "" : s.figure.c_str(),
                  s.peer.c_str(), s.unit.c_str(), number(s.median()).c_str(), spread(s).c_str(), ratio(r, s).c_str());
    text += line;
    last = s.figure;
  }
  return text;
}

std::string markdown(const results& r) {
  std::string text = "| row | peer | unit | median | min-max | troupe is so many times better |\n"
                     "|---|---|---|---:|---:|---:|\n";
  for (const auto& s : r.all())
    text += "| " + s.figure + " | " + s.peer + " | " + s.unit + " | " + number(s.median()) + " | " + spread(s) + " | " +
            ratio(r, s) + " |\n";
  return text;
}

std::string json(const results& r) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& s : r.all())
    list.push_back({{"row", s.figure},
                    {"peer", s.peer},
                    {"unit", s.unit},
                    {"median", s.median()},
                    {"min", s.min()},
                    {"max", s.max()},
                    {"rounds", s.by_round.size()}});
  return list.dump(2) + "\n";
}

} // namespace bench
