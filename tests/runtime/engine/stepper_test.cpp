// SPDX-License-Identifier: BSD-3-Clause
// Claims: one runnable per step, in an order that depends on the seed and on nothing else.
// Observed by a log that the runnables write.
#include <troupe/engine/stepper.hpp>
#include <troupe/engine/worker.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace troupe::engine;

namespace {

struct entry final : runnable {
  run_result run() noexcept override {
    log->push_back(name);
    return --turns > 0 ? run_result::again : run_result::idle;
  }

  int name = 0;
  int turns = 1;
  std::vector<int>* log = nullptr;
};

std::vector<int> order_of(std::uint64_t seed) {
  std::vector<int> log;
  std::vector<entry> entries(20);
  stepper steps{seed};
  for (int i = 0; i < 20; ++i) {
    auto& e = entries[static_cast<std::size_t>(i)];
    e.name = i;
    e.log = &log;
    schedule(steps, e);
  }
  steps.run_until_idle(1000);
  return log;
}

} // namespace

TEST_CASE("stepper: an empty one does not step") {
  stepper steps;
  CHECK_FALSE(steps.step());
  CHECK(steps.run_until_idle(10) == 0);
}

TEST_CASE("stepper: seed 0 runs first in first out and again goes to the back") {
  std::vector<int> log;
  entry a, b;
  a.name = 1;
  a.turns = 2;
  b.name = 2;
  a.log = b.log = &log;
  stepper steps;
  steps.submit(a);
  steps.submit_fair(b);
  CHECK(steps.queued() == 2);
  CHECK(steps.step());
  CHECK(log == std::vector{1});
  CHECK(steps.run_until_idle(10) == 2);
  CHECK(log == std::vector{1, 2, 1});
  CHECK(steps.turns() == 3);
}

TEST_CASE("stepper: run_until_idle stops at its limit") {
  std::vector<int> log;
  entry forever;
  forever.turns = 1 << 30;
  forever.log = &log;
  stepper steps;
  steps.submit(forever);
  CHECK(steps.run_until_idle(7) == 7);
  CHECK(log.size() == 7);
  CHECK(steps.drain() == std::vector<runnable*>{&forever});
  CHECK(steps.queued() == 0);
}

TEST_CASE("stepper: equal seeds give equal orders and different seeds give different ones") {
  CHECK(order_of(7) == order_of(7));
  CHECK(order_of(7) != order_of(8));
  CHECK(order_of(7) != order_of(0));
}

TEST_CASE("stepper: a seeded order runs everything once") {
  auto order = order_of(3);
  std::sort(order.begin(), order.end());
  CHECK(order == order_of(0));
}
