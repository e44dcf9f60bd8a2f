// SPDX-License-Identifier: BSD-3-Clause
#include "commands.hpp"
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace journal_tool {

int list(troupe::journal_reader& r, const std::string& prefix) {
  const auto all = r.summaries(prefix);
  std::size_t width = 3;
  for (const auto& s : all)
    width = std::max(width, s.key.size());
  troupe::journal_summary sum;
  const auto line = [&](const std::string& key, const troupe::journal_summary& s, const std::string& last) {
    fmt::print("{:<{}} {:>10} {:>9} {:>12} {:>9}  {}\n", key, width, s.events, s.snapshots, s.bytes, s.unsettled, last);
  };
  fmt::print("{}\n", bold(fmt::format("{:<{}} {:>10} {:>9} {:>12} {:>9}  {}", "key", width, "events", "snapshots",
                                      "bytes", "unsettled", "last event")));
  for (const auto& s : all) {
    line(s.key, s, time_text(s.last_time));
    sum.events += s.events;
    sum.snapshots += s.snapshots;
    sum.bytes += s.bytes;
    sum.unsettled += s.unsettled;
    sum.last_time = std::max(sum.last_time, s.last_time);
  }
  fmt::print("{} {}\n", all.size(), all.size() == 1 ? "journal" : "journals");
  if (all.size() > 1)
    line("sum", sum, time_text(sum.last_time));
  return 0;
}

} // namespace journal_tool
