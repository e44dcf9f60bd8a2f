// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/observe/shutdown_report.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe {

std::string to_string(const shutdown_report& r) {
  auto text = fmt::format(
      "shutdown {} in {} ms: {} messages accepted, {} handled, {} expired, {} dropped, {} quarantined, {} queued",
      r.complete ? "complete" : "INCOMPLETE", r.elapsed.count(), r.books.accepted, r.books.handled, r.books.expired,
      r.books.dropped, r.books.quarantined, r.books.queued);
  if (r.unaccounted != 0)
    text += fmt::format("; {} UNACCOUNTED", r.unaccounted);
  constexpr std::size_t shown = 100;
  for (std::size_t i = 0; i < std::min(shown, r.survivors.size()); ++i) {
    const auto& s = r.survivors[i];
    text += fmt::format("\n  still alive: {} (id {})", s.name, s.id);
    text += s.handler.empty() ? std::string{", in no handler"}
                              : fmt::format(", handling {} since {} ms", s.handler, s.since.count());
    text += fmt::format(", {} queued", s.queued);
    if (!s.awaited_by.empty())
      text += fmt::format(", awaited by {}", fmt::join(s.awaited_by, ", "));
  }
  if (r.survivors.size() > shown)
    text += fmt::format("\n  still alive: {} more", r.survivors.size() - shown);
  return text;
}

} // namespace troupe
