// SPDX-License-Identifier: BSD-3-Clause
// Claim: what is on its way between two stages never exceeds the largest demand, and a batch that failed is tried again in
// parts that make progress.
// Observed: random runs of both sides of a link, and of attempts at batches with elements that fail by chance.
#include <troupe/pipeline/attempts.hpp>
#include <troupe/pipeline/demand.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using namespace troupe::pipeline;

TEST_CASE("demand: the most that is on its way is max_demand, and the producer is never starved for good") {
  std::mt19937_64 random{1};
  for (std::uint32_t max : {1U, 2U, 7U, 16U}) {
    for (std::uint32_t min = 0; min < max; min += 1 + max / 4) {
      CAPTURE(max);
      CAPTURE(min);
      demand_window consumer{{max, min}};
      credit producer;
      std::vector<std::uint64_t> demands{consumer.open()}; // on their way to the producer
      std::uint64_t on_the_way = 0;
      std::uint64_t taken = 0;
      for (int i = 0; i < 20'000; ++i) {
        switch (random() % 3) {
          case 0:
            if (!demands.empty()) { // some are delivered twice, which does no harm
              producer.grant(demands.front());
              if (random() % 4 != 0)
                demands.erase(demands.begin());
            }
            break;
          case 1:
            if (producer.available()) {
              CHECK(producer.spend() == taken + on_the_way);
              ++on_the_way;
            }
            break;
          default:
            if (on_the_way > 0) {
              --on_the_way;
              ++taken;
              if (const auto d = consumer.take())
                demands.push_back(*d);
            }
        }
        CHECK(on_the_way <= max);
        CHECK(consumer.pending() <= max);
        CHECK((on_the_way > 0 || producer.available() || !demands.empty()));
      }
      CHECK(taken > 1'000);
    }
  }
}

TEST_CASE("demand: is said again when what is on its way has fallen to min_demand") {
  demand_window consumer{{10, 4}};
  CHECK(consumer.open() == 10);
  for (int i = 0; i < 5; ++i)
    CHECK_FALSE(consumer.take());
  CHECK(consumer.take() == 16);
  CHECK(consumer.pending() == 10);
}

TEST_CASE("demand: nothing is said and nothing may be sent before the first demand") {
  CHECK(demand_window{}.said() == 0);
  credit producer;
  CHECK_FALSE(producer.available());
  producer.grant(1);
  CHECK(producer.available());
  CHECK(producer.spend() == 0);
  producer.grant(1); // said twice
  CHECK_FALSE(producer.available());
}

TEST_CASE("attempts: what comes before a failure goes first, then the rest, and the next batch is whole") {
  attempts tries;
  tries.failed(3);
  CHECK(tries.until(0, 10) == 3);
  CHECK(tries.until(3, 10) == 10);
  CHECK(tries.closes(3, 10));
  tries.passed(10);
  CHECK(tries.at(3) == 0);
  CHECK(tries.until(0, 10) == 10);
  tries.failed(3);
  tries.begin_batch();
  CHECK(tries.until(0, 10) == 10);
  CHECK(tries.closes(0, 10));
  tries.failed(10); // at the end of the batch
  CHECK(tries.until(0, 10) == 10);
  CHECK_FALSE(tries.closes(0, 10));
  CHECK(tries.closes(10, 10));
  tries.begin_batch();
  CHECK(tries.closes(0, 10));
}

TEST_CASE("attempts: each element passes exactly once, however often elements and the end of the batch fail") {
  std::mt19937_64 random{3};
  for (int run = 0; run < 500; ++run) {
    const std::size_t size = random() % 30;
    const auto odds = 1 + random() % 5; // an element fails with one in odds + 1
    attempts tries;
    std::vector<int> passed(size, 0);
    std::size_t begin = 0;
    bool closed = false;
    int guard = 0;
    while (!closed) {
      REQUIRE(++guard < 10'000);
      const auto end = tries.until(begin, size);
      const bool closes = tries.closes(begin, size);
      REQUIRE(end >= begin);
      REQUIRE((end > begin || closes));
      auto at = begin;
      while (at < end && random() % (odds + 1) != 0)
        ++at;
      const bool close_failed = at == end && closes && random() % 2 == 0;
      if (at < end || close_failed) {
        tries.failed(at);
        continue;
      }
      for (auto i = begin; i < end; ++i)
        ++passed[i];
      if (closes) {
        closed = true;
        tries.begin_batch();
      } else {
        tries.passed(end);
        begin = end;
      }
    }
    CHECK(std::ranges::all_of(passed, [](int n) { return n == 1; }));
  }
}

TEST_CASE("attempts: failures in a row at the same element are counted") {
  attempts tries;
  CHECK(tries.at(0) == 0);
  tries.failed(5);
  CHECK(tries.until(0, 10) == 5);
  CHECK_FALSE(tries.closes(0, 10));
  tries.passed(5);
  CHECK(tries.at(5) == 1);
  tries.failed(5);
  tries.failed(5);
  CHECK(tries.at(5) == 3);
  CHECK(tries.until(5, 10) == 10);
  tries.failed(7);
  CHECK(tries.at(5) == 0);
  CHECK(tries.at(7) == 1);
}
