// SPDX-License-Identifier: BSD-3-Clause
#include "stream_watch.hpp"

namespace sensor_analytics {

const char* name_of(alert_kind kind) {
  switch (kind) {
    case alert_kind::level: return "level";
    case alert_kind::pattern: return "pattern";
    case alert_kind::silent: return "silent";
    case alert_kind::back: return "back";
  }
  return "";
}

std::span<const finding> stream_watch::add(const nab::observation& o) {
  found_.clear();
  const double level = level_.score(o);
  const double pattern = pattern_.score(o);
  if (++readings_ <= warm_up)
    return found_;
  if (level >= level_least)
    found_.push_back({alert_kind::level, level});
  if (pattern >= pattern_least)
    found_.push_back({alert_kind::pattern, pattern});
  return found_;
}

std::vector<located_finding> findings_of(const stream_plan& plan, std::uint64_t readings,
                                         std::span<const std::uint64_t> lost) {
  stream_watch watch;
  std::vector<located_finding> all;
  auto next_lost = lost.begin();
  for (std::uint64_t number = 0; number < readings; ++number) {
    if (next_lost != lost.end() && *next_lost == number) {
      ++next_lost;
      continue;
    }
    for (const auto& f : watch.add(plan[number]))
      all.push_back({number, f.what});
  }
  return all;
}

} // namespace sensor_analytics
