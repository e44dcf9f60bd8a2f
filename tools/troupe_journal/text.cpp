// SPDX-License-Identifier: BSD-3-Clause
#include "text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <unistd.h>

namespace journal_tool {

namespace {

std::string coloured(const char* start, std::string_view text) {
  static const bool wanted = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  return wanted ? fmt::format("{}{}\x1b[0m", start, text) : std::string{text};
}

} // namespace

std::string time_text(troupe::row_time t) {
  if (t == 0)
    return "-";
  constexpr troupe::row_time second = 1'000'000;
  const auto micros = ((t % second) + second) % second;
  const auto whole = static_cast<std::time_t>((t - micros) / second);
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}Z", parts, micros);
}

std::string bold(std::string_view text) { return coloured("\x1b[1m", text); }
std::string red(std::string_view text) { return coloured("\x1b[31m", text); }

} // namespace journal_tool
