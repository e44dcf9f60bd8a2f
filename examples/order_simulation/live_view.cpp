// SPDX-License-Identifier: BSD-3-Clause
#include "live_view.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::string progress_bar(const snapshot& now, std::size_t width) {
  const auto filled = static_cast<std::size_t>(percent(now) / 100.0 * static_cast<double>(width));
  return '[' + std::string(filled, '#') + std::string(width - filled, '.') + ']';
}

} // namespace

live_view::style live_view::style_for(std::FILE* stream, bool quiet) {
  if (quiet)
    return style::silent;
  return is_terminal(stream) ? style::block : style::lines;
}

void live_view::show_opening(std::chrono::milliseconds elapsed, std::uint64_t opened, std::uint64_t all) {
  switch (style_) {
    case style::silent: return;
    case style::lines:
      if (line_due(elapsed))
        write_line(opening_line(elapsed, opened, all));
      return;
    case style::block:
      auto line = opening_line(elapsed, opened, all);
      line.resize(std::min(line.size(), block_.columns()));
      block_.draw({line});
  }
}

void live_view::show(const snapshot& now) {
  switch (style_) {
    case style::silent: return;
    case style::lines:
      if (line_due(now.elapsed))
        write_line(plain_line(now));
      return;
    case style::block: block_.draw(block_lines(now, block_.columns()));
  }
}

/// The time begins anew with the run.
bool live_view::line_due(std::chrono::milliseconds elapsed) {
  if (last_line_at_ && elapsed >= *last_line_at_ && elapsed - *last_line_at_ < line_period)
    return false;
  last_line_at_ = elapsed;
  return true;
}

void live_view::write_line(const std::string& text) {
  const std::string line = text + "\n";
  std::fwrite(line.data(), 1, line.size(), stream_);
  std::fflush(stream_);
}

std::string opening_line(std::chrono::milliseconds elapsed, std::uint64_t opened, std::uint64_t all) {
  return fmt::format("{:7.1f} s opening: {} of {} actors", seconds(elapsed), opened, all);
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
