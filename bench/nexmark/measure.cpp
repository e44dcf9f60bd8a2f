// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/system.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/nexmark/event_log.hpp>
#include <bench/nexmark/options.hpp>
#include <bench/nexmark/queries.hpp>
#include <cstdio>
#include <ctime>
#include <vector>

namespace nexmark {

namespace {

namespace pl = troupe::pipeline;

struct spread_of_rates {
  double least;
  double median;
  double most;
};

spread_of_rates summary(std::vector<double> rates) {
  std::ranges::sort(rates);
  return {rates.front(), rates[rates.size() / 2], rates.back()};
}

/// Now, in seconds: of all threads of this process, or of the clock on the wall.
double now(bool cpu_time) {
  timespec t{};
  ::clock_gettime(cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

template <class F>
double seconds(bool cpu_time, F&& f) {
  const auto begin = now(cpu_time);
  f();
  return now(cpu_time) - begin;
}

} // namespace

int measure(const run_options& o) {
  const generator g{o.seed};
  event_log log;
  std::vector<event> events;
  if (!o.input.empty()) {
    log = event_log::read(o.input);
    events = std::move(log.events);
  }
  for (std::uint64_t n = 0; o.input.empty() && n < o.generate; ++n)
    events.push_back(g.make(n));
  const auto count = static_cast<double>(events.size());

  troupe::system_options options;
  options.workers = o.workers;
  troupe::system sys{options};
  pl::options how;
  how.stages.batch_size = o.batch;
  how.partitions = o.workers;

  bool right = true;
  fmt::print("{} events in memory, {} worker(s), {} rounds; million events per second, median (least..most)\n\n",
             events.size(), o.workers, o.rounds);
  fmt::print("{:5} {:>24} {:>24} {:>7} {:>10} {:>8}  {}\n", "query", "pipeline", "loop", "ratio", "published", "times",
             "answer");
  for (const auto& q : queries()) {
    if (!o.query.empty() && find_query(o.query) != &q)
      continue;
    std::vector<double> pipeline, loop;
    digest theirs, ours;
    for (unsigned round = 0; round < o.rounds; ++round) {
      loop.push_back(count / seconds(o.cpu_time, [&] { theirs = q.loop(events); }) / 1e6);
      auto to = std::make_shared<answer>(false);
      const auto plan = q.plan(feed{std::span<const event>{events}, {}, o.workers}, to);
      pipeline.push_back(
          count /
          seconds(o.cpu_time, [&] { plan.start(sys, fmt::format("{}-{}", q.name, round), how).wait().value(); }) / 1e6);
      ours = to->total;
    }
    const auto p = summary(pipeline);
    const auto l = summary(loop);
    const auto per_core = p.median / o.workers;
    right = right && ours == theirs;
    fmt::print("{:5} {:>8.2f} ({:>5.2f}..{:>6.2f}) {:>8.2f} ({:>5.2f}..{:>6.2f}) {:>7.2f} {:>10} {:>8}  {}\n", q.name,
               p.median, p.least, p.most, l.median, l.least, l.most, p.median / l.median,
               q.published > 0 ? fmt::format("{:.4f}", q.published / 1e6) : "-",
               q.published > 0 ? fmt::format("{:.0f}", per_core * 1e6 / q.published) : "-",
               ours == theirs ? "same" : "DIFFERENT");
    std::fflush(stdout);
  }
  fmt::print(
      "\nratio: pipeline to loop. published: events per second and core of Nexmark's reference run on Flink, which "
      "writes\ncheckpoints; times: pipeline per worker to that.\n");
  return right ? 0 : 1;
}

} // namespace nexmark
