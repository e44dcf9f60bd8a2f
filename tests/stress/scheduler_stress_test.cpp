// SPDX-License-Identifier: BSD-3-Clause
// Oracle: each runnable runs exactly as often as it was scheduled, and never on two workers at once. What may vary: the
// order, the worker, how often workers park (about a million times in all at full size, in 10 to 20 s).
// TROUPE_STRESS_PERCENT scales the number of messages (default 100), TROUPE_TEST_SEED seeds the choices.
#include <troupe/engine/scheduler.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace troupe::engine;
using std::chrono::steady_clock;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

std::uint64_t scaled(std::uint64_t full) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  full /= 10;
#endif
  return full * setting("TROUPE_STRESS_PERCENT", 100) / 100 + 1;
}

struct generator {
  std::uint64_t state;
  std::uint64_t operator()() noexcept { // splitmix64
    auto z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};

void compute(unsigned rounds) noexcept {
  for (unsigned i = 0; i < rounds; ++i)
    asm volatile("" ::: "memory");
}

/// A mailbox reduced to a number: `deliver` schedules the peer when its number leaves zero, as an actor would.
class peer final : public runnable {
public:
  void deliver(std::uint64_t hops) noexcept {
    hops_.fetch_add(hops, std::memory_order_relaxed); // relaxed: published by waiting_
    if (waiting_.fetch_add(1) == 0)
      schedule(*where, *this);
  }

  run_result run() noexcept override {
    if (inside_.exchange(true))
      overlaps->fetch_add(1);
    const auto messages = std::min<std::uint64_t>(waiting_.load(), 5); // the quota: the rest is for `again`
    for (std::uint64_t i = 0; i < messages; ++i) {
      handled.fetch_add(1);
      if (hops_.load() != 0) {
        hops_.fetch_sub(1);
        forwarded.fetch_add(1);
        (*peers)[random() % peers->size()].deliver(0);
      }
    }
    if (random() % 64 == 0)
      compute(static_cast<unsigned>(random() % 20'000)); // a long turn now and then, after it filled the slot
    inside_.store(false);
    return waiting_.fetch_sub(messages) == messages ? run_result::idle : run_result::again;
  }

  // set before the start
  executor* where = nullptr;
  std::vector<peer>* peers = nullptr;
  std::atomic<int>* overlaps = nullptr;
  generator random{0}; // used in turns only

  std::atomic<std::uint64_t> handled{0};
  std::atomic<std::uint64_t> forwarded{0};

private:
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<std::uint64_t> hops_{0}; // messages still to be sent on
  std::atomic<bool> inside_{false};
};

/// Threads outside send bursts to random peers, which forward; most bursts begin when all is idle, so everybody parks.
void storm(unsigned workers, unsigned outsiders, std::uint64_t bursts) {
  CAPTURE(workers);
  const auto seed = setting("TROUPE_TEST_SEED", 1);
  CAPTURE(seed);
  std::atomic<int> overlaps{0};
  std::atomic<std::uint64_t> sent{0};
  std::vector<peer> peers(97);
  scheduler s{{.workers = workers, .seed = seed}};
  for (auto& p : peers) {
    p.where = &s;
    p.peers = &peers;
    p.overlaps = &overlaps;
    p.random.state = seed * 1000 + static_cast<std::uint64_t>(&p - peers.data());
  }
  const auto totals = [&] {
    std::pair<std::uint64_t, std::uint64_t> sum; // handled, forwarded: in this order, so that equality means the end
    for (auto& p : peers)
      sum.first += p.handled.load();
    for (auto& p : peers)
      sum.second += p.forwarded.load();
    return sum;
  };
  s.start();
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < outsiders; ++t)
      threads.emplace_back([&, t] {
        generator random{seed * 77 + t};
        for (std::uint64_t i = 0; i < bursts; ++i) {
          const auto size = random() % 4 + 1;
          for (std::uint64_t k = 0; k < size; ++k) {
            sent.fetch_add(1);
            peers[random() % peers.size()].deliver(random() % 8);
          }
          if (random() % 4 != 0)
            while (s.parked() != s.workers() && random() % 256 != 0)
              std::this_thread::yield();
          else
            compute(static_cast<unsigned>(random() % 8000));
        }
      });
  }
  const auto end = steady_clock::now() + std::chrono::seconds{60};
  auto sum = totals();
  while (sum.first != sent.load() + sum.second && steady_clock::now() < end) { // a lost wake-up ends at the limit
    std::this_thread::yield();
    sum = totals();
  }
  s.stop();
  sum = totals();
  CHECK(sum.first == sent.load() + sum.second);
  CHECK(overlaps.load() == 0);
  CHECK(s.drain().empty());
  std::uint64_t parks = 0;
  for (auto& w : s.statistics())
    parks += w.parks;
  CHECK(parks > 0);
  MESSAGE(workers << " workers: " << sum.first << " messages, " << parks << " parks");
}

} // namespace

TEST_CASE("scheduler stress: one worker runs each runnable as often as it was scheduled") {
  storm(1, 2, scaled(100'000));
}

TEST_CASE("scheduler stress: two workers run each runnable as often as it was scheduled") {
  storm(2, 3, scaled(100'000));
}

TEST_CASE("scheduler stress: five workers run each runnable as often as it was scheduled") {
  storm(5, 3, scaled(100'000));
}

TEST_CASE("scheduler stress: no single submit is lost while workers park") {
  struct counter final : runnable {
    run_result run() noexcept override {
      const auto turn = ran.fetch_add(1); // the next may be submitted now, and meets this worker on its way to park
      compute(static_cast<unsigned>(turn % 16 * 100));
      return run_result::idle;
    }
    std::atomic<std::uint64_t> ran{0};
  } lone;
  generator random{setting("TROUPE_TEST_SEED", 1)};
  scheduler s{{.workers = 2}};
  s.start();
  const auto rounds = scaled(100'000);
  for (std::uint64_t i = 1; i <= rounds; ++i) { // one at a time: nothing that comes later would make up for a loss
    compute(static_cast<unsigned>(random() % 4000));
    s.submit(lone);
    const auto end = steady_clock::now() + std::chrono::seconds{10};
    while (lone.ran.load() != i && steady_clock::now() < end)
      ;
    REQUIRE(lone.ran.load() == i);
  }
}
