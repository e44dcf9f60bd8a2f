// SPDX-License-Identifier: BSD-3-Clause
// What the machine allows: hand-written queues and threads, without actors, limits, accounts or wake-ups between them.
#include "bench/bare/handover.hpp"
#include "bench/bare/journal.hpp"
#include "bench/support/arrivals.hpp"
#include "bench/support/measurement.hpp"
#include "bench/support/row_table.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <linux/futex.h>
#include <memory>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace bench {

namespace {

/// Members of a ring on one thread, each with its queue, run in the order in which they got something to do.
std::int64_t pass_around(std::size_t members, std::int64_t hops, std::size_t first) {
  std::vector<handover> queues(members);
  std::deque<std::size_t> ready{first};
  std::int64_t handled = 0;
  parcel token{nullptr, hops};
  queues[first].push(&token);
  while (!ready.empty()) {
    const auto at = ready.front();
    ready.pop_front();
    while (auto* p = queues[at].pop()) {
      ++handled;
      if (p->number-- == 0)
        return handled - 1;
      const auto next = at + 1 == members ? 0 : at + 1;
      if (queues[next].push(p))
        ready.push_back(next);
    }
  }
  return -1;
}

void ring(const run_size& size, std::size_t members, const char* row) {
  stopwatch clock;
  clock.start();
  const auto passed = pass_around(members, static_cast<std::int64_t>(size.n), 0);
  clock.arrive();
  clock.print(row, size.n, passed);
}

void ring_100(const run_size& size) { ring(size, 100, "ring-100"); }
void ring_503(const run_size& size) { ring(size, 503, "ring-503"); }

void round_trips(const run_size& size, const char* row) {
  stopwatch clock;
  clock.start();
  const auto passed = pass_around(2, static_cast<std::int64_t>(2 * size.n), 0);
  clock.arrive();
  clock.print(row, size.n, passed / 2);
}

void ping_pong(const run_size& size) { round_trips(size, "ping-pong"); }
void request_reply(const run_size& size) { round_trips(size, "request-reply"); }

void pairs(const run_size& size) {
  std::atomic<std::int64_t> passed{0};
  stopwatch clock;
  clock.start();
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < size.workers; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = t; i < 50; i += size.workers)
        passed += pass_around(2, static_cast<std::int64_t>(2 * (size.n / 50)), 0) / 2;
    });
  threads.clear();
  clock.arrive();
  clock.print("pairs", size.n, passed);
}

/// `producers` in one thread or more, and the consumers in one; a producer without parcels of its own lets others run.
void flood(const run_size& size, std::size_t producers, std::size_t consumers, const char* row) {
  std::vector<handover> queues(consumers);
  std::vector<std::unique_ptr<parcel_store>> stores;
  for (std::size_t i = 0; i < producers; ++i)
    stores.push_back(std::make_unique<parcel_store>(2'048));
  stopwatch clock;
  clock.start();
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < producers; ++i)
    threads.emplace_back([&, i] {
      std::size_t next = 0;
      for (auto left = size.n / producers; left > 0; --left) {
        auto* p = stores[i]->try_take();
        for (; p == nullptr; p = stores[i]->try_take())
          std::this_thread::yield();
        p->number = static_cast<std::int64_t>(i);
        queues[next].push(p);
        next = next + 1 == consumers ? 0 : next + 1;
      }
    });
  std::int64_t received = 0;
  for (std::size_t at = 0; received < static_cast<std::int64_t>(size.n); at = at + 1 == consumers ? 0 : at + 1) {
    auto* p = queues[at].pop();
    if (p == nullptr)
      std::this_thread::yield();
    for (; p != nullptr; p = queues[at].pop()) {
      ++received;
      stores[static_cast<std::size_t>(p->number)]->give_back(p);
    }
  }
  clock.arrive();
  threads.clear();
  clock.print(row, size.n, received);
}

void counting(const run_size& size) { flood(size, 1, 1, "counting"); }
void fan_in(const run_size& size) { flood(size, 8, 1, "fan-in"); }
void fan_out(const run_size& size) { flood(size, 1, 60, "fan-out"); }

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr,
            0);
}

/// One thread sleeps on a futex, another wakes it.
void wake_up(const run_size& size) {
  std::atomic<std::uint32_t> word{0};
  std::atomic<std::int64_t> at{0};
  samples all{size.n};
  std::jthread sleeper{[&] {
    for (std::uint32_t i = 0; i < size.n; ++i) {
      while (word.load() == i)
        futex(word, FUTEX_WAIT, i);
      all.add(now_ns() - at.load());
    }
  }};
  savina_random dice;
  for (std::uint64_t i = 0; i < size.n; ++i) {
    sleep_ns(1'000'000 + dice.next() * 61);
    at.store(now_ns());
    word.fetch_add(1);
    futex(word, FUTEX_WAKE, 1);
  }
  all.wait();
  all.print("wake-up", 0.5);
  all.print("wake-up-p99", 0.99);
}

} // namespace

} // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  row_table rows{
      {"ping-pong", &ping_pong}, {"request-reply", &request_reply}, {"pairs", &pairs},   {"ring-100", &ring_100},
      {"ring-503", &ring_503},   {"counting", &counting},           {"fan-in", &fan_in}, {"fan-out", &fan_out},
      {"wake-up", &wake_up}};
  add_journal_rows(rows);
  add_postgres_rows(rows);
  add_marketplace_rows(rows);
  return run_row(argc, argv, rows);
}
