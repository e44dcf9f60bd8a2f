// SPDX-License-Identifier: BSD-3-Clause
// Claims: first in first out, batches stay together, a steady load allocates nothing, a burst's memory goes back.
// Observed on capacities of 2 and up, and against a plain deque as the model.
#include <troupe/engine/injector.hpp>

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
};

} // namespace

TEST_CASE("injector: pops nothing when empty") {
  injector queue{2};
  CHECK(queue.empty());
  CHECK(queue.pop() == nullptr);
  CHECK(queue.size() == 0);
}

TEST_CASE("injector: pops batches in the order of the pushes") {
  std::array<item, 5> items;
  std::array<runnable*, 5> all{};
  for (std::size_t i = 0; i < items.size(); ++i)
    all[i] = &items[i];
  injector queue{2};
  queue.push(std::span{all}.first(3));
  queue.push(std::span{all}.last(2));
  CHECK(queue.size() == 5);
  std::array<runnable*, 4> out{};
  REQUIRE(queue.pop(std::span{out}.first(2)) == 2);
  CHECK(out[0] == &items[0]);
  CHECK(out[1] == &items[1]);
  REQUIRE(queue.pop(out) == 3);
  CHECK(out[0] == &items[2]);
  CHECK(out[2] == &items[4]);
  CHECK(queue.empty());
}

TEST_CASE("injector: a steady load keeps the first allocation") {
  std::array<item, 4> items;
  injector queue{4};
  for (int round = 0; round < 1000; ++round) {
    for (auto& i : items)
      queue.push(i);
    for (auto& i : items)
      REQUIRE(queue.pop() == &i);
    REQUIRE(queue.capacity() == 4);
  }
}

TEST_CASE("injector: the memory of a burst goes back") {
  std::vector<item> items(10'000);
  injector queue{16};
  for (auto& i : items)
    queue.push(i);
  CHECK(queue.capacity() >= items.size());
  CHECK(queue.capacity() < 2 * items.size());
  for (auto& i : items)
    REQUIRE(queue.pop() == &i);
  CHECK(queue.capacity() == 16);
}

TEST_CASE("injector: agrees with a deque over random operations") {
  std::mt19937 random{1};
  std::array<item, 64> items;
  injector queue{2};
  std::deque<runnable*> model;
  for (int step = 0; step < 20'000; ++step) {
    CAPTURE(step);
    std::array<runnable*, 16> batch{};
    const auto part = std::span{batch}.first(random() % (batch.size() + 1));
    const bool filling = step / 500 % 2 == 0; // long swings, so that it grows and shrinks
    if (random() % 4 < (filling ? 3u : 1u)) {
      for (auto& r : part)
        r = &items[random() % items.size()];
      queue.push(part);
      model.insert(model.end(), part.begin(), part.end());
    } else {
      const auto count = queue.pop(part);
      REQUIRE(count == std::min(part.size(), model.size()));
      for (std::size_t i = 0; i < count; ++i) {
        REQUIRE(part[i] == model.front());
        model.pop_front();
      }
    }
    REQUIRE(queue.size() == model.size());
  }
}

TEST_CASE("injector: concurrent producers and consumers take each runnable once") {
  constexpr std::size_t each = 20'000;
  std::vector<item> items(2 * each);
  injector queue{2};
  std::atomic<std::size_t> taken{0};
  const auto produce = [&](std::size_t from) {
    for (std::size_t i = from; i < from + each; ++i)
      queue.push(items[i]);
  };
  const auto consume = [&] {
    std::array<runnable*, 8> out{};
    while (taken.load() < items.size())
      for (std::size_t n = queue.pop(out), i = 0; i < n; ++i) {
        static_cast<item*>(out[i])->taken.fetch_add(1);
        taken.fetch_add(1);
      }
  };
  {
    std::jthread a{produce, 0};
    std::jthread b{produce, each};
    std::jthread c{consume};
    consume();
  }
  for (auto& i : items)
    REQUIRE(i.taken.load() == 1);
  CHECK(queue.capacity() == 2);
}
