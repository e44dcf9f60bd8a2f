// SPDX-License-Identifier: BSD-3-Clause
// Rows about what actors cost that do nothing: memory-per-idle-actor, idle-cpu; and timer.
#include "bench/caf/rows.hpp"

#include <atomic>
#include <vector>

namespace bench {

namespace {

class idler : public caf::event_based_actor {
public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {[this](std::int64_t) { ++nudges_; }};
  }

private:
  std::int64_t nudges_ = 0;
};

std::vector<caf::actor> idlers(caf::actor_system& sys, std::uint64_t n) {
  std::vector<caf::actor> all;
  all.reserve(n);
  for (std::uint64_t i = 0; i < n; ++i)
    all.push_back(sys.spawn<idler>());
  return all;
}

void end_all(const std::vector<caf::actor>& all) {
  for (auto& a : all)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

void memory(const run_size& size) {
  caf_options cfg{size, "sharing"};
  caf::actor_system sys{cfg};
  settle_down();
  const auto before = resident_bytes();
  const auto all = idlers(sys, size.n);
  sleep_ns(500'000'000);
  print_figure("memory-per-idle-actor", "bytes",
               static_cast<double>(resident_bytes() - before) / static_cast<double>(size.n),
               static_cast<std::int64_t>(all.size()));
  end_all(all);
}

void idle_cpu(const run_size& size) {
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  const auto all = idlers(sys, size.n);
  for (const auto& a : all)
    caf::anon_send(a, std::int64_t{1});
  sleep_ns(500'000'000);
  const auto before = process_usage::now();
  sleep_ns(10'000'000'000);
  const auto after = process_usage::now();
  const auto check = static_cast<std::int64_t>(all.size());
  print_figure("idle-cpu", "cpu-s", after.cpu_seconds - before.cpu_seconds, check);
  print_figure("idle-switches", "switches", static_cast<double>(after.switches - before.switches), check);
  end_all(all);
}

struct timer_tally {
  std::atomic<std::int64_t> left{0};
  stopwatch clock;
  std::vector<std::int64_t> lateness;
};

class sleeper : public caf::event_based_actor {
public:
  sleeper(caf::actor_config& cfg, timer_tally* shared, std::int64_t seed)
      : event_based_actor{cfg}, shared_{shared}, dice_{seed} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::uint64_t count) {
          for (std::uint64_t i = 0; i < count; ++i) {
            const auto delay = 1'000'000'000 + dice_.next() * 15'000;
            delayed_send(this, std::chrono::nanoseconds{delay}, now_ns() + delay);
          }
        },
        [this](std::int64_t due) {
          const auto late = now_ns() - due;
          const auto left = shared_->left.fetch_sub(1);
          shared_->lateness[static_cast<std::size_t>(left - 1)] = late;
          if (left == 1)
            shared_->clock.arrive();
        },
    };
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
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  std::vector<caf::actor> all;
  for (std::int64_t i = 0; i < sleepers; ++i)
    all.push_back(sys.spawn<sleeper>(&shared, i));
  settle_down();
  const auto before = process_usage::now();
  for (auto& a : all)
    caf::anon_send(a, size.n / sleepers);
  shared.clock.wait();
  const auto cpu = process_usage::now().cpu_seconds - before.cpu_seconds;
  const auto check = static_cast<std::int64_t>(shared.lateness.size());
  print_figure("timer", "us", quantile(shared.lateness, 0.99) / 1'000, check);
  print_figure("timer-p50", "us", quantile(shared.lateness, 0.5) / 1'000, check);
  print_figure("timer-cpu", "us", cpu * 1e6 / static_cast<double>(size.n), check);
  end_all(all);
}

} // namespace

void add_footprint_rows(row_table& rows) {
  rows["memory-per-idle-actor"] = &memory;
  rows["idle-cpu"] = &idle_cpu;
  rows["timer"] = &timer;
}

} // namespace bench
