// SPDX-License-Identifier: BSD-3-Clause
// Rows about what actors cost that do nothing: memory-per-idle-actor, idle-cpu; and timer, which wakes many of them.
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <vector>

namespace bench {

namespace {

struct nudge {};

class idler : public troupe::actor<idler, nudge> {
public:
  void on(const nudge&) { ++nudges_; }

private:
  std::int64_t nudges_ = 0;
};

std::vector<troupe::ref<idler>> idlers(troupe::system& sys, std::uint64_t n) {
  std::vector<troupe::ref<idler>> all;
  all.reserve(n);
  for (std::uint64_t i = 0; i < n; ++i)
    all.push_back(sys.spawn<idler>());
  return all;
}

void memory(const run_size& size) {
  troupe::system sys{options_for(size)};
  settle_down();
  const auto before = resident_bytes();
  const auto all = idlers(sys, size.n);
  settle_down();
  print_figure("memory-per-idle-actor", "bytes",
               static_cast<double>(resident_bytes() - before) / static_cast<double>(size.n),
               static_cast<std::int64_t>(all.size()));
}

void idle_cpu(const run_size& size) {
  troupe::system sys{options_for(size)};
  const auto all = idlers(sys, size.n);
  for (const auto& a : all)
    a.tell(nudge{});
  sleep_ns(500'000'000);
  const auto before = process_usage::now();
  sleep_ns(10'000'000'000);
  const auto after = process_usage::now();
  const auto check = static_cast<std::int64_t>(all.size());
  print_figure("idle-cpu", "cpu-s", after.cpu_seconds - before.cpu_seconds, check);
  print_figure("idle-switches", "switches", static_cast<double>(after.switches - before.switches), check);
}

struct set_timers {
  std::int64_t count;
};
struct due {
  std::int64_t at; // ns
};

struct timer_tally {
  std::atomic<std::int64_t> left{0};
  stopwatch clock;
  std::vector<std::int64_t> lateness;
};

class sleeper : public troupe::actor<sleeper, set_timers, due> {
public:
  sleeper(timer_tally* shared, std::int64_t seed) : shared_{shared}, dice_{seed} {}

  void on(const set_timers& s) {
    for (std::int64_t i = 0; i < s.count; ++i) {
      const auto delay = 1'000'000'000 + dice_.next() * 15'000; // 1 to 2 s, in any order
      after(std::chrono::nanoseconds{delay}, due{now_ns() + delay});
    }
  }

  void on(const due& d) {
    const auto late = now_ns() - d.at;
    const auto left = shared_->left.fetch_sub(1);
    shared_->lateness[static_cast<std::size_t>(left - 1)] = late;
    if (left == 1)
      shared_->clock.arrive();
  }

private:
  timer_tally* shared_;
  savina_random dice_;
};

void timer(const run_size& size) {
  constexpr std::int64_t sleepers = 100;
  timer_tally shared;
  shared.left = static_cast<std::int64_t>(size.n);
  shared.lateness.resize(size.n);
  troupe::system sys{options_for(size)};
  std::vector<troupe::ref<sleeper>> all;
  for (std::int64_t i = 0; i < sleepers; ++i)
    all.push_back(sys.spawn<sleeper>(&shared, i));
  settle_down();
  const auto before = process_usage::now();
  for (auto& a : all)
    a.tell(set_timers{static_cast<std::int64_t>(size.n) / sleepers});
  shared.clock.wait();
  const auto cpu = process_usage::now().cpu_seconds - before.cpu_seconds;
  const auto check = static_cast<std::int64_t>(shared.lateness.size());
  print_figure("timer", "us", quantile(shared.lateness, 0.99) / 1'000, check);
  print_figure("timer-p50", "us", quantile(shared.lateness, 0.5) / 1'000, check);
  print_figure("timer-cpu", "us", cpu * 1e6 / static_cast<double>(size.n), check);
}

} // namespace

void add_footprint_rows(row_table& rows) {
  rows["memory-per-idle-actor"] = &memory;
  rows["idle-cpu"] = &idle_cpu;
  rows["timer"] = &timer;
}

} // namespace bench
