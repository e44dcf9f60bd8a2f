// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/pipeline.hpp>

#include "programs.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace simulated {

using namespace troupe;
using namespace std::chrono_literals;
namespace pl = troupe::pipeline;

namespace {

constexpr int meter_count = 7;
constexpr int readings_per_source = 150;
constexpr std::int64_t disorder_ms = 400;
constexpr std::int64_t gap_ms = 300; // that ends a session

struct reading {
  int meter = 0;
  std::int64_t ms = 0;
  std::int64_t value = 0;
  pl::event_time time() const { return pl::event_time{std::chrono::milliseconds{ms}}; }
};

/// In order of time.
std::vector<reading> made(std::uint64_t seed) {
  std::mt19937_64 draw{seed};
  std::vector<reading> all;
  std::int64_t now = 0;
  for (int i = 0; i < readings_per_source; ++i) {
    now += static_cast<std::int64_t>(draw() % 40);
    all.push_back({static_cast<int>(draw() % meter_count), now, static_cast<std::int64_t>(draw() % 100)});
  }
  return all;
}

/// As they arrive: each up to `disorder_ms` late.
std::vector<reading> disordered(std::vector<reading> all, std::uint64_t seed) {
  std::mt19937_64 draw{seed};
  std::vector<std::pair<std::int64_t, reading>> arrivals;
  for (const auto& r : all)
    arrivals.emplace_back(r.ms + static_cast<std::int64_t>(draw() % disorder_ms), r);
  std::ranges::stable_sort(arrivals, {}, &std::pair<std::int64_t, reading>::first);
  std::ranges::transform(arrivals, all.begin(), &std::pair<std::int64_t, reading>::second);
  return all;
}

struct sum {
  void add(const reading& r) { total += r.value; }
  std::int64_t result() const { return total; }
  void merge(const sum& other) { total += other.total; }
  std::int64_t total = 0;
};

/// Meter, where its window begins, and what was found in it.
using line = std::tuple<int, std::int64_t, std::int64_t>;

struct answer {
  std::vector<line> per_second{};
  std::vector<line> per_session{};
  friend bool operator==(const answer&, const answer&) = default;
};

/// By hand: tariffs, seconds and sessions, one reading after the other.
answer computed(std::vector<reading> all) {
  std::ranges::stable_sort(all, {}, &reading::ms);
  std::map<std::pair<int, std::int64_t>, std::int64_t> seconds;
  std::map<int, std::tuple<std::int64_t, std::int64_t, std::int64_t>> open; // first, last, count
  answer a;
  for (const auto& r : all) {
    seconds[{r.meter, r.ms / 1'000 * 1'000}] += r.value * (r.meter + 1);
    auto& [first, last, n] = open.try_emplace(r.meter, r.ms, r.ms, 0).first->second;
    if (r.ms - last >= gap_ms) {
      a.per_session.push_back({r.meter, first, n});
      first = r.ms;
      n = 0;
    }
    last = r.ms;
    ++n;
  }
  for (const auto& [key, total] : seconds)
    a.per_second.push_back({key.first, key.second, total});
  for (const auto& [meter, s] : open)
    a.per_session.push_back({meter, std::get<0>(s), std::get<2>(s)});
  std::ranges::sort(a.per_session);
  return a;
}

struct tariff_of {
  int meter = 0;
  using reply = std::int64_t;
};
class tariffs : public actor<tariffs, tariff_of> {
public:
  std::int64_t on(const tariff_of& t) {
    fault_point();
    return t.meter + 1;
  }
};

template <class W>
line line_of(const W& w) {
  return {w.key, w.window.start.time_since_epoch() / 1ms, static_cast<std::int64_t>(w.value)};
}

void run_pipeline(simulation& sim) {
  const auto seed = sim.options().replay ? sim.options().replay->seed : sim.options().seed;
  auto east = made(seed), west = made(seed + 1'000'003);
  auto all = east;
  all.insert(all.end(), west.begin(), west.end());
  const auto expected = computed(all);
  east = disordered(std::move(east), seed + 1);
  west = disordered(std::move(west), seed + 2);
  answer found;
  pl::running running;
  sim.eventually("the pipeline comes to its end", [&] { return running.outcome() && *running.outcome(); });
  sim.eventually("the answer is the one computed by hand", [&] {
    std::ranges::sort(found.per_second);
    std::ranges::sort(found.per_session);
    return found == expected;
  });
  sim.run([&](troupe::system& sys) {
    const auto prices =
        sys.supervise("prices",
                      {.intensity = unlimited, .group_intensity = unlimited, .backoff = {.min = 1ms, .max = 2ms}})
            .start<tariffs>("tariffs", child_options{.retries = unlimited});
    const auto bound = std::chrono::milliseconds{disorder_ms};
    const auto both = pl::merge(pl::from_values(east).event_times(bound), pl::from_values(west).event_times(bound));
    const auto sessions = both.key_by(&reading::meter, 2)
                              .window(pl::session{std::chrono::milliseconds{gap_ms}}, pl::count{})
                              .for_each([&](const auto& w) { found.per_session.push_back(line_of(w)); });
    const auto seconds = both.spread(2)
                             .ask(
                                 prices, [](const reading& r) { return tariff_of{r.meter}; },
                                 [](reading r, std::int64_t tariff) {
                                   r.value *= tariff;
                                   return r;
                                 },
                                 {.concurrency = 4})
                             .key_by(&reading::meter, 3)
                             .window(pl::tumbling{1s}, sum{})
                             .for_each([&](const auto& w) { found.per_second.push_back(line_of(w)); });
    pl::options o;
    o.stages.batch_size = 1 + seed % 20;
    running = seconds.with(sessions).start(sys, "meters", o);
  });
}

} // namespace

application windowed_pipeline() {
  // A stage sends when its batch is done, and nothing that could fail comes in between: it fails at its fault points.
  return {
      {.name = "pipeline",
       .faults =
           {.crash = 0.03, .crash_at_sends = false, .preempt = 0.1, .slow = 0.02, .slow_by = 80ms, .clock_step = 0.05}},
      run_pipeline,
      "windowed_pipeline"};
}

} // namespace simulated
