// SPDX-License-Identifier: BSD-3-Clause
#include "table_lines.hpp"

#include "text/live_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patient_monitor {

using text::cell;

namespace {

constexpr std::size_t wards_shown = 20;

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

ward_row sum_of(const std::vector<ward_row>& wards) {
  ward_row all;
  for (const auto& w : wards) {
    all.patients += w.patients;
    all.samples += w.samples;
    all.beats += w.beats;
    for (std::size_t k = 0; k < alert_kinds; ++k)
      all.alerts[k] += w.alerts[k];
  }
  return all;
}

/// Beats per minute of a ward's streams.
double rate_of(const ward_row& w, double samples_per_second) {
  return w.samples == 0 ? 0 : 60 * static_cast<double>(w.beats) * samples_per_second / static_cast<double>(w.samples);
}

} // namespace

std::string plain_line(const hospital_figures& now) {
  const auto all = sum_of(now.wards);
  return fmt::format(
      "{:6.1f} s {:>8} patients {:>10} beats {:6.1f} /min  {} irregular  {} fast  {} slow  {} pauses  {} "
      "restarts",
      seconds(now.elapsed), all.patients, all.beats, rate_of(all, now.rate), all.alerts[0], all.alerts[1],
      all.alerts[2], all.alerts[3], now.restarts);
}

std::vector<std::string> table_lines(const hospital_figures& now, std::size_t columns, bool color) {
  const char* const warn = color ? "\033[33m" : nullptr;
  const char* const alarm = color ? "\033[31m" : nullptr;
  const auto all = sum_of(now.wards);
  std::vector<std::string> lines{
      fmt::format("{:.1f} s   {} patients   {:.1f} min of each stream   {} ended   {} restarts", seconds(now.elapsed),
                  all.patients,
                  static_cast<double>(all.samples) / now.rate / 60 /
                      static_cast<double>(std::max<std::uint64_t>(all.patients, 1)),
                  now.done, now.restarts),
      fmt::format("{:<8}{:>9}{:>10}{:>7}{:>11}{:>6}{:>6}{:>7}", "ward", "patients", "beats", "/min", "irregular",
                  "fast", "slow", "pauses")};
  for (auto& line : lines)
    line.resize(std::min(line.size(), columns));
  for (std::size_t i = 0; i < std::min(now.wards.size(), wards_shown); ++i) {
    const auto& w = now.wards[i];
    lines.push_back(fmt::format("{:<8}{:>9}{:>10}{:>7.1f} {} {} {} {}", i + 1, w.patients, w.beats,
                                rate_of(w, now.rate), cell(w.alerts[0], 10, warn), cell(w.alerts[1], 5, warn),
                                cell(w.alerts[2], 5, warn), cell(w.alerts[3], 6, alarm)));
  }
  return lines;
}

} // namespace patient_monitor
