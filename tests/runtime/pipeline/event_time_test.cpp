// SPDX-License-Identifier: BSD-3-Clause
// Claim: windows, joins and requests in a running pipeline give the answers of a naive computation, whatever the number of
// partitions, the disorder, and the failures.
// Observed: on stepped systems; the pure states behind them have their own tests.
#include <troupe/pipeline/pipeline.hpp>

#include "support/pipeline_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
namespace pl = troupe::pipeline;
using support::failing;
using support::run;

namespace {

struct reading {
  int sensor;
  std::int64_t ms;
  std::int64_t value;
  pl::event_time time() const { return pl::event_time{std::chrono::milliseconds{ms}}; }
};

std::vector<reading> readings(std::size_t n, std::int64_t bound) {
  auto random = seeded_random(n);
  std::vector<std::pair<std::int64_t, reading>> order;
  for (std::size_t i = 0; i < n; ++i) {
    const reading r{static_cast<int>(random->below(11)), static_cast<std::int64_t>(i) * 10,
                    static_cast<std::int64_t>(random->below(1'000))};
    order.emplace_back(r.ms + static_cast<std::int64_t>(random->below(static_cast<std::uint64_t>(bound) + 1)), r);
  }
  std::ranges::stable_sort(order, {}, &std::pair<std::int64_t, reading>::first);
  std::vector<reading> all;
  for (const auto& [when, r] : order)
    all.push_back(r);
  return all;
}

pl::options with(std::size_t batch, unsigned partitions) {
  pl::options o;
  o.stages.batch_size = batch;
  o.partitions = partitions;
  return o;
}

} // namespace

TEST_CASE("pipeline windows: the answer does not depend on partitions, batches, order or failures") {
  std::map<std::tuple<int, std::int64_t>, std::uint64_t> expected;
  for (const auto& r : readings(2'000, 0))
    ++expected[{r.sensor, r.ms / 1'000}];
  for (const std::int64_t bound : {0, 300}) {
    for (const unsigned partitions : {1U, 3U}) {
      for (const double rate : {0.0, 0.1}) {
        CAPTURE(bound);
        CAPTURE(partitions);
        CAPTURE(rate);
        troupe::system sys{failing(5, rate)};
        pl::collection<pl::windowed<int, std::uint64_t>> out;
        auto plan = pl::from_values(readings(2'000, bound))
                        .event_times(std::chrono::milliseconds{bound})
                        .key_by(&reading::sensor)
                        .window(pl::tumbling{1s}, pl::count{})
                        .collect(out);
        CHECK(run(sys, plan.start(sys, "p", with(rate > 0 ? 37 : 64, partitions))));
        std::map<std::tuple<int, std::int64_t>, std::uint64_t> seen;
        for (const auto& w : out.take())
          CHECK(seen.emplace(std::tuple{w.key, w.window.start.time_since_epoch() / 1s}, w.value).second);
        CHECK(seen == expected);
      }
    }
  }
}

TEST_CASE("pipeline windows: what is too late comes out on the second stream") {
  troupe::system sys{support::stepped()};
  pl::collection<pl::windowed<int, std::uint64_t>> out;
  pl::collection<reading> too_late;
  std::vector<reading> all;
  for (std::int64_t ms = 0; ms < 10'000; ms += 100) {
    all.push_back({1, ms, 0});
    if (ms % 1'000 == 500)
      all.push_back({1, ms - 5'000, 0});
  }
  auto [windows, late] =
      pl::from_values(all).event_times(0s).key_by(&reading::sensor).window_and_late(pl::tumbling{1s}, pl::count{});
  CHECK(run(sys, windows.collect(out).with(late.collect(too_late)).start(sys, "p", with(1, 2))));
  const auto lost = too_late.take();
  // The first one is of 4.5 s before 1970, while nothing is known of the time yet but 0.5 s: late as all of them.
  CHECK(lost.size() == 10);
  std::uint64_t counted = 0;
  for (const auto& w : out.take())
    counted += w.value;
  CHECK(counted == 100);
}

TEST_CASE("pipeline windows: an early accumulator says results before the window is complete") {
  troupe::system sys{support::stepped()};
  pl::collection<pl::windowed<int, std::uint64_t>> out;
  std::vector<reading> all;
  for (std::int64_t i = 0; i < 7; ++i)
    all.push_back({1, i * 10, 0});
  auto plan = pl::from_values(all)
                  .event_times(0s)
                  .key_by(&reading::sensor)
                  .window(pl::tumbling{1s}, pl::early{3, pl::count{}})
                  .collect(out);
  CHECK(run(sys, plan.start(sys, "p")));
  const auto seen = out.take();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].value == 3);
  CHECK_FALSE(seen[0].complete);
  CHECK(seen[1].value == 6);
  CHECK(seen[2].value == 7);
  CHECK(seen[2].complete);
}

TEST_CASE("pipeline windows: an early accumulator says sessions, too, before they are complete") {
  troupe::system sys{support::stepped()};
  pl::collection<pl::windowed<int, std::uint64_t>> out;
  std::vector<reading> all;
  for (std::int64_t i = 0; i < 7; ++i)
    all.push_back({1, i * 10, 0});
  auto plan = pl::from_values(all)
                  .event_times(0s)
                  .key_by(&reading::sensor)
                  .window(pl::session{1s}, pl::early{3, pl::count{}})
                  .collect(out);
  CHECK(run(sys, plan.start(sys, "p")));
  const auto seen = out.take();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].value == 3);
  CHECK_FALSE(seen[0].complete);
  CHECK(seen[0].window.end == seen[0].window.start + 1s + 20ms);
  CHECK(seen[1].value == 6);
  CHECK(seen[2].value == 7);
  CHECK(seen[2].complete);
}

TEST_CASE("pipeline windows: a live window says by the clock what has changed in it, and at its end the whole") {
  for (const double rate : {0.0, 0.3}) {
    CAPTURE(rate);
    troupe::system sys{failing(3, rate)};
    pl::inbox<reading> box;
    pl::collection<pl::windowed<int, std::uint64_t>> out;
    auto r = pl::from(box)
                 .event_times(0s)
                 .key_by(&reading::sensor)
                 .window(pl::sliding{2s, 1s}, pl::count{}, pl::live_window_options{.every = 100ms})
                 .collect(out)
                 .start(sys, "p", with(8, 2));
    using row = std::tuple<int, std::int64_t, std::uint64_t, bool>; // sensor, second of the end, count, complete
    const auto said = [&] {
      std::vector<row> rows;
      for (const auto& w : out.take())
        rows.emplace_back(w.key, w.window.end.time_since_epoch() / 1s, w.value, w.complete);
      std::ranges::sort(rows);
      return rows;
    };
    const auto pass = [&](auto time) { // and what restarts take
      sys.run_until_idle();
      sys.advance(time);
      for (int i = 0; i < 100; ++i) {
        sys.advance(100us);
        sys.run_until_idle();
      }
    };
    for (const int sensor : {1, 1, 2})
      box.tell({sensor, 1'500, 0});
    pass(50ms);
    CHECK(said().empty());
    box.tell({1, 1'600, 0});
    pass(50ms);
    CHECK(said() == std::vector<row>{{1, 2, 3, false}, {1, 3, 3, false}, {2, 2, 1, false}, {2, 3, 1, false}});
    pass(1s);
    CHECK(said().empty()); // nothing has changed
    box.tell({2, 2'100, 0});
    pass(0s);
    CHECK(said() == std::vector<row>{{1, 2, 3, true}, {2, 2, 1, true}});
    pass(100ms);
    CHECK(said() == std::vector<row>{{2, 3, 2, false}, {2, 4, 1, false}});
    box.close();
    CHECK(run(sys, r));
    CHECK(said() == std::vector<row>{{1, 3, 3, true}, {2, 3, 2, true}, {2, 4, 1, true}});
  }
}

TEST_CASE("pipeline windows: a live session says by the clock how long it is so far") {
  troupe::system sys{support::stepped()};
  pl::inbox<reading> box;
  pl::collection<pl::windowed<int, std::uint64_t>> out;
  auto r = pl::from(box)
               .event_times(0s)
               .key_by(&reading::sensor)
               .window(pl::session{1s}, pl::count{}, pl::live_window_options{.every = 100ms})
               .collect(out)
               .start(sys, "p");
  for (const std::int64_t ms : {100, 400}) {
    box.tell({7, ms, 0});
    sys.run_until_idle();
    sys.advance(100ms);
    sys.run_until_idle();
    const auto seen = out.take();
    REQUIRE(seen.size() == 1);
    CHECK_FALSE(seen[0].complete);
    CHECK(seen[0].window.end == pl::event_time{std::chrono::milliseconds{ms + 1'000}});
  }
  box.close();
  CHECK(run(sys, r));
  const auto seen = out.take();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].complete);
  CHECK(seen[0].value == 2);
}

TEST_CASE("pipeline watermarks: a silent partition holds windows back until it is idle") {
  troupe::system sys{support::stepped()};
  pl::inbox<reading> box;
  pl::collection<pl::windowed<int, std::uint64_t>> out;
  auto r = pl::from(box)
               .event_times_of(2, [](const reading& x) { return static_cast<std::size_t>(x.sensor); },
                               {.bound = 0s, .idle_timeout = 1s})
               .key_by(&reading::sensor)
               .window(pl::tumbling{1s}, pl::count{})
               .collect(out)
               .start(sys, "p", with(8, 2));
  box.tell({0, 100, 0});
  box.tell({1, 100, 0});
  box.tell({0, 2'500, 0});
  sys.run_until_idle();
  CHECK(out.size() == 0); // partition 1 may still have something for the first second
  sys.advance(500ms);
  box.tell({0, 2'600, 0});
  sys.run_until_idle();
  CHECK(out.size() == 0);
  sys.advance(600ms); // silent for more than 1 s
  CHECK(out.size() == 2);
  box.close();
  CHECK(run(sys, r));
  CHECK(out.size() == 3);
}

TEST_CASE("pipeline joins: two streams meet by key, across partitions and failures") {
  struct person {
    std::int64_t id;
    std::int64_t ms;
    pl::event_time time() const { return pl::event_time{std::chrono::milliseconds{ms}}; }
  };
  struct order {
    std::int64_t person;
    std::int64_t number;
    std::int64_t ms;
    pl::event_time time() const { return pl::event_time{std::chrono::milliseconds{ms}}; }
  };
  for (const double rate : {0.0, 0.15}) {
    CAPTURE(rate);
    troupe::system sys{failing(9, rate)};
    std::vector<person> persons;
    std::vector<order> orders;
    for (std::int64_t i = 0; i < 100; ++i)
      persons.push_back({i, 5'000 - i * 50});
    for (std::int64_t i = 0; i < 400; ++i)
      orders.push_back({i * 7 % 130, i, i * 12});
    pl::collection<std::pair<std::int64_t, std::int64_t>> out;
    pl::collection<std::pair<std::int64_t, std::int64_t>> together;
    pl::collection<std::pair<std::int64_t, std::int64_t>> looked_up;
    auto left = pl::from_values(persons).event_times(5s);
    auto right = pl::from_values(orders).event_times(0s);
    const auto pair = [](const person& p, const order& o) { return std::pair{p.id, o.number}; };
    auto both = pl::both_by_key(left, right, &person::id, &order::person, 3);
    auto in_window = [pair](const person& p, const order& o, const pl::window&) { return pair(p, o); };
    auto versions = pl::both_by_key(right, left, &order::person, &person::id, 2);
    auto plan = both.join(pair)
                    .collect(out)
                    .with(both.window_join(pl::tumbling{1s}, in_window).collect(together))
                    .with(versions
                              .lookup([](const order& o, const person* p) {
                                return std::pair{p == nullptr ? std::int64_t{-1} : p->id, o.number};
                              })
                              .collect(looked_up));
    CHECK(run(sys, plan.start(sys, "p", with(16, 2))));
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    std::vector<std::pair<std::int64_t, std::int64_t>> same_second;
    std::vector<std::pair<std::int64_t, std::int64_t>> valid;
    for (const auto& o : orders) {
      std::int64_t version = -1;
      for (const auto& p : persons)
        if (p.id == o.person) {
          all.emplace_back(p.id, o.number);
          if (p.ms / 1'000 == o.ms / 1'000)
            same_second.emplace_back(p.id, o.number);
          if (p.ms <= o.ms)
            version = p.id;
        }
      valid.emplace_back(version, o.number);
    }
    const auto sorted = [](auto v) {
      std::ranges::sort(v);
      return v;
    };
    CHECK(sorted(out.take()) == sorted(all));
    CHECK(sorted(together.take()) == sorted(same_second));
    CHECK(sorted(looked_up.take()) == sorted(valid));
  }
}

namespace {

struct price_of {
  std::int64_t item;
  using reply = std::int64_t;
};

class price_list : public actor<price_list, price_of> {
public:
  explicit price_list(const std::shared_ptr<int>& most) : most_{most} {}
  task<std::int64_t> on(const price_of& p) {
    *most_ = std::max(*most_, ++asked_);
    auto pause = blocking([] {});
    co_await pause;
    --asked_;
    if (p.item == 13 && ++refusals_ <= 2)
      throw std::runtime_error{"not now"};
    co_return p.item * 100;
  }

private:
  std::shared_ptr<int> most_;
  int asked_ = 0;
  static inline int refusals_ = 0;
};

} // namespace

TEST_CASE("pipeline requests: replies come in order, no more requests than allowed are on their way, errors are asked "
          "again") {
  troupe::system sys{{.workers = 2}};
  auto most = std::make_shared<int>(0);
  child_options o;
  o.intensity = unlimited;
  auto prices = sys.supervise("shop", {.group_intensity = unlimited}).start<price_list>("prices", o, most);
  pl::collection<std::pair<std::int64_t, std::int64_t>> out;
  auto plan = pl::from(pl::numbers(0, 200))
                  .ask(
                      prices, [](std::int64_t x) { return price_of{x}; },
                      [](std::int64_t x, std::int64_t price) {
                        return std::pair{x, price};
                      },
                      {.concurrency = 4})
                  .collect(out);
  CHECK(plan.start(sys, "p", with(50, 1)).wait(20s));
  const auto seen = out.take();
  REQUIRE(seen.size() == 200);
  for (std::int64_t i = 0; i < 200; ++i)
    CHECK(seen[static_cast<std::size_t>(i)] == std::pair{i, i * 100});
  CHECK(*most <= 4);
}

TEST_CASE("pipeline state: a key for which nothing comes for a while is forgotten, and says its fold before that") {
  for (const double rate : {0.0, 0.1}) {
    CAPTURE(rate);
    troupe::system sys{failing(3, rate)};
    std::vector<reading> all;
    for (std::int64_t ms = 0; ms < 20'000; ms += 10)
      for (int sensor = 0; sensor < 4; ++sensor)
        if (sensor == 0 || ms / 1'000 % 5 < sensor) // the others fall silent every 5 s, for 5 - sensor seconds
          all.push_back({sensor, ms, 1});
    pl::collection<std::pair<int, std::int64_t>> out;
    auto plan = pl::from_values(all)
                    .event_times(0s)
                    .key_by(&reading::sensor, 2)
                    .fold(
                        std::int64_t{0}, [](std::int64_t& n, const reading& r) { n += r.value; }, pl::expiry{2500ms})
                    .collect(out);
    CHECK(run(sys, plan.start(sys, "p", with(16, 2))));
    auto seen = out.take();
    std::ranges::sort(seen);
    // Sensors 1 and 2 are silent for 4 s and 3 s, which is too long; 3 for 2 s, which is not.
    CHECK(seen ==
          std::vector<std::pair<int, std::int64_t>>{
              {0, 2'000}, {1, 100}, {1, 100}, {1, 100}, {1, 100}, {2, 200}, {2, 200}, {2, 200}, {2, 200}, {3, 1'200}});
  }
}
