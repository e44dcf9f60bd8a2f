// SPDX-License-Identifier: BSD-3-Clause
#include "table_lines.hpp"

#include "text/live_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sensor_analytics {

using text::cell;

namespace {

double per_second(std::uint64_t now, std::uint64_t before, std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds > 0 ? static_cast<double>(now - before) / seconds : 0;
}

std::uint64_t of(const group_row& row, alert_kind k) { return row.alerts[static_cast<std::size_t>(k)]; }

} // namespace

std::string plain_line(const field_figures& now, const field_figures& before) {
  std::uint64_t alerts[alert_kinds] = {};
  std::uint64_t silent = 0;
  for (const auto& g : now.groups) {
    for (std::size_t k = 0; k < alert_kinds; ++k)
      alerts[k] += g.alerts[k];
    silent += g.silent;
  }
  return fmt::format("{:6.1f} s {:>10} readings {:>9.0f} per s  {} level  {} pattern  {} silent  {} restarts",
                     std::chrono::duration<double>(now.elapsed).count(), now.readings,
                     per_second(now.readings, before.readings, now.elapsed - before.elapsed), alerts[0], alerts[1],
                     silent, now.restarts);
}

std::vector<std::string> table_lines(const field_figures& now, const field_figures& before, std::size_t columns,
                                     bool color) {
  constexpr std::size_t beside_name = 51;
  const char* const warn = color ? "\033[33m" : nullptr;
  const char* const alarm = color ? "\033[31m" : nullptr;
  const std::size_t width = std::clamp<std::size_t>(columns, beside_name + 8, beside_name + 24) - beside_name;
  const auto since = now.elapsed - before.elapsed;
  std::vector<std::string> lines{fmt::format("{:.1f} s   {} readings   {:.0f} per s   {} finished   {} restarts",
                                             std::chrono::duration<double>(now.elapsed).count(), now.readings,
                                             per_second(now.readings, before.readings, since), now.done, now.restarts),
                                 fmt::format("{:<{}}{:>8}{:>11}{:>9}{:>7}{:>8}{:>7}", "group", width, "devices",
                                             "readings", "per s", "level", "pattern", "silent")};
  for (auto& line : lines)
    line.resize(std::min(line.size(), columns));
  for (std::size_t i = 0; i < now.groups.size(); ++i) {
    const auto& g = now.groups[i];
    const std::uint64_t earlier = i < before.groups.size() ? before.groups[i].readings : 0;
    lines.push_back(fmt::format("{:<{}}{:>8}{:>11}{:>9.0f} {} {} {}", g.name.substr(0, width - 1), width, g.devices,
                                g.readings, per_second(g.readings, earlier, since),
                                cell(of(g, alert_kind::level), 6, warn), cell(of(g, alert_kind::pattern), 7, warn),
                                cell(g.silent, 6, alarm)));
  }
  return lines;
}

} // namespace sensor_analytics
