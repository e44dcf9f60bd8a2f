// SPDX-License-Identifier: BSD-3-Clause
#include "live_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace order_simulation {

namespace {

constexpr std::size_t queues_shown = 4;
constexpr std::chrono::milliseconds line_period{1000};

double seconds(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000.0; }

double percent(const snapshot& now) { return std::clamp(now.progress, 0.0, 1.0) * 100.0; }

std::uint64_t queued(const snapshot& now) {
  std::uint64_t sum = 0;
  for (const queue_depth& queue : now.queues)
    sum += queue.messages;
  return sum;
}

std::size_t columns_of(std::FILE* stream) {
  winsize size{};
  return ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string progress_bar(const snapshot& now, std::size_t width) {
  const auto filled = static_cast<std::size_t>(percent(now) / 100.0 * static_cast<double>(width));
  return '[' + std::string(filled, '#') + std::string(width - filled, '.') + ']';
}

} // namespace

bool is_terminal(std::FILE* stream) {
  const char* const kind = std::getenv("TERM"); // NOLINT(concurrency-mt-unsafe): nobody sets it
  return ::isatty(::fileno(stream)) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

bool wants_color(std::FILE* stream) {
  const char* const refused = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): nobody sets it
  return is_terminal(stream) && (refused == nullptr || *refused == '\0');
}

live_view::style live_view::style_for(std::FILE* stream, bool quiet) {
  if (quiet)
    return style::silent;
  return is_terminal(stream) ? style::block : style::lines;
}

void live_view::show(const snapshot& now) {
  std::string text;
  switch (style_) {
    case style::silent: return;
    case style::lines:
      if (last_line_at_ && now.elapsed - *last_line_at_ < line_period)
        return;
      last_line_at_ = now.elapsed;
      text = plain_line(now) + "\n";
      break;
    case style::block: {
      // A line as wide as the terminal would wrap on some of them, and the block could not be found again.
      const auto lines = block_lines(now, columns_of(stream_) - 1);
      if (drawn_lines_ > 0)
        text = fmt::format("\033[{}A", drawn_lines_);
      for (const std::string& line : lines)
        text += "\r\033[K" + line + "\n";
      text += "\033[J"; // what a longer block has left below
      drawn_lines_ = lines.size();
      break;
    }
  }
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

std::string plain_line(const snapshot& now) {
  std::string line = fmt::format(
      "{:7.1f} s {:5.1f} % {:>10} done {:>10.0f} per s  p50 {:.3f} ms  p99 {:.3f} ms  {} in flight  {} queued"
      "  {} restarts",
      seconds(now.elapsed), percent(now), now.done, now.per_s, now.p50_ms, now.p99_ms, now.in_flight, queued(now),
      now.restarts);
  if (!now.notices.empty())
    line += "  " + now.notices.front();
  return line;
}

std::vector<std::string> block_lines(const snapshot& now, std::size_t columns) {
  constexpr std::size_t beside_bar = 22;
  const std::size_t bar = std::clamp<std::size_t>(columns, beside_bar + 10, beside_bar + 50) - beside_bar;
  std::vector<std::string> lines{
      fmt::format("{} {:5.1f} % {:8.1f} s", progress_bar(now, bar), percent(now), seconds(now.elapsed)),
      fmt::format("done       {:>12}   in flight {:>12}", now.done, now.in_flight),
      fmt::format("throughput {:>12.0f} per s", now.per_s),
      fmt::format("latency    {:>12.3f} ms p50  {:>12.3f} ms p99", now.p50_ms, now.p99_ms),
      fmt::format("restarts   {:>12}   queued    {:>12}", now.restarts, queued(now)),
  };
  std::vector<queue_depth> deepest{now.queues};
  std::stable_sort(deepest.begin(), deepest.end(),
                   [](const queue_depth& a, const queue_depth& b) { return a.messages > b.messages; });
  deepest.resize(std::min(deepest.size(), queues_shown));
  for (const queue_depth& queue : deepest)
    lines.push_back(fmt::format("  queue    {:>12}   {}", queue.messages, queue.name));
  lines.insert(lines.end(), now.notices.begin(), now.notices.end());
  for (std::string& line : lines)
    line.resize(std::min(line.size(), columns));
  return lines;
}

} // namespace order_simulation
