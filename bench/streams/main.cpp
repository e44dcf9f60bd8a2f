// SPDX-License-Identifier: BSD-3-Clause
// Thousands of live streams: each is a source of its own that a thread outside fills at a steady rate; all meet by key in
// stages with a state per stream. Says how long an event takes from its making to the sink, and what that costs.
//
// Run:   build/release/bin/bench_streams [streams] [events per second of each] [seconds] [workers]

#include <troupe/pipeline/pipeline.hpp>
#include <troupe/system.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
namespace pl = troupe::pipeline;
using steady = std::chrono::steady_clock;

namespace {

struct sample {
  std::uint32_t stream;
  std::int64_t value;
  std::int64_t made_ns; // of steady time
  pl::event_time time() const noexcept { return pl::event_time{std::chrono::microseconds{made_ns / 1'000}}; }
};

/// A running mean, as a stand-in for what is done with a stream.
struct mean {
  double value = 0;
  std::int64_t n = 0;
};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(steady::now().time_since_epoch()).count();
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::size_t argument(int argc, char** argv, int i, std::size_t otherwise) {
  return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
}

} // namespace

int main(int argc, char** argv) {
  const auto streams = argument(argc, argv, 1, 10'000);
  const auto rate = argument(argc, argv, 2, 100);
  const auto seconds = argument(argc, argv, 3, 5);
  const auto workers = argument(argc, argv, 4, 2);

  troupe::system_options options;
  options.workers = static_cast<unsigned>(workers);
  troupe::system sys{options};

  using source = decltype(pl::from(std::declval<pl::inbox<sample>>()).event_times(0s));
  std::vector<pl::inbox<sample>> boxes;
  std::vector<source> sources;
  for (std::size_t i = 0; i < streams; ++i) {
    boxes.emplace_back(pl::inbox_options{.capacity = 1'000});
    sources.push_back(pl::from(boxes.back()).event_times(0s));
  }
  auto delays = std::make_shared<std::vector<std::int64_t>>();
  delays->reserve(streams * rate * seconds);
  const auto plan = pl::merge(sources)
                        .key_by(&sample::stream)
                        .scan(mean{},
                              [](mean& m, const sample& s) {
                                m.value += (static_cast<double>(s.value) - m.value) / static_cast<double>(++m.n);
                                return s.made_ns;
                              })
                        .for_each([delays](std::int64_t made) { delays->push_back(now_ns() - made); });
  const auto running = plan.start(sys, "streams");

  const auto cpu_before = cpu_seconds();
  std::size_t refused = 0;
  const auto begin = steady::now();
  const auto slices =
      seconds * 1'000; // of a millisecond; stream i speaks in every (1000 / rate)-th, beginning with i's
  const auto every = std::max<std::size_t>(1, 1'000 / rate);
  for (std::size_t slice = 0; slice < slices; ++slice) {
    std::this_thread::sleep_until(begin + slice * 1ms);
    for (auto i = slice % every; i < streams; i += every)
      if (boxes[i].tell({static_cast<std::uint32_t>(i), static_cast<std::int64_t>(slice), now_ns()}) !=
          troupe::delivery::accepted)
        ++refused;
  }
  for (const auto& b : boxes)
    b.close();
  const auto end = running.wait(60s);
  const std::chrono::duration<double> took = steady::now() - begin;
  const auto cpu = cpu_seconds() - cpu_before;

  auto& all = *delays;
  if (!end || all.empty()) {
    std::fprintf(stderr, "failed: %s\n", end ? "nothing came through" : end.error().what.c_str());
    return 1;
  }
  std::ranges::sort(all);
  const auto at = [&](double q) {
    return static_cast<double>(all[static_cast<std::size_t>(q * static_cast<double>(all.size() - 1))]) / 1e6;
  };
  std::printf("%zu streams x %zu/s, %.1f s, %zu workers: %zu events, %zu refused\n", streams, rate, took.count(),
              workers, all.size(), refused);
  std::printf(
      "delay p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, most %.2f ms; %.2f us of processor per event, %.2f cores\n",
      at(0.5), at(0.99), at(0.999), at(1), cpu * 1e6 / static_cast<double>(all.size()), cpu / took.count());
  return sys.shutdown().exit_code();
}
