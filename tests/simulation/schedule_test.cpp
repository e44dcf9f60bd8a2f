// SPDX-License-Identifier: BSD-3-Clause
// Claims: schedules are read as they are written; shrinking leaves nothing out that is needed; histories are judged as their
// definition says. Observed on small examples with known answers.
#include <troupe/testing/history.hpp>
#include <troupe/testing/schedule.hpp>
#include <troupe/testing/shrink.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace troupe;
using troupe::detail::shrink;

TEST_CASE("schedule: is read as it is written") {
  const schedule s{18'446'744'073'709'551'615u,
                   {{choice_kind::order, 0, 12, 3},
                    {choice_kind::preempt, 0, 0, 4},
                    {choice_kind::crash, 4, 1, 2},
                    {choice_kind::slow, 7, 4'294'967'295, 8},
                    {choice_kind::full, 9, 0, 1},
                    {choice_kind::clock_step, 0, 2, 16},
                    {choice_kind::process_crash, 0, 99, 1},
                    {choice_kind::disk, 2, 5, 1}}};
  CHECK(to_string(s) == "18446744073709551615/o0.12=3/p0.0=4/c4.1=2/s7.4294967295=8/f9.0=1/t0.2=16/x0.99=1/d2.5=1");
  CHECK(parse_schedule(to_string(s)) == s);
  CHECK(parse_schedule("7") == schedule{.seed = 7});
}

TEST_CASE("schedule: a text that is none is refused with the part that is wrong") {
  for (const auto* text : {"", "x", "7/", "7/z0.0=1", "7/o0.0", "7/o0=1", "7/o0.0=", "7/o0.0=1 ", "7/o-1.0=1", "-7",
                           "7/o4294967296.0=1", "7//o0.0=1", "18446744073709551616"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_schedule(text), std::invalid_argument);
  }
}

TEST_CASE("shrink: finds the few choices that matter and their least values") {
  schedule failing{.seed = 1};
  for (std::uint32_t i = 0; i < 200; ++i)
    failing.choices.push_back({choice_kind::order, 0, i, 10 + i % 7});
  int runs = 0;
  const auto needs_three = [&](const schedule& s) -> std::optional<schedule> {
    ++runs;
    int found = 0;
    for (const auto& c : s.choices)
      found += (c.ordinal == 3 && c.value >= 5) || c.ordinal == 77 || c.ordinal == 199;
    return found == 3 ? std::optional{s} : std::nullopt;
  };
  const auto small = shrink(failing, needs_three, 1'000);
  REQUIRE(small.choices.size() == 3);
  CHECK(small.choices[0].value >= 5);
  CHECK(small.choices[0].value <= 8);
  CHECK(small.choices[1].value == 1);
  CHECK(small.choices[2].value == 1);
  CHECK(runs < 300);
}

TEST_CASE("shrink: keeps to its number of runs, and leaves alone what does not fail again") {
  const schedule failing{.seed = 1, .choices = std::vector<choice>(100, choice{choice_kind::crash, 1, 1, 1})};
  for (const std::uint64_t most : {0u, 1u, 2u, 5u}) {
    CAPTURE(most);
    std::uint64_t runs = 0;
    const auto needs_all = [&](const schedule& s) { return ++runs, s == failing ? std::optional{s} : std::nullopt; };
    CHECK(shrink(failing, needs_all, most) == failing);
    CHECK(runs == most);
  }
  int runs = 0;
  const auto passes = [&](const schedule&) { return ++runs, std::optional<schedule>{}; };
  CHECK(shrink(failing, passes, 100) == failing);
  CHECK(runs == 1);
}

TEST_CASE("shrink: keeps the best of what it had runs for") {
  const schedule failing{.seed = 1, .choices = std::vector<choice>(8, choice{choice_kind::crash, 1, 1, 1})};
  const auto needs_one = [&](const schedule& s) { return s.choices.empty() ? std::nullopt : std::optional{s}; };
  CHECK(shrink(failing, needs_one, 2).choices.size() == 8); // all at once cannot be left out
  CHECK(shrink(failing, needs_one, 3).choices.size() == 4);
}

TEST_CASE("shrink: leaves out each choice that it can, the first one too, and lowers nothing for nothing") {
  const schedule failing{.seed = 1, .choices = {{choice_kind::order, 0, 1, 1}, {choice_kind::order, 0, 2, 1}}};
  int runs = 0;
  const auto needs_the_second = [&](const schedule& s) -> std::optional<schedule> {
    ++runs;
    return !s.choices.empty() && s.choices.back().ordinal == 2 ? std::optional{s} : std::nullopt;
  };
  CHECK(shrink(failing, needs_the_second, 100).choices == std::vector{failing.choices[1]});
  CHECK(runs == 1 + 3 + 1); // as it is; both, the second, the first; then the last one once more
}

TEST_CASE("shrink: a lower value may let a choice go") {
  const schedule failing{.seed = 1, .choices = {{choice_kind::order, 0, 1, 8}, {choice_kind::order, 0, 2, 1}}};
  const auto fails = [&](const schedule& s) -> std::optional<schedule> {
    const bool first = !s.choices.empty() && s.choices[0].ordinal == 1;
    return first && (s.choices[0].value == 1 || s.choices.size() == 2) ? std::optional{s} : std::nullopt;
  };
  CHECK(shrink(failing, fails, 100).choices == std::vector{choice{choice_kind::order, 0, 1, 1}});
}

TEST_CASE("shrink: a run that makes more choices than it was told is no progress") {
  const schedule failing{.seed = 1, .choices = std::vector<choice>(4, choice{choice_kind::order, 0, 1, 1})};
  const auto makes_four_at_least = [&](const schedule& s) {
    auto made = s;
    made.choices.resize(std::max<std::size_t>(s.choices.size(), 4), choice{choice_kind::order, 0, 9, 9});
    return std::optional{made};
  };
  CHECK(shrink(failing, makes_four_at_least, 1'000) == failing);
}

namespace {

struct access {
  bool write;
  int value;
};
using register_history = history<access, int>;

bool is_register(const register_history& h) {
  return linearizable(h, 0, [](int& state, const access& a) { return a.write ? (state = a.value, 0) : state; });
}

} // namespace

TEST_CASE("history: one after the other is linearizable exactly if each read sees the last write") {
  for (const int seen : {0, 1, 2}) {
    register_history h;
    h.end(h.begin({true, 1}), 0);
    h.end(h.begin({true, 2}), 0);
    h.end(h.begin({false, 0}), seen);
    CHECK(is_register(h) == (seen == 2));
  }
}

TEST_CASE("history: operations that overlap may have happened in any order, but for all in the same") {
  register_history h;
  const auto w = h.begin({true, 1});
  h.end(h.begin({false, 0}), 0);
  h.end(h.begin({false, 0}), 1);
  CHECK(is_register(h));
  h.end(h.begin({false, 0}), 0); // new, then old again
  CHECK_FALSE(is_register(h));
  h.end(w, 0);
  CHECK_FALSE(is_register(h));
}

TEST_CASE("history: an operation that never ended may have happened or not") {
  for (const int seen : {0, 1, 7}) {
    register_history h;
    (void)h.begin({true, 1});
    h.end(h.begin({false, 0}), seen);
    CHECK(is_register(h) == (seen != 7));
  }
}

TEST_CASE("history: a queue that gives an item twice is found") {
  struct op {
    int put; // 0: take
  };
  const auto is_queue = [](const history<op, int>& h) {
    return linearizable(h, std::vector<int>{}, [](std::vector<int>& q, const op& o) {
      if (o.put != 0) {
        q.push_back(o.put);
        return 0;
      }
      if (q.empty())
        return -1;
      const int first = q.front();
      q.erase(q.begin());
      return first;
    });
  };
  history<op, int> h;
  h.end(h.begin({1}), 0);
  h.end(h.begin({2}), 0);
  const auto a = h.begin({0});
  const auto b = h.begin({0});
  h.end(a, 2);
  h.end(b, 1);
  CHECK(is_queue(h));
  h.end(h.begin({0}), 2);
  CHECK_FALSE(is_queue(h));
}
