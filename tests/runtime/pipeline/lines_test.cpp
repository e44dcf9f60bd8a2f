// SPDX-License-Identifier: BSD-3-Clause
// Claim: a pipeline reads each line of a file once, whatever its length and its end, within bounded memory, and says which line
// it cannot read.
// Observed: on a simulated disk, against a naive split of the same text.
#include <troupe/pipeline/pipeline.hpp>
#include <troupe/testing/simulated_disk.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <support/stepped_system.hpp>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
namespace pl = troupe::pipeline;

namespace {

bool run(troupe::system& sys, const pl::running& r) {
  for (int i = 0; i < 100'000 && !r.outcome(); ++i) {
    sys.run_until_idle(10'000'000);
    if (!r.outcome())
      sys.advance(1ms);
  }
  return r.outcome().has_value();
}

std::shared_ptr<simulated_disk> disk_with(const std::string& content) {
  auto disk = std::make_shared<simulated_disk>();
  disk->put("/in", content);
  return disk;
}

std::vector<std::string> lines_of(const std::string& content, double failures = 0) {
  auto o = support::stepped(2);
  if (failures > 0)
    o.faults = std::make_shared<fault_injector>(failures, 3);
  troupe::system sys{o};
  pl::collection<std::string> out;
  pl::options how;
  how.stages.batch_size = 50;
  auto r = pl::from_lines("/in", pl::whole_line{}, {.files = disk_with(content)}).collect(out).start(sys, "p", how);
  CHECK(run(sys, r));
  CHECK(r.outcome().value());
  return out.take();
}

} // namespace

TEST_CASE("lines: ends of lines are taken off, and the last line needs none") {
  using all = std::vector<std::string>;
  CHECK(lines_of("") == all{});
  CHECK(lines_of("a") == all{"a"});
  CHECK(lines_of("a\n") == all{"a"});
  CHECK(lines_of("\n\na\r\n\rb\n") == all{"", "", "a", "\rb"});
}

TEST_CASE("lines: a file of many chunks is split as a whole text would be, whatever fails meanwhile") {
  auto random = seeded_random(1);
  std::vector<std::string> expected;
  std::string text;
  for (int i = 0; i < 3'000; ++i) {
    const auto length = random->below(random->below(50) == 0 ? 9'000 : 120);
    expected.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(length), 'x'));
    text += expected.back() + '\n';
  }
  REQUIRE(text.size() > 400'000);
  CHECK(lines_of(text) == expected);
  CHECK(lines_of(text, 0.2) == expected);
}

TEST_CASE("lines: a line that cannot be read is named by file and line, and left out if asked to") {
  const auto parse = [](std::string_view l) {
    return l == "x" ? throw std::runtime_error{"no number"} : std::stoi(std::string{l});
  };
  for (const bool skip : {false, true}) {
    CAPTURE(skip);
    troupe::system sys{support::stepped()};
    pl::collection<int> out;
    pl::options o;
    o.stages.retries = 1;
    o.stages.failing = skip ? pl::failing_element::skip : pl::failing_element::fail;
    auto r = pl::from_lines("/in", parse, {.files = disk_with("1\n2\nx\n4\nx\n6\n")}).collect(out).start(sys, "p", o);
    REQUIRE(run(sys, r));
    if (skip)
      CHECK(out.take() == std::vector<int>{1, 2, 4, 6});
    else
      CHECK(r.outcome().value().error().what.find("/in:3: no number") != std::string::npos);
  }
}

TEST_CASE("lines: a line that is too long is named, and memory does not grow with it") {
  pl::line_options o{.longest = 1'000, .files = disk_with("short\n" + std::string(10'000'000, 'x'))};
  pl::line_file file{"/in", o};
  const auto first = file.at(0, 0, 1);
  REQUIRE(first.has_value());
  CHECK(first->text == "short");
  CHECK_THROWS_WITH_AS(file.at(first->bytes, 0, 2), "/in:2: longer than 1000 bytes", pl::line_error);
}

TEST_CASE("lines: a line that is too long is left out if asked to") {
  troupe::system sys{support::stepped()};
  pl::collection<std::string> out;
  pl::options o;
  o.stages.retries = 1;
  o.stages.failing = pl::failing_element::skip;
  const auto text = "short\n" + std::string(1'000'000, 'x') + "\nlast\n" + std::string(1'000'000, 'y');
  const auto plan = pl::from_lines("/in", pl::whole_line{}, {.longest = 1'000, .files = disk_with(text)}).collect(out);
  const auto r = plan.start(sys, "p", o);
  REQUIRE(run(sys, r));
  CHECK(r.outcome().value());
  CHECK(out.take() == std::vector<std::string>{"short", "last"});
}

TEST_CASE("lines: a file that cannot be written ends the pipeline, also if elements may be left out") {
  troupe::system sys{support::stepped()};
  const auto disk = disk_with("1\n2\n");
  disk->faults({.write_fails = [] { return true; }});
  pl::options o;
  o.stages.retries = 1;
  o.stages.failing = pl::failing_element::skip;
  const auto same = [](const std::string& l) { return l; };
  const auto r =
      pl::from_lines("/in", pl::whole_line{}, {.files = disk}).write_lines("/out", same, disk).start(sys, "p", o);
  REQUIRE(run(sys, r));
  REQUIRE_FALSE(r.outcome().value());
  CHECK(r.outcome().value().error().what.find("/out") != std::string::npos);
  CHECK(r.figures().back().skipped == 0);
}

TEST_CASE("lines: writes that fail now and then are counted each by itself") {
  troupe::system sys{support::stepped()};
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += std::to_string(i) + '\n';
  const auto disk = disk_with(text);
  int writes = 0;
  disk->faults({.write_fails = [&] { return ++writes % 3 != 0; }});
  pl::options o;
  o.stages.batch_size = 5;
  o.stages.retries = 2;
  const auto same = [](const std::string& l) { return l; };
  const auto r =
      pl::from_lines("/in", pl::whole_line{}, {.files = disk}).write_lines("/out", same, disk).start(sys, "p", o);
  REQUIRE(run(sys, r));
  CHECK(r.outcome().value());
  CHECK(disk->content("/out") == text);
}

TEST_CASE("lines: a file that is not there is refused when the plan is made") {
  CHECK_THROWS_WITH(pl::from_lines("/none", pl::whole_line{}, {.files = disk_with("")}), doctest::Contains("/none"));
}
