// SPDX-License-Identifier: BSD-3-Clause

// Claim: a run is shown as a block redrawn in place, as one line per second, or not at all. Observed on the bytes that
// reach a stream.
#include "order_simulation/live_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

using order_simulation::live_view;
using order_simulation::snapshot;

namespace {

class memory_stream {
public:
  memory_stream() : file_{std::tmpfile()} { REQUIRE(file_ != nullptr); }
  ~memory_stream() { std::fclose(file_); }
  memory_stream(const memory_stream&) = delete;
  memory_stream& operator=(const memory_stream&) = delete;

  std::FILE* file() const { return file_; }

  std::string content() const {
    std::string text;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_))
      text += static_cast<char>(c);
    return text;
  }

private:
  std::FILE* file_;
};

snapshot at(int elapsed_ms) {
  snapshot s;
  s.elapsed = std::chrono::milliseconds{elapsed_ms};
  s.progress = 0.5;
  s.done = 1234;
  s.in_flight = 48;
  s.per_s = 60'000;
  s.p50_ms = 0.25;
  s.p99_ms = 1.5;
  s.restarts = 3;
  s.queues = {{"a", 1}, {"b", 50}, {"c", 2}, {"d", 4}, {"e", 3}};
  return s;
}

} // namespace

TEST_CASE("live_view: quiet shows nothing") {
  const memory_stream out;
  CHECK(live_view::style_for(out.file(), true) == live_view::style::silent);
  live_view view{out.file(), live_view::style::silent};
  view.show(at(0));
  CHECK(out.content().empty());
}

TEST_CASE("live_view: a file gets one plain line per second") {
  const memory_stream out;
  CHECK(live_view::style_for(out.file(), false) == live_view::style::lines);
  CHECK_FALSE(order_simulation::wants_color(out.file()));
  live_view view{out.file(), live_view::style::lines};
  for (int ms = 0; ms <= 2500; ms += 100)
    view.show(at(ms));
  const std::string text = out.content();
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.find('\033') == std::string::npos);
  CHECK(plain_line(at(2000)) ==
        "    2.0 s  50.0 %       1234 done      60000 per s  p50 0.250 ms  p99 1.500 ms  48 in flight"
        "  60 queued  3 restarts");
}

TEST_CASE("live_view: while a run opens that is shown, and does not hold back what comes after it") {
  const auto at_ms = [](int ms) { return std::chrono::milliseconds{ms}; };
  const memory_stream lines, block, quiet;
  live_view to_file{lines.file(), live_view::style::lines};
  live_view to_terminal{block.file(), live_view::style::block};
  live_view to_nobody{quiet.file(), live_view::style::silent};
  for (auto* view : {&to_file, &to_terminal, &to_nobody}) {
    for (int ms = 0; ms <= 2500; ms += 100)
      view->show_opening(at_ms(ms), static_cast<std::uint64_t>(ms), 2500);
    view->show(at(0));
  }
  const std::string text = lines.content();
  CHECK(text.starts_with("    0.0 s opening: 0 of 2500 actors\n    1.0 s opening: 1000 of 2500 actors\n"));
  CHECK(text.ends_with(plain_line(at(0)) + "\n"));
  CHECK(block.content().find("\033[1A\r\033[K    2.5 s opening: 2500 of 2500 actors\n") != std::string::npos);
  CHECK(quiet.content().empty());
}

TEST_CASE("live_view: a block is drawn over the one before") {
  const memory_stream out;
  live_view view{out.file(), live_view::style::block};
  view.show(at(0));
  CHECK(out.content().find("\033[9A") == std::string::npos);
  view.show(at(100));
  CHECK(out.content().find("\033[9A\r\033[K[") != std::string::npos);
}

TEST_CASE("live_view: a block shows the deepest queues and fits its columns") {
  const auto lines = block_lines(at(0), 100);
  REQUIRE(lines.size() == 9);
  CHECK(lines[0].starts_with("[#########################.........................]  50.0 %"));
  CHECK(lines[5].ends_with("50   b"));
  CHECK(lines[8].ends_with("2   c"));
  for (std::size_t columns = 1; columns < 100; ++columns)
    for (const std::string& line : block_lines(at(0), columns))
      CHECK(line.size() <= columns);
}

TEST_CASE("live_view: further lines end the block, and the first one ends a plain line") {
  snapshot s = at(0);
  s.notices = {"revenue 12.00", "top product"};
  const auto lines = order_simulation::block_lines(s, 80);
  CHECK(lines[lines.size() - 2] == "revenue 12.00");
  CHECK(lines.back() == "top product");
  CHECK(order_simulation::plain_line(s).ends_with("  revenue 12.00"));
}

TEST_CASE("live_view: progress outside its range does not break the bar") {
  snapshot s = at(0);
  s.progress = 7;
  CHECK(block_lines(s, 40)[0].find("100.0 %") != std::string::npos);
  s.progress = -1;
  CHECK(block_lines(s, 40)[0].find("  0.0 %") != std::string::npos);
}
