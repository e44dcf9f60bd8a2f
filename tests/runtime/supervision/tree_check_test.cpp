// SPDX-License-Identifier: BSD-3-Clause
// Claims: what is questionable about a tree is found without running it, and what is not is left alone.
// Observed: the findings for trees written out as values.
#include <troupe/supervision/backoff.hpp>
#include <troupe/supervision/tree_check.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;

namespace {

actor_tree leaf(const std::string& name, child_options o = {}) {
  actor_tree t;
  t.name = name;
  t.options = std::move(o);
  return t;
}

actor_tree group(const std::string& name, supervisor_options o, std::vector<actor_tree> children) {
  actor_tree t;
  t.name = name;
  t.supervisor = std::move(o);
  t.children = std::move(children);
  return t;
}

/// "grade name", one for each finding.
std::vector<std::string> found(const actor_tree& t, std::chrono::milliseconds time = 1h) {
  std::vector<std::string> all;
  for (const auto& f : check_tree(t, time))
    all.push_back(std::string{f.how == tree_finding::grade::error ? "error " : "warning "} + f.where);
  return all;
}

using list = std::vector<std::string>;

supervisor_options tolerating(unsigned restarts) {
  return {.intensity = restarts,
          .group_intensity = restarts,
          .backoff = {.min = 1ms, .max = 1ms, .factor = 1.0, .jitter = 0.0}};
}

} // namespace

TEST_CASE("tree check: a tree with default options has nothing to be said about") {
  CHECK(found(group("root", {.strategy = dynamic, .group_intensity = unlimited},
                    {group("shop", {},
                           {leaf("shop/stock"), leaf("shop/till"), group("shop/a", {}, {leaf("shop/a/b")})})}))
            .empty());
}

TEST_CASE("tree check: intensities that multiply beyond a thousand are found once where they do") {
  const auto ten = tolerating(10);
  const auto deep = group("a", ten, {group("b", ten, {group("c", ten, {leaf("d"), leaf("e")})})});
  CHECK(found(deep) == list{"warning d", "warning e"});
  CHECK(check_tree(deep, 1h)[0].what.find("1331 times") != std::string::npos);
  const auto nine = tolerating(9);
  CHECK(found(group("a", nine, {group("b", nine, {group("c", nine, {leaf("d")})})})).empty());
  CHECK(found(group("a", ten, {group("b", ten, {group("c", ten, {leaf("d", {.intensity = 1})})})})).empty());
  const auto thousand = group("a", nine, {group("b", nine, {group("c", nine, {group("d", nine, {leaf("e")})})})});
  CHECK(found(thousand) == list{"warning e"}); // where it is a thousand, it is not more yet
}

TEST_CASE("tree check: the smaller of a child's and its group's intensity counts") {
  auto wide = tolerating(3);
  wide.intensity = 1'000;
  CHECK(found(group("a", wide, {group("b", wide, {leaf("c")})})).empty());
}

