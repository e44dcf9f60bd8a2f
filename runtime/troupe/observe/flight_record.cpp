// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/observe/flight_record.hpp>

#include <fmt/format.h>

namespace troupe {

std::string readable(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns < 1e3)
    return fmt::format("{} ns", duration.count());
  if (ns < 1e6)
    return fmt::format("{:.3g} us", ns / 1e3);
  if (ns < 1e9)
    return fmt::format("{:.3g} ms", ns / 1e6);
  return fmt::format("{:.4g} s", ns / 1e9);
}

std::string to_string(const std::vector<flight_record>& records, time_point now, const std::string& indent) {
  std::string text;
  for (const auto& r : records) {
    text += fmt::format("{}{:>9} ago  {}  from {}  took {}{}\n", indent, readable(now - r.at), r.message_type,
                        r.sender == 0 ? std::string{"outside"} : fmt::format("#{}", r.sender), readable(r.took),
                        r.failed ? "  FAILED" : "");
  }
  return text;
}

} // namespace troupe
