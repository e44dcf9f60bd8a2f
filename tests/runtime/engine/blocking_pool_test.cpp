// SPDX-License-Identifier: BSD-3-Clause
// Claims: threads start on demand and leave when idle, queue and threads are bounded, stop keeps its deadline.
// Observed through the pool's own numbers while tasks are held at a gate.
#include <troupe/engine/blocking_pool.hpp>
#include <troupe/engine/scheduler.hpp>

#include "support/eventually.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

using namespace troupe::engine;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using support::eventually;

TEST_CASE("blocking_pool: starts no thread without work and reuses an idle one") {
  blocking_pool pool;
  CHECK(pool.threads() == 0);
  std::atomic<int> ran{0};
  for (int i = 1; i <= 10; ++i) {
    REQUIRE(pool.submit([&] { ++ran; }));
    REQUIRE(eventually([&] { return ran == i && pool.running() == 0; }));
  }
  CHECK(pool.threads() <= 2); // a thread may be counted out of work before it waits
}

TEST_CASE("blocking_pool: refuses when all threads are busy and the queue is full") {
  std::latch gate{1};
  std::atomic<int> ran{0};
  blocking_pool pool{{.threads_max = 2, .queue_max = 3}};
  const auto held = [&] {
    gate.wait();
    ++ran;
  };
  CHECK(pool.submit(held));
  CHECK(pool.submit(held));
  REQUIRE(eventually([&] { return pool.running() == 2; }));
  for (int i = 0; i < 3; ++i)
    CHECK(pool.submit(held));
  CHECK(pool.queued() == 3);
  CHECK_FALSE(pool.submit(held));
  CHECK(pool.threads() == 2);
  gate.count_down();
  CHECK(eventually([&] { return ran == 5; }));
  CHECK(eventually([&] { return pool.submit([] {}); }));
}

TEST_CASE("blocking_pool: an idle thread leaves and a later task starts another") {
  blocking_pool pool{{.idle = 1ms}};
  std::atomic<int> ran{0};
  CHECK(pool.submit([&] { ++ran; }));
  CHECK(eventually([&] { return ran == 1 && pool.threads() == 0; }));
  CHECK(pool.submit([&] { ++ran; }));
  CHECK(eventually([&] { return ran == 2; }));
}

TEST_CASE("blocking_pool: stop destroys queued tasks unrun and refuses new ones") {
  std::latch gate{1};
  std::atomic<int> ran{0};
  auto marker = std::make_shared<int>();
  blocking_pool pool{{.threads_max = 1}};
  CHECK(pool.submit([&] { gate.wait(); }));
  REQUIRE(eventually([&] { return pool.running() == 1; }));
  CHECK(pool.submit([&ran, marker] { ++ran; }));
  CHECK(pool.stop(steady_clock::now()) == 1);
  CHECK(marker.use_count() == 1);
  CHECK_FALSE(pool.submit([&] { ++ran; }));
  gate.count_down();
  CHECK(pool.stop(steady_clock::now() + 10s) == 0);
  CHECK(ran == 0);
}

TEST_CASE("blocking_pool: stop gives up at its deadline and the straggler outlives the pool") {
  auto gate = std::make_shared<std::latch>(1);
  auto passed = std::make_shared<std::atomic<bool>>(false);
  {
    blocking_pool pool;
    CHECK(pool.submit([gate, passed] {
      gate->wait();
      *passed = true;
    }));
    REQUIRE(eventually([&] { return pool.running() == 1; }));
    CHECK(pool.stop(steady_clock::now() + 1ms) == 1);
  }
  gate->count_down();
  CHECK(eventually([&] { return passed->load(); }));
  CHECK(eventually([&] { return gate.use_count() == 1; })); // the thread let go of its task
}

TEST_CASE("blocking_pool: a thread that cannot be started is an answer and not a lost task") {
  bool broken = true;
  blocking_pool pool{{}, [&](std::string name, std::function<void()> body) {
                       if (broken)
                         throw std::runtime_error{"no thread"};
                       return make_thread(std::move(name), std::move(body));
                     }};
  CHECK_FALSE(pool.submit([] {}));
  CHECK(pool.queued() == 0);
  broken = false;
  std::atomic<bool> ran{false};
  CHECK(pool.submit([&] { ran = true; }));
  CHECK(eventually([&] { return ran.load(); }));
}

TEST_CASE("blocking_pool: its destructor waits for running tasks") {
  std::atomic<bool> ran{false};
  {
    blocking_pool pool;
    std::latch begun{1};
    CHECK(pool.submit([&] {
      begun.count_down();
      for (int i = 0; i < 1000; ++i)
        std::this_thread::yield();
      ran = true;
    }));
    begun.wait();
  }
  CHECK(ran);
}
