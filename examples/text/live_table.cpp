// SPDX-License-Identifier: BSD-3-Clause
#include "live_table.hpp"

#include <fmt/format.h>

namespace text {

live_table::live_table(std::FILE* stream, bool quiet)
    : stream_{stream}, quiet_{quiet}, terminal_{is_terminal(stream)}, color_{wants_color(stream)}, block_{stream} {}

std::chrono::milliseconds live_table::interval() const noexcept {
  return std::chrono::milliseconds{terminal_ ? 250 : 1'000};
}

void live_table::write(const std::string& line) {
  std::fputs((line + "\n").c_str(), stream_);
  std::fflush(stream_);
}

std::string cell(std::uint64_t value, int width, const char* color) {
  const std::string text = fmt::format("{:>{}}", value, width);
  return color == nullptr || value == 0 ? text : color + text + "\033[0m";
}

} // namespace text
