// SPDX-License-Identifier: BSD-3-Clause
// Claims: the ring keeps order, refuses when full, and gives each runnable to exactly one consumer.
// Observed on rings of 2 and 4 slots, so that positions wrap every few steps, and against a plain deque as the model.
#include <troupe/engine/run_queue.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

using namespace troupe::engine;

namespace {

struct item final : runnable {
  run_result run() noexcept override { return run_result::idle; }
  std::atomic<int> taken{0};
  std::size_t written = 0; // plain: a ring that did not publish it would show under ThreadSanitizer
};

} // namespace

TEST_CASE("run_queue: shows what it would give next") {
  std::array<item, 2> items;
  run_queue<4> queue;
  CHECK(queue.peek() == nullptr);
  queue.push(items[0]);
  queue.push(items[1]);
  CHECK(queue.peek() == &items[0]);
  CHECK(queue.pop() == &items[0]);
  CHECK(queue.peek() == &items[1]);
  CHECK(queue.pop() == &items[1]);
  CHECK(queue.peek() == nullptr);
}

TEST_CASE("run_queue: pops in the order of the pushes across many wraps") {
  std::array<item, 3> items;
  run_queue<4> queue;
  for (int round = 0; round < 20; ++round) {
    for (auto& i : items)
      REQUIRE(queue.push(i));
    CHECK(queue.size() == 3);
    for (auto& i : items)
      REQUIRE(queue.pop() == &i);
    CHECK(queue.empty());
    CHECK(queue.pop() == nullptr);
  }
}

TEST_CASE("run_queue: a full ring refuses and loses nothing") {
  std::array<item, 3> items;
  run_queue<2> queue;
  CHECK(queue.push(items[0]));
  CHECK(queue.push(items[1]));
  CHECK_FALSE(queue.push(items[2]));
  CHECK(queue.pop() == &items[0]);
  CHECK(queue.push(items[2]));
  CHECK(queue.pop() == &items[1]);
  CHECK(queue.pop() == &items[2]);
}

TEST_CASE("run_queue: take_half takes the older half of a full ring only") {
  std::array<item, 4> items;
  std::array<runnable*, 2> half{};
  run_queue<4> queue;
  for (std::size_t i = 0; i < 3; ++i)
    REQUIRE(queue.push(items[i]));
  CHECK(queue.take_half(half) == 0);
  REQUIRE(queue.push(items[3]));
  REQUIRE(queue.take_half(half) == 2);
  CHECK(half[0] == &items[0]);
  CHECK(half[1] == &items[1]);
  CHECK(queue.pop() == &items[2]);
  CHECK(queue.pop() == &items[3]);
}

TEST_CASE("run_queue: a thief gets the older half rounded up and runs the oldest") {
  for (unsigned filled = 0; filled <= 4; ++filled) {
    CAPTURE(filled);
    std::array<item, 4> items;
    run_queue<4> victim;
    run_queue<4> thief;
    for (unsigned i = 0; i < filled; ++i)
      REQUIRE(victim.push(items[i]));
    unsigned taken = 0;
    auto* first = thief.steal_from(victim, &taken);
    CHECK(taken == (filled + 1) / 2);
    CHECK(first == (filled == 0 ? nullptr : &items[0]));
    for (unsigned i = 1; i < taken; ++i)
      CHECK(thief.pop() == &items[i]);
    CHECK(thief.pop() == nullptr);
    for (unsigned i = taken; i < filled; ++i)
      CHECK(victim.pop() == &items[i]);
    CHECK(victim.pop() == nullptr);
  }
}

TEST_CASE("run_queue: a thief takes no more than it has room for") {
  std::array<item, 8> items;
  run_queue<4> victim;
  run_queue<4> thief;
  for (std::size_t i = 0; i < 4; ++i) {
    REQUIRE(victim.push(items[i]));
    REQUIRE(thief.push(items[4 + i]));
  }
  unsigned taken = 0;
  CHECK(thief.steal_from(victim, &taken) == &items[0]);
  CHECK(taken == 1);
  CHECK(thief.size() == 4);
  CHECK(victim.size() == 3);
}

TEST_CASE("run_queue: agrees with a deque over random operations") {
  std::mt19937 random{1};
  std::array<item, 8> items;
  run_queue<4> queue;
  std::deque<runnable*> model;
  for (int step = 0; step < 10'000; ++step) {
    CAPTURE(step);
    if (random() % 2 == 0) {
      auto& i = items[random() % items.size()];
      REQUIRE(queue.push(i) == (model.size() < 4));
      if (model.size() < 4)
        model.push_back(&i);
    } else {
      auto* expected = model.empty() ? nullptr : model.front();
      REQUIRE(queue.pop() == expected);
      if (!model.empty())
        model.pop_front();
    }
    REQUIRE(queue.size() == model.size());
  }
}

TEST_CASE("run_queue: each runnable goes to exactly one of owner and two thieves") {
  constexpr std::size_t count = 60'000;
  std::vector<item> items(count);
  run_queue<4> queue;
  std::atomic<std::size_t> taken{0};
  std::atomic<bool> unwritten{false};
  const auto took = [&](runnable* r) {
    auto& i = *static_cast<item*>(r);
    if (i.written != 1)
      unwritten = true;
    i.taken.fetch_add(1);
    taken.fetch_add(1);
  };
  const auto rob = [&] {
    run_queue<4> own;
    while (taken.load() < count) {
      if (auto* r = own.steal_from(queue))
        took(r);
      while (auto* r = own.pop())
        took(r);
    }
  };
  std::jthread first{rob};
  std::jthread second{rob};
  for (auto& i : items) {
    i.written = 1;
    while (!queue.push(i)) {
      std::array<runnable*, 2> half{};
      for (unsigned n = queue.take_half(half), k = 0; k < n; ++k)
        took(half[k]);
    }
  }
  while (auto* r = queue.pop())
    took(r);
  first.join();
  second.join();
  CHECK_FALSE(unwritten.load());
  for (auto& i : items)
    REQUIRE(i.taken.load() == 1);
}
