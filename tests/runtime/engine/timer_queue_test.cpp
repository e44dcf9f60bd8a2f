// SPDX-License-Identifier: BSD-3-Clause
// Claim: the queue hands out nodes by deadline and then by arming order, whatever is pushed and erased in between.
// Observed: against a std::multimap, which keeps equal keys in the order of insertion, after each of many random steps.
#include <troupe/engine/timer_queue.hpp>

#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using troupe::time_point;
using troupe::engine::timer_node;
using troupe::engine::timer_queue;

namespace {

/// All nodes due at `now`, in the order in which the queue gives them.
std::vector<timer_node*> pop_all(timer_queue& queue, time_point now) {
  std::vector<timer_node*> popped;
  while (auto* node = queue.pop_due(now))
    popped.push_back(node);
  return popped;
}

} // namespace

TEST_CASE("timer_queue: an empty queue has no deadline and nothing due") {
  timer_queue queue;
  timer_node node;
  CHECK(queue.empty());
  CHECK(queue.first() == time_point::max());
  CHECK(queue.pop_due(time_point::max()) == nullptr);
  CHECK_FALSE(queue.erase(node));
}

TEST_CASE("timer_queue: a node is due at its deadline and not before") {
  timer_queue queue;
  timer_node node;
  queue.push(node, time_point{5s});
  CHECK(queue.first() == time_point{5s});
  CHECK(queue.pop_due(time_point{5s} - 1ns) == nullptr);
  CHECK(queue.pop_due(time_point{5s}) == &node);
  CHECK(node.index == timer_node::unlinked);
  CHECK_FALSE(queue.erase(node));
}

TEST_CASE("timer_queue: nodes of one deadline come in arming order") {
  timer_queue queue;
  std::vector<timer_node> nodes(100);
  std::vector<timer_node*> wanted;
  for (auto& n : nodes) {
    queue.push(n, time_point{1s});
    wanted.push_back(&n);
  }
  CHECK(pop_all(queue, time_point{1s}) == wanted);
}

TEST_CASE("timer_queue: later deadlines are appended without moving other nodes") {
  timer_queue queue;
  std::vector<timer_node> nodes(1'000);
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    queue.push(nodes[i], time_point{std::chrono::seconds{i / 2}}); // each deadline twice
    REQUIRE(nodes[i].index == i);
  }
}

TEST_CASE("timer_queue: every arming order of six nodes and every erasure gives the rest in order") {
  std::vector<int> order{0, 1, 2, 3, 4, 5};
  do {
    for (std::size_t erased = 0; erased < order.size(); ++erased) {
      timer_queue queue;
      std::vector<timer_node> nodes(order.size());
      for (const int i : order)
        queue.push(nodes[static_cast<std::size_t>(i)], time_point{std::chrono::seconds{i}});
      REQUIRE(queue.erase(nodes[erased]));
      REQUIRE_FALSE(queue.erase(nodes[erased]));
      std::vector<timer_node*> wanted;
      for (auto& n : nodes)
        if (&n != &nodes[erased])
          wanted.push_back(&n);
      REQUIRE(pop_all(queue, time_point{1h}) == wanted);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("timer_queue: random pushes and erasures and pops agree with a multimap") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 60; ++round) {
    timer_queue queue;
    std::vector<timer_node> nodes(1 + random() % 300);
    std::multimap<time_point, timer_node*> model;
    const auto range = 1 + random() % 50; // few different deadlines: many ties
    time_point now{};
    for (int step = 0; step < 2'000; ++step) {
      CAPTURE(round);
      CAPTURE(step);
      auto& node = nodes[random() % nodes.size()];
      const auto linked = std::find_if(model.begin(), model.end(), [&](auto& e) { return e.second == &node; });
      switch (random() % 8) {
        default: // push, or erase what is linked already
          if (linked == model.end()) {
            const auto at = now + std::chrono::nanoseconds{random() % range};
            queue.push(node, at);
            model.emplace(at, &node);
            break;
          }
          [[fallthrough]];
        case 0:
          REQUIRE(queue.erase(node) == (linked != model.end()));
          if (linked != model.end())
            model.erase(linked);
          break;
        case 1:
          now += std::chrono::nanoseconds{random() % 4};
          while (auto* popped = queue.pop_due(now)) {
            REQUIRE_FALSE(model.empty());
            REQUIRE(model.begin()->first <= now);
            REQUIRE(model.begin()->second == popped);
            model.erase(model.begin());
          }
          REQUIRE((model.empty() || model.begin()->first > now));
          break;
      }
      REQUIRE(queue.size() == model.size());
      REQUIRE(queue.first() == (model.empty() ? time_point::max() : model.begin()->first));
    }
  }
}
