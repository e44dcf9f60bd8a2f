// SPDX-License-Identifier: BSD-3-Clause
#include "terminal.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace text {

bool is_terminal(std::FILE* stream) {
  const char* const kind = std::getenv("TERM"); // NOLINT(concurrency-mt-unsafe): nobody sets it
  return ::isatty(::fileno(stream)) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

bool wants_color(std::FILE* stream) {
  const char* const refused = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): nobody sets it
  return is_terminal(stream) && (refused == nullptr || *refused == '\0');
}

std::size_t drawn_block::columns() const {
  // A line as wide as the terminal would wrap on some of them, and the block could not be found again.
  winsize size{};
  return (::ioctl(::fileno(stream_), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80) - 1;
}

void drawn_block::draw(const std::vector<std::string>& lines) {
  std::string text;
  if (drawn_ > 0)
    text = fmt::format("\033[{}A", drawn_);
  for (const std::string& line : lines)
    text += "\r\033[K" + line + "\n";
  text += "\033[J"; // what a longer block has left below
  drawn_ = lines.size();
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

} // namespace text
