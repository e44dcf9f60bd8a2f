// SPDX-License-Identifier: BSD-3-Clause

// Claim: a ballot is cast as soon as it is certain, and is what a sequential replay would have said. Observed on cases
// small enough to follow by hand, and on random orders that are decided in random order.
#include "order_simulation/replay_queue.hpp"
#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

using order_simulation::ballot;
using order_simulation::replay_queue;

namespace {

/// The ballots of the last change, by order; at most one each.
std::optional<ballot> fresh_ballot(const replay_queue& queue, std::uint64_t order) {
  for (const auto& b : queue.fresh())
    if (b.order == order)
      return b.vote;
  return std::nullopt;
}

} // namespace

TEST_CASE("replay_queue: enough for all who wait is a yes at once") {
  replay_queue queue{10};
  queue.add(1, 0, 4, 0);
  CHECK(fresh_ballot(queue, 1) == ballot::yes);
  queue.add(2, 0, 6, 0);
  CHECK(fresh_ballot(queue, 2) == ballot::yes);
}

TEST_CASE("replay_queue: too little even if nobody before takes any is a no at once") {
  replay_queue queue{10};
  queue.add(1, 0, 4, 0);
  queue.add(2, 0, 11, 0);
  CHECK(fresh_ballot(queue, 2) == ballot::no);
  queue.add(3, 0, 6, 0); // order 2 will not take its part
  CHECK(fresh_ballot(queue, 3) == ballot::yes);
}

TEST_CASE("replay_queue: what depends on an open order waits for its end") {
  for (const bool accepted : {false, true}) {
    CAPTURE(accepted);
    replay_queue queue{10};
    queue.add(1, 0, 4, 0);
    queue.add(2, 0, 8, 0);
    CHECK(!fresh_ballot(queue, 2));
    queue.decide(1, accepted);
    CHECK(fresh_ballot(queue, 2) == (accepted ? ballot::no : ballot::yes));
    CHECK(queue.available() == (accepted ? 6 : 10));
    CHECK(queue.sold() == (accepted ? 4 : 0));
  }
}

TEST_CASE("replay_queue: an order decided before its ballot is certain gets a moot one") {
  replay_queue queue{10};
  queue.add(1, 0, 4, 0);
  queue.add(2, 7, 8, 0);
  queue.decide(2, false);
  REQUIRE(queue.fresh().size() == 1);
  CHECK(queue.fresh().front().vote == ballot::moot);
  CHECK(queue.fresh().front().part == 7);
  CHECK(queue.waiting() == 2); // order 1 is still open
  queue.decide(1, true);
  CHECK(queue.waiting() == 0);
  CHECK(queue.available() == 6);
}

TEST_CASE("replay_queue: returns come in for their own order and later ones, not for earlier ones") {
  replay_queue queue{5};
  queue.add(1, 0, 5, 0);
  queue.add(2, 0, 3, 0);
  CHECK(!fresh_ballot(queue, 2));
  queue.add(3, 0, 2, 7); // given up, its returns stay
  CHECK(fresh_ballot(queue, 3) == ballot::yes);
  CHECK(!fresh_ballot(queue, 2));
  queue.decide(3, false);
  queue.decide(1, true);
  CHECK(fresh_ballot(queue, 2) == ballot::no);
  queue.decide(2, false);
  CHECK(queue.available() == 7);
  CHECK(queue.returned() == 7);
}

TEST_CASE("replay_queue: a verdict on an order that is not there changes nothing") {
  replay_queue queue{5};
  queue.add(1, 0, 5, 0);
  queue.decide(1, true);
  queue.decide(1, false);
  queue.decide(9, true);
  CHECK(queue.fresh().empty());
  CHECK(queue.available() == 0);
}

TEST_CASE("replay_queue: random orders get the ballots of a sequential replay") {
  const std::uint64_t seed = support::test_seed(20101201);
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  int waited = 0;
  for (int round = 0; round < 2000; ++round) {
    CAPTURE(round);
    // Another code may be against an order as well; what this one must say is then not looked at by anybody.
    struct order {
      std::int64_t wanted;
      std::int64_t returned;
      bool others_agree;
      ballot expected;
      ballot cast = ballot::none;
      bool accepted = false;
      bool decided = false;
    };
    std::int64_t available = static_cast<std::int64_t>(random() % 12);
    replay_queue queue{available};
    std::vector<order> orders(1 + random() % 8);
    for (order& o : orders) {
      o.wanted = static_cast<std::int64_t>(random() % 7);
      o.returned = random() % 4 == 0 ? static_cast<std::int64_t>(random() % 5) : 0;
      o.others_agree = random() % 3 != 0;
      available += o.returned;
      o.expected = available >= o.wanted ? ballot::yes : ballot::no;
      o.accepted = o.expected == ballot::yes && o.others_agree;
      available -= o.accepted ? o.wanted : 0;
    }
    const auto collect = [&] {
      for (const auto& b : queue.fresh()) {
        order& o = orders[b.order];
        REQUIRE(o.cast == ballot::none);
        REQUIRE((b.vote == o.expected || (b.vote == ballot::moot && o.decided)));
        o.cast = b.vote;
      }
    };
    std::size_t added = 0;
    for (std::size_t left = orders.size(); left > 0;) {
      if (added < orders.size() && random() % 2 == 0) {
        queue.add(added, 0, orders[added].wanted, orders[added].returned);
        ++added;
        collect();
        continue;
      }
      // Any order may be decided for which the votes allow it: by a "no" of another code at any time.
      std::vector<std::size_t> ready;
      for (std::size_t i = 0; i < added; ++i)
        if (!orders[i].decided && (orders[i].cast != ballot::none || !orders[i].others_agree))
          ready.push_back(i);
      if (ready.empty())
        continue;
      const std::size_t chosen = ready[random() % ready.size()];
      waited += orders[chosen].cast == ballot::none ? 1 : 0;
      orders[chosen].decided = true;
      queue.decide(chosen, orders[chosen].accepted);
      collect();
      --left;
    }
    REQUIRE(queue.waiting() == 0);
    REQUIRE(queue.available() == available);
    for (const order& o : orders)
      REQUIRE(o.cast != ballot::none);
  }
  CHECK(waited > 100);
}