TEST_CASE("tree check: pauses that outlast the period are found for every way to set them") {
  const backoff_options slow{.min = 2s, .max = 2s, .factor = 1.0, .jitter = 0.0};
  // Five more restarts after the first: one at once, four after 2 s each, so 8 s; and 5 s of period.
  CHECK(found(group("a", {.backoff = slow}, {leaf("b")})) == list{"warning b"});
  CHECK(found(group("a", {}, {leaf("b", {.backoff = slow})})) == list{"warning b"});
  CHECK(found(group("a", {.period = 8s, .backoff = slow}, {leaf("b")})).empty()); // just within
  CHECK(found(group("a", {.period = 7'999ms, .backoff = slow}, {leaf("b")})) == list{"warning b"});
  CHECK(found(group("a", {.backoff = slow}, {leaf("b", {.intensity = 3})})).empty());
  CHECK(found(group("a", {.intensity = 0, .backoff = slow}, {leaf("b")})).empty());
  CHECK(found(group("a", {.intensity = unlimited, .backoff = slow}, {leaf("b")})).empty()); // as it says
  CHECK(check_tree(group("a", {.backoff = slow}, {leaf("b")}), 1h)[0].what.find(
            "that 6 restarts never fall within 5000 ms") != std::string::npos);
}

TEST_CASE("tree check: pauses that grow are added up exactly") {
  const backoff_options growing{.min = 1s, .max = 30s, .factor = 2.0, .jitter = 0.0};
  const auto endless = [&](unsigned intensity) {
    return !found(group("a", {.intensity = intensity, .period = 3s, .backoff = growing}, {leaf("b")})).empty();
  };
  CHECK_FALSE(endless(2)); // 0 + 1 s
  CHECK_FALSE(endless(3)); // 0 + 1 s + 2 s, which is just within
  CHECK(endless(4));
}

TEST_CASE("tree check: the time to stop is the sum of those in order and the longest of those at once") {
  const auto children = [](const char* name) {
    return std::vector<actor_tree>{leaf(std::string{name} + "/x", {.shutdown = 3s}),
                                   leaf(std::string{name} + "/y", {.shutdown = 4s})};
  };
  CHECK(found(group("a", {}, children("a")), 7s).empty());
  CHECK(found(group("a", {}, children("a")), 6'999ms) == list{"warning a"});
  CHECK(found(group("a", {.strategy = dynamic}, children("a")), 4s).empty());
  CHECK(found(group("a", {.strategy = dynamic}, children("a")), 3'999ms) == list{"warning a"});
  CHECK(found(group("a", {}, {group("b", {}, children("b")), group("c", {}, children("c"))}), 13s) ==
        list{"warning a"});
}

TEST_CASE("tree check: wrong options and names that are there twice are errors") {
  CHECK(found(group("a", {}, {leaf("a/x"), leaf("a/x"), leaf(""), leaf("")})) == list{"error a/x"});
  CHECK(found(group("a", {}, {leaf("b", {.significant = true})})) == list{"error b"});
  CHECK(found(group("a", {.period = 0ms}, {}))[0] == "error a");
  CHECK(to_string(check_tree(group("a", {.period = 0ms}, {}), 1h)[0]) ==
        "error: a: period must be 1 ms..24 h, not 0 ms");
}

TEST_CASE("tree check: options without effect are found") {
  CHECK(found(group("a", {}, {leaf("b", {.restart = transient, .significant = true})})) == list{"warning b"});
  CHECK(found(group("a", {.auto_shutdown = auto_shutdown::any_significant},
                    {leaf("b", {.restart = transient, .significant = true})}))
            .empty());
  for (const unsigned retries : {1u, 2u})
    CHECK(found(group("a", {}, {leaf("b", {.restart = temporary, .retries = retries})})) == list{"warning b"});
  CHECK(found(group("a", {}, {leaf("b", {.restart = transient, .retries = 2})})).empty());
}

TEST_CASE("tree check: a child's own shutdown is compared with what there is but the default one never") {
  const supervisor_options above;
  const auto late = [&](std::chrono::milliseconds shutdown, std::chrono::milliseconds left) {
    return check_child({"c", {.shutdown = shutdown}, above}, left).size();
  };
  CHECK(late(10s, 9'999ms) == 1);
  CHECK(late(10s, 10s) == 0);
  CHECK(late(5s, 1s) == 0);
  CHECK(check_child({"c", {.shutdown = 24h}, above, 1, true}, 1s).empty()); // a supervisor has no time of its own
}

TEST_CASE("tree check: whether pauses outlast the period agrees with adding them up one by one") {
  std::mt19937_64 draw{7};
  const auto pick = [&](std::uint64_t least, std::uint64_t most) { return least + draw() % (most - least + 1); };
  unsigned endless = 0;
  for (int i = 0; i < 20'000; ++i) {
    backoff_options b{.min = std::chrono::microseconds{pick(1, 200'000)},
                      .factor = pick(0, 3) == 0 ? 1.0 : 1.0 + static_cast<double>(pick(1, 2'000)) / 1'000.0,
                      .jitter = 0.0,
                      .immediate_first = pick(0, 1) == 0};
    b.max = b.min * pick(1, 1'000);
    const supervisor_options above{.intensity = static_cast<unsigned>(pick(0, 60)),
                                   .period = std::chrono::milliseconds{pick(1, 10'000)},
                                   .group_intensity = unlimited,
                                   .backoff = b};
    std::chrono::nanoseconds sum{0};
    for (unsigned n = 0; n < above.intensity; ++n)
      if (!b.immediate_first || n != 0)
        sum += delay(b.immediate_first ? n - 1 : n, b, 0.0);
    const auto off = sum - above.period; // each pause is rounded down to a nanosecond
    if (off <= 0ns && off > -100ns)
      continue;
    const auto said = check_child({"c", {}, above}, 24h);
    CAPTURE(i);
    REQUIRE(said.size() == (above.intensity != 0 && off > 0ns ? 1 : 0));
    endless += !said.empty();
  }
  CHECK(endless > 1'000);
  CHECK(endless < 19'000);
}
