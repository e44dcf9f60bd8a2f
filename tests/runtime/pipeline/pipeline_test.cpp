// SPDX-License-Identifier: BSD-3-Clause
// Claim: a pipeline hands on every element once, in order, within bounded memory, whatever its stages do meanwhile.
// Observed: on stepped systems under many seeds, by comparing what sinks have seen with what the sources gave.
#include <troupe/pipeline/pipeline.hpp>

#include "support/pipeline_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
namespace pl = troupe::pipeline;
using support::failing;
using support::run;

namespace {

std::vector<std::int64_t> iota(std::int64_t n) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

struct same_as {
  std::int64_t x = 0;
  using reply = std::int64_t;
};
class repeater : public actor<repeater, same_as> {
public:
  std::int64_t on(const same_as& s) { return s.x; }
};

pl::options small_batches(std::size_t batch, std::uint32_t max_demand = 4) {
  pl::options o;
  o.stages.batch_size = batch;
  o.demand = {max_demand, max_demand / 2};
  return o;
}

} // namespace

TEST_CASE("pipeline: what goes in comes out once and in order, through fused steps and boundaries") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    troupe::system sys{support::stepped(seed)};
    pl::collection<std::int64_t> out;
    auto plan = pl::from(pl::numbers(0, 10'000))
                    .map([](std::int64_t x) { return x * 2; })
                    .boundary()
                    .filter([](std::int64_t x) { return x % 3 == 0; })
                    .boundary()
                    .flat_map([](std::int64_t x) {
                      return std::vector<std::int64_t>{x, x};
                    })
                    .collect(out);
    auto r = plan.start(sys, "p", small_batches(7));
    CHECK(run(sys, r));
    std::vector<std::int64_t> expected;
    for (std::int64_t x = 0; x < 20'000; x += 6)
      expected.insert(expected.end(), {x, x});
    CHECK(out.take() == expected);
    CHECK(sys.books().queued == 0);
  }
}

TEST_CASE("pipeline: failures injected into stages neither lose nor repeat elements nor disturb their order") {
  for (double rate : {0.01, 0.2, 0.5}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(rate);
      CAPTURE(seed);
      troupe::system sys{failing(seed, rate)};
      pl::collection<std::int64_t> out;
      std::vector<std::int64_t> seen;
      auto numbers = pl::from(pl::numbers(0, 2'000)).boundary();
      auto plan = numbers.map([](std::int64_t x) { return x + 1; })
                      .boundary()
                      .collect(out)
                      .with(numbers.for_each([&](std::int64_t x) { seen.push_back(x); }));
      auto r = plan.start(sys, "p", small_batches(16));
      CHECK(run(sys, r));
      auto expected = iota(2'000);
      CHECK(seen == expected);
      for (auto& x : expected)
        ++x;
      CHECK(out.take() == expected);
      CHECK(sys.restarts() > 0);
    }
  }
}

TEST_CASE("pipeline: a keyed state survives failures as if there had been none, with the order of each key kept") {
  struct item {
    std::int64_t key;
    std::int64_t n;
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    troupe::system sys{failing(seed, 0.1)};
    pl::collection<std::pair<std::int64_t, std::int64_t>> steps;
    pl::collection<std::pair<std::int64_t, std::int64_t>> sums;
    auto items = pl::from(pl::numbers(0, 3'000)).map([](std::int64_t x) { return item{x * 7 % 13, x}; });
    auto keyed = items.key_by(&item::key, 3);
    auto plan = keyed
                    .scan(std::int64_t{0},
                          [](std::int64_t& last, const item& i) {
                            const auto before = std::exchange(last, i.n);
                            return std::pair{before, i.n};
                          })
                    .collect(steps)
                    .with(items.key_by(&item::key, 2)
                              .fold(std::int64_t{0}, [](std::int64_t& sum, const item& i) { sum += i.n; })
                              .collect(sums));
    CHECK(run(sys, plan.start(sys, "p", small_batches(32))));
    std::map<std::int64_t, std::int64_t> expected;
    std::map<std::int64_t, std::int64_t> last;
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (std::int64_t x = 0; x < 3'000; ++x) {
      expected[x * 7 % 13] += x;
      pairs.emplace_back(std::exchange(last[x * 7 % 13], x), x);
    }
    auto seen = steps.take();
    std::ranges::sort(seen, {}, &std::pair<std::int64_t, std::int64_t>::second);
    CHECK(seen == pairs);
    auto s = sums.take();
    CHECK(std::map<std::int64_t, std::int64_t>(s.begin(), s.end()) == expected);
    CHECK(s.size() == expected.size());
  }
}

TEST_CASE("pipeline: a step that throws now and then is tried again from where it was") {
  troupe::system sys{support::stepped(3)};
  pl::collection<std::int64_t> out;
  auto dice = seeded_random(5);
  auto plan = pl::from(pl::numbers(0, 3'000))
                  .boundary()
                  .map([dice](std::int64_t x) {
                    if (dice->below(10) == 0)
                      throw std::runtime_error{"bad luck"};
                    return x;
                  })
                  .boundary()
                  .together()
                  .scan(std::int64_t{0}, [](std::int64_t& n, std::int64_t x) { return x - n++; })
                  .collect(out);
  CHECK(run(sys, plan.start(sys, "p", small_batches(100))));
  CHECK(out.take() == std::vector<std::int64_t>(3'000, 0));
}

TEST_CASE("pipeline: an element that always fails ends the pipeline with an error that names the stage") {
  troupe::system sys{support::stepped()};
  pl::collection<std::int64_t> out;
  auto plan = pl::from(pl::numbers(0, 100))
                  .boundary()
                  .map([](std::int64_t x) { return x == 50 ? throw std::runtime_error{"no 50"} : x; })
                  .named("picky")
                  .boundary()
                  .collect(out);
  auto o = small_batches(8);
  o.stages.retries = 2;
  auto r = plan.start(sys, "p", o);
  auto end = run(sys, r);
  REQUIRE_FALSE(end);
  CHECK(end.error().what.find("picky") != std::string::npos);
  CHECK(end.error().what.find("no 50") != std::string::npos);
  CHECK(sys.wait_stopped(r.stages(), 0ms));
  auto seen = out.take();
  CHECK(seen.size() <= 50);
  CHECK(std::ranges::find(seen, 50) == seen.end());
}

TEST_CASE("pipeline: with failing_element::skip, elements that always fail are left out and counted") {
  troupe::system sys{support::stepped()};
  for (bool at_source : {false, true}) {
    CAPTURE(at_source);
    pl::collection<std::int64_t> out;
    auto picky = [](std::int64_t x) { return x % 10 == 7 ? throw std::runtime_error{"no sevens"} : x; };
    auto source = pl::from(pl::numbers(0, 100));
    auto plan = at_source ? source.map(picky).boundary().collect(out) : source.boundary().map(picky).collect(out);
    auto o = small_batches(8);
    o.stages.retries = 1;
    o.stages.failing = pl::failing_element::skip;
    auto r = plan.start(sys, at_source ? "s" : "t", o);
    CHECK(run(sys, r));
    std::vector<std::int64_t> expected;
    for (std::int64_t x = 0; x < 100; ++x)
      if (x % 10 != 7)
        expected.push_back(x);
    CHECK(out.take() == expected);
    std::uint64_t skipped = 0;
    for (const auto& f : r.figures())
      skipped += f.skipped;
    CHECK(skipped == 10);
  }
}

TEST_CASE("pipeline: a sink that throws is called again with the same element, and with no other") {
  troupe::system sys{support::stepped()};
  std::vector<std::int64_t> seen;
  int failures = 0;
  auto plan = pl::from(pl::numbers(0, 100)).boundary().for_each([&](std::int64_t x) {
    if (x % 9 == 4 && failures++ % 3 != 2)
      throw std::runtime_error{"the disk is slow today"};
    seen.push_back(x);
  });
  CHECK(run(sys, plan.start(sys, "p", small_batches(16))));
  CHECK(seen == iota(100));
  CHECK(failures > 10);
}

TEST_CASE("pipeline: a slow sink bounds what the whole graph holds") {
  troupe::system sys{support::stepped(2)};
  std::int64_t made = 0;
  pl::collection<std::vector<std::int64_t>> out;
  auto plan = pl::generate(std::int64_t{0},
                           [&](std::int64_t& n) {
                             made = std::max(made, n);
                             return std::optional<std::int64_t>{n++};
                           })
                  .boundary()
                  .map([](std::int64_t x) { return x; })
                  .boundary()
                  .throttle(10, 1s)
                  .group(1)
                  .collect(out);
  auto r = plan.start(sys, "p", small_batches(10, 4));
  std::size_t taken = 0;
  for (int second = 0; second < 50; ++second) {
    sys.run_until_idle();
    taken += out.take().size();
    // Two links of 4 batches, one batch waiting at each of three outlets, one in the throttle, each of 10 elements.
    CHECK(made <= static_cast<std::int64_t>(taken) + (2 * 4 + 3 + 2) * 10);
    sys.advance(1s);
  }
  CHECK(taken > 400);
  CHECK(taken <= 510);
  r.stop();
  sys.run_until_idle();
  CHECK(r.outcome().value().error().code == errc::stopped);
}

TEST_CASE("pipeline: all uses of a stream after a boundary get all elements, and merge brings them together") {
  troupe::system sys{support::stepped(4)};
  pl::collection<std::int64_t> out;
  auto numbers = pl::from(pl::numbers(0, 500)).boundary();
  auto [even, odd] = numbers.split([](std::int64_t x) { return x % 2 == 0; });
  auto plan = pl::merge(even.map([](std::int64_t x) { return -x; }), odd, numbers).collect(out);
  CHECK(run(sys, plan.start(sys, "p", small_batches(9))));
  auto seen = out.take();
  std::ranges::sort(seen);
  std::vector<std::int64_t> expected = iota(500);
  for (std::int64_t x = 0; x < 500; ++x)
    expected.push_back(x % 2 == 0 ? -x : x);
  std::ranges::sort(expected);
  CHECK(seen == expected);
}

TEST_CASE("pipeline: small batches that wait are taken together, and failures among them change nothing") {
  for (const double rate : {0.0, 0.2}) {
    CAPTURE(rate);
    troupe::system sys{failing(11, rate)};
    using source = decltype(pl::from(pl::numbers(0, 1)));
    std::vector<source> sources;
    for (std::int64_t i = 0; i < 200; ++i)
      sources.push_back(pl::from(pl::numbers(i, i + 1)));
    pl::collection<std::int64_t> out;
    auto map = [](std::int64_t x) { return x; };
    auto r = pl::merge(sources).map(map).named("all").boundary().collect(out).start(sys, "p", small_batches(512, 1));
    CHECK(run(sys, r));
    auto seen = out.take();
    std::ranges::sort(seen);
    CHECK(seen == iota(200));
    const auto figures = r.figures();
    const auto all = std::ranges::find(figures, "all", &pl::stage_figures::name);
    REQUIRE(all != figures.end());
    CHECK(all->in == 200);
    CHECK(all->batches < 150);
  }
}

TEST_CASE("pipeline: zip pairs elements by position and holds the faster side back") {
  for (double rate : {0.0, 0.2}) {
    troupe::system sys{failing(7, rate)};
    pl::collection<std::pair<std::int64_t, std::int64_t>> out;
    auto left = pl::from(pl::numbers(0, 400));
    auto right = pl::from(pl::numbers(1'000, 1'300)).boundary().filter([](std::int64_t x) { return x % 2 == 0; });
    CHECK(run(sys, pl::zip(left, right).collect(out).start(sys, "p", small_batches(6))));
    auto seen = out.take();
    REQUIRE(seen.size() == 150);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      CHECK(seen[i].first == static_cast<std::int64_t>(i));
      CHECK(seen[i].second == 1'000 + 2 * static_cast<std::int64_t>(i));
    }
  }
}

TEST_CASE("pipeline: a side of zip that comes from several instances has ended when all of them have") {
  for (const bool right : {false, true}) {
    CAPTURE(right);
    troupe::system sys{support::stepped()};
    pl::collection<std::pair<std::int64_t, std::int64_t>> out;
    const auto several = pl::from(std::vector{pl::numbers(0, 1), pl::numbers(1, 200)});
    const auto one = pl::from(pl::numbers(0, 250)).boundary();
    CHECK(run(sys,
              (right ? pl::zip(one, several) : pl::zip(several, one)).collect(out).start(sys, "p", small_batches(6))));
    CHECK(out.take().size() == 200);
  }
}

TEST_CASE("pipeline: a key that cannot be told is a failure like any other") {
  for (const auto failing : {pl::failing_element::fail, pl::failing_element::skip}) {
    troupe::system sys{support::stepped()};
    pl::collection<std::int64_t> out;
    const auto key = [](std::int64_t x) { return x == 33 ? throw std::runtime_error{"no key"} : x % 5; };
    const auto plan = pl::from(pl::numbers(0, 100))
                          .named("source")
                          .key_by(key, 2)
                          .scan(std::int64_t{0}, [](std::int64_t&, std::int64_t x) { return x; })
                          .collect(out);
    auto o = small_batches(16);
    o.stages.retries = 2;
    o.stages.failing = failing;
    const auto r = run(sys, plan.start(sys, "p", o));
    if (failing == pl::failing_element::fail) {
      REQUIRE_FALSE(r);
      CHECK(r.error().what == "source: std::runtime_error: no key");
    } else {
      CHECK(r);
      CHECK(out.take().size() == 99);
    }
  }
}

TEST_CASE("pipeline: a reply whose key cannot be told is a failure like any other") {
  for (const auto failing : {pl::failing_element::fail, pl::failing_element::skip}) {
    troupe::system sys{support::stepped()};
    const auto same = sys.supervise("asked").start<repeater>("same");
    pl::collection<std::int64_t> out;
    const auto key = [](std::int64_t x) { return x == 33 ? throw std::runtime_error{"no key"} : x % 5; };
    const auto ask = [](std::int64_t x) { return same_as{x}; };
    const auto plan = pl::from(pl::numbers(0, 100))
                          .ask(same, ask, [](std::int64_t, std::int64_t x) { return x; })
                          .key_by(key, 2)
                          .scan(std::int64_t{0}, [](std::int64_t&, std::int64_t x) { return x; })
                          .collect(out);
    auto o = small_batches(16);
    o.stages.retries = 2;
    o.stages.failing = failing;
    const auto r = run(sys, plan.start(sys, "p", o));
    CHECK(static_cast<bool>(r) == (failing == pl::failing_element::skip));
    if (r)
      CHECK(out.take().size() == 99);
  }
}

TEST_CASE("pipeline: a partition that is none is a failure like any other") {
  troupe::system sys{support::stepped()};
  pl::collection<std::int64_t> out;
  const auto time = [](std::int64_t x) { return pl::event_time{std::chrono::microseconds{x}}; };
  const auto partition = [](std::int64_t x) { return static_cast<std::size_t>(x == 33 ? 1'000'000 : x % 2); };
  auto o = small_batches(16);
  o.stages.failing = pl::failing_element::skip;
  const auto plan = pl::from(pl::numbers(0, 100)).event_times_of(2, partition, {}, time).collect(out);
  CHECK(run(sys, plan.start(sys, "p", o)));
  CHECK(out.take().size() == 99);
}

TEST_CASE("pipeline: a source that cannot go past what it cannot make ends the pipeline") {
  for (const auto failing : {pl::failing_element::fail, pl::failing_element::skip}) {
    troupe::system sys{support::stepped()};
    pl::collection<std::int64_t> out;
    const auto plan = pl::generate(std::int64_t{0},
                                   [](std::int64_t& n) -> std::optional<std::int64_t> {
                                     return n == 33 ? throw std::runtime_error{"the well is dry"} : n++;
                                   })
                          .named("well")
                          .collect(out);
    auto o = small_batches(16);
    o.stages.retries = 2;
    o.stages.failing = failing;
    const auto r = run(sys, plan.start(sys, "p", o));
    REQUIRE_FALSE(r);
    CHECK(r.error().what == "well: std::runtime_error: the well is dry");
  }
}

TEST_CASE("pipeline: spread gives each element to one of several instances") {
  troupe::system sys{support::stepped(4)};
  pl::collection<std::int64_t> out;
  auto plan = pl::from(pl::numbers(0, 1'000)).spread(3).map([](std::int64_t x) { return x; }).collect(out);
  auto r = plan.start(sys, "p", small_batches(10));
  CHECK(run(sys, r));
  auto seen = out.take();
  std::ranges::sort(seen);
  CHECK(seen == iota(1'000));
  auto figures = r.figures();
  REQUIRE(figures.size() == 4);
  for (std::size_t i = 1; i < 4; ++i)
    CHECK(figures[i].in > 0);
}

TEST_CASE("pipeline: groups close by size or by time") {
  troupe::system sys{support::stepped()};
  pl::inbox<int> box;
  pl::collection<std::vector<int>> out;
  auto r = pl::from(box).group(3, 100ms).collect(out).start(sys, "p");
  for (int x : {1, 2, 3, 4})
    box.tell(x);
  sys.run_until_idle();
  CHECK(out.take() == std::vector<std::vector<int>>{{1, 2, 3}});
  sys.advance(99ms);
  CHECK(out.size() == 0);
  sys.advance(1ms);
  CHECK(out.take() == std::vector<std::vector<int>>{{4}});
  box.tell(5);
  box.close();
  CHECK(run(sys, r));
  CHECK(out.take() == std::vector<std::vector<int>>{{5}});
}

TEST_CASE("pipeline: an inbox refuses what is beyond its capacity, and what comes after its end") {
  troupe::system sys{support::stepped()};
  pl::inbox<int> box{{.capacity = 5}};
  pl::collection<int> out;
  auto o = small_batches(1, 1);
  o.demand = {1, 0};
  auto r = pl::from(box).boundary().throttle(1, 1s).collect(out).start(sys, "p", o);
  std::size_t taken = 0;
  for (int x = 0; x < 30; ++x) {
    auto reply = box.ask(x);
    sys.run_until_idle();
    taken += std::move(reply).get() ? 1 : 0;
  }
  CHECK(taken >= 5);
  CHECK(taken <= 5 + 5);
  box.close();
  auto late = box.ask(99);
  sys.run_until_idle();
  CHECK_FALSE(std::move(late).get());
  for (int i = 0; i < 40; ++i)
    sys.advance(1s);
  CHECK(r.outcome().has_value());
  CHECK(out.size() == taken);
}

TEST_CASE("pipeline: an inbox ends also if it was closed while its mailbox was full") {
  troupe::system sys{support::stepped()};
  pl::inbox<int> box{{.capacity = 5}};
  pl::collection<int> out;
  const auto r = pl::from(box).collect(out).start(sys, "p");
  while (box.tell(1) == delivery::accepted) {
  }
  box.close();
  CHECK(run(sys, r));
}

TEST_CASE("pipeline: a plan says what it is made of, and starts as often as wanted") {
  troupe::system sys{support::stepped()};
  pl::collection<std::int64_t> out;
  auto plan = pl::from(pl::numbers(0, 10))
                  .map([](std::int64_t x) { return x; })
                  .named("numbers")
                  .boundary()
                  .filter([](std::int64_t) { return true; })
                  .collect(out);
  CHECK(plan.to_text() == "source \"numbers\": map\nsink \"sink\": filter collect <- \"numbers\" forward\n");
  CHECK(plan.to_mermaid().find("n0 -->|forward| n1") != std::string::npos);
  auto a = plan.start(sys, "a");
  auto b = plan.start(sys, "b");
  CHECK(run(sys, a));
  CHECK(run(sys, b));
  CHECK(out.size() == 20);
}

TEST_CASE("pipeline: nothing can be asked of a run that was never begun") {
  const pl::running none;
  CHECK_THROWS_AS(none.outcome(), troupe::usage_error);
  CHECK_THROWS_AS((void)none.wait(), troupe::usage_error);
  CHECK_THROWS_AS(none.stop(), troupe::usage_error);
  CHECK_THROWS_AS((void)none.figures(), troupe::usage_error);
}

TEST_CASE("pipeline: wrong options are refused with the name of the option") {
  troupe::system sys{support::stepped()};
  pl::collection<std::int64_t> out;
  auto numbers = pl::from(pl::numbers(0, 10));
  auto plan = numbers.collect(out);
  pl::options o;
  o.stages.batch_size = 0;
  CHECK_THROWS_WITH(plan.start(sys, "p", o), doctest::Contains("stages.batch_size"));
  o = {};
  o.demand = {4, 4};
  CHECK_THROWS_WITH(plan.start(sys, "p", o), doctest::Contains("demand.min"));
  CHECK_THROWS_WITH(numbers.group(0), doctest::Contains("group"));
  CHECK_THROWS_WITH(numbers.throttle(0, 1s), doctest::Contains("throttle"));
  auto time = [](std::int64_t x) { return pl::event_time{std::chrono::milliseconds{x}}; };
  CHECK_THROWS_WITH(numbers.event_times(-1s, time), doctest::Contains("bound"));
  CHECK_THROWS_WITH(numbers.together().window(pl::tumbling{0s}, pl::count{}, {}, time),
                    doctest::Contains("tumbling.size"));
}

namespace {

/// The greatest value of each key so far, said whenever it rises. Only that changes the state; `looked` counts the rest.
struct rising {
  struct reading {
    int key;
    std::int64_t value;
  };
  template <class Emit>
  bool look(std::int64_t most, const reading& r, Emit&) const {
    if (r.value > most)
      return false;
    ++*looked;
    return true;
  }
  template <class Context, class Emit>
  void on(Context& c, std::int64_t& most, const reading& r, Emit& emit) const {
    most = r.value;
    emit(std::pair{c.key(), most});
  }
  std::shared_ptr<std::int64_t> looked = std::make_shared<std::int64_t>(0);
};

} // namespace

TEST_CASE("pipeline: a run that comes to its end drops no message, in any order of turns") {
  for (const bool fails : {false, true})
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      CAPTURE(fails);
      CAPTURE(seed);
      troupe::system sys{fails ? failing(seed, 0.01) : support::stepped(seed)};
      pl::inbox<std::int64_t> box;
      pl::collection<std::int64_t> seen;
      const auto plan = pl::from(box).spread(2).map([](std::int64_t x) { return x; }).spread(2).collect(seen);
      const auto r = plan.start(sys, "p", small_batches(4));
      for (std::int64_t x = 0; x < 100; ++x)
        CHECK(box.tell(x) == delivery::accepted);
      box.close();
      CHECK(run(sys, r).has_value());
      sys.advance(1s); // restarts while it ends
      CHECK(seen.size() == 100);
      CHECK(sys.root().children().empty());
      CHECK(sys.books().dropped == 0);
      CHECK(sys.books().queued == 0);
    }
}

TEST_CASE("pipeline: a run with a stage that asks drops no message at its end either") {
  const auto ask = [](std::int64_t x) { return same_as{x}; };
  const auto answer = [](std::int64_t, std::int64_t x) { return x; };
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    troupe::system sys{support::stepped(seed)};
    const auto same = sys.supervise("asked").start<repeater>("same");
    pl::collection<std::int64_t> seen;
    const auto plan = pl::from(pl::numbers(0, 20)).ask(same, ask, answer).collect(seen);
    CHECK(run(sys, plan.start(sys, "p", small_batches(4))));
    CHECK(seen.size() == 20);
    CHECK(sys.books().dropped == 0);
  }
}

TEST_CASE("pipeline: logic that looks first changes what it would without, also when batches fail") {
  std::vector<rising::reading> readings;
  std::vector<std::pair<int, std::int64_t>> expected;
  std::map<int, std::int64_t> most;
  std::mt19937_64 random{7};
  for (int i = 0; i < 2'000; ++i) {
    readings.push_back({static_cast<int>(random() % 9), static_cast<std::int64_t>(random() % 10'000) + i});
    const auto& r = readings.back();
    if (r.value > most[r.key]) {
      most[r.key] = r.value;
      expected.emplace_back(r.key, r.value);
    }
  }
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    troupe::system sys{failing(seed, seed == 0 ? 0 : 0.2)};
    const rising logic;
    const pl::collection<std::pair<int, std::int64_t>> said;
    const auto plan = pl::from_values(readings)
                          .key_by(&rising::reading::key, 1)
                          .process<std::pair<int, std::int64_t>>(std::int64_t{0}, logic)
                          .collect(said);
    CHECK(run(sys, plan.start(sys, "rising", small_batches(16))).has_value());
    CHECK(said.take() == expected);
    if (seed == 0) // a key without a state is not looked at
      CHECK(*logic.looked == static_cast<std::int64_t>(readings.size() - expected.size()));
  }
}
