// SPDX-License-Identifier: BSD-3-Clause
// Claims: a partner that is slower than what is asked of it gets a bounded number of repetitions for each transaction, whoever
// gives up waiting meanwhile, and the transactions end. Observed: slow and silent partitions in simulated time, which count.
#include <troupe/pause.hpp>
#include <troupe/testing/probe.hpp>

#include "small_shop.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe::commerce;

namespace {

/// The only partition of a shop: takes its time for each order, one after the other, and ships nothing.
class slow_partition final : public troupe::actor<slow_partition, ship_order, deliver_oldest, delivery_round> {
public:
  static constexpr bool exclusive = true;

  explicit slow_partition(std::chrono::nanoseconds each) : each_{each} {}
  troupe::task<void> on(const ship_order&) { co_await troupe::pause(self(), each_); }
  std::uint32_t on(const deliver_oldest&) { return 0; }
  void on(const delivery_round&) {}

private:
  const std::chrono::nanoseconds each_;
};

/// The only partition of a shop: notes the rounds, and ends them when it is told to.
class held_partition final : public troupe::actor<held_partition, ship_order, deliver_oldest, delivery_round> {
public:
  using rounds = std::vector<delivery_round>;

  explicit held_partition(rounds* r) : rounds_{r} {}
  void on(const ship_order&) {}
  std::uint32_t on(const deliver_oldest&) { return 0; }
  void on(const delivery_round& m) { rounds_->push_back(m); }

private:
  rounds* const rounds_;
};

struct held_deliveries {
  held_partition::rounds rounds;
  small_shop shop{{.customers = 0, .sellers = 0, .partitions = 0}};

  held_deliveries() { shop.who->add_shipment(shop.sys.spawn<held_partition>(&rounds)); }

  auto ask(transaction_id tid, std::chrono::nanoseconds until) {
    const update_deliveries request{tid};
    auto answer = shop.desk.ask(request, until);
    shop.sys.run_until_idle();
    return answer;
  }
  void end(const delivery_round& r) {
    shop.desk.tell(round_ended{r.round, r.shares});
    shop.sys.run_until_idle();
  }
};

} // namespace

TEST_CASE(
    "overload: orders that wait longer than their time-outs for a slow partition ask it few times, and are shipped") {
  constexpr std::uint32_t customers = 20;
  small_shop shop{{.customers = customers, .partitions = 0}};
  const auto partition = shop.sys.spawn<slow_partition>(1s);
  shop.who->add_shipment(partition);
  for (std::uint32_t c = 0; c < customers; ++c)
    shop.carts[c].tell(add_items{c + 1, {shop.line(1, 1), shop.line(2, 1)}});
  const auto begin = shop.clock->now();
  std::vector<bool> done(customers);
  for (unsigned attempt = 0; attempt < 20; ++attempt) { // each client gives up after some time, and asks again
    std::vector<std::pair<std::uint32_t, troupe::reply<checkout_answer>>> asked;
    for (std::uint32_t c = 0; c < customers; ++c) {
      const checkout request{c + 1, c + 1, payment_method::credit_card};
      if (!done[c])
        asked.emplace_back(c, shop.carts[c].ask(request, 30s));
    }
    for (auto& [c, reply] : asked)
      if (const auto answer = std::move(reply).try_get())
        done[c] = answer->verdict == checkout_verdict::accepted;
  }
  CHECK(done == std::vector<bool>(customers, true));
  CHECK(shop.clock->now() - begin < 2min);
  CHECK(partition.books().accepted <= 4 * customers);
  for (std::uint32_t s = 1; s <= 2; ++s) // each step before that was made once
    CHECK(shop.stock_of(s, 1).books().accepted == 2 * customers);
}

TEST_CASE("overload: a checkout that is asked for again while it is under way is not begun again") {
  small_shop shop{{.customers = 1, .partitions = 0}};
  shop.who->add_shipment(shop.sys.spawn<slow_partition>(4s));
  shop.carts[0].tell(add_items{1, {shop.line(1, 1)}});
  const checkout request{1, 1, payment_method::credit_card};
  std::vector<troupe::reply<checkout_answer>> asked;
  for (int i = 0; i < 10; ++i)
    asked.push_back(shop.carts[0].ask(request, 30s));
  for (int i = 0; i < 10; ++i) {
    const auto answer = std::move(asked[static_cast<std::size_t>(i)]).get();
    CHECK(answer.verdict == checkout_verdict::accepted);
    CHECK(answer.repeated == (i > 0));
  }
  CHECK(shop.orders[0].books().accepted == 1);
  CHECK(shop.stock_of(1, 1).books().accepted == 2);
}

TEST_CASE(
    "overload: an order does not go on by itself with what somebody else has under way, and less and less often") {
  small_shop shop{{.customers = 1, .partitions = 0}};
  troupe::probe_for<shipment_ref> partition{shop.sys, "partition"};
  int asked = 0;
  partition.answer<ship_order>([&](const ship_order&) {
    ++asked;
    throw std::runtime_error{"not now"};
  });
  partition.ignore<ship_order>();
  shop.who->add_shipment(partition.address());
  shop.carts[0].tell(add_items{1, {shop.line(1, 1)}});
  shop.carts[0].tell(checkout{1, 1, payment_method::credit_card}); // whose client is never heard of again
  shop.sys.advance(10min);
  CHECK(asked >= 600); // once a second
  CHECK(asked <= 4'000);
  CHECK(shop.stock_of(1, 1).books().accepted <= 300);
  partition.answer<ship_order>([](const ship_order&) {});
  shop.sys.advance(10s);
  CHECK(shop.ask(shop.carts[0], cart_query{}).checkouts == 1);
}

TEST_CASE(
    "overload: a delivery that is asked for again shares the round under way, and the last asker gets the answer") {
  held_deliveries d;
  auto first = d.ask(7, 2s);
  CHECK(std::move(first).try_get().error().code == troupe::errc::timed_out);
  auto second = d.ask(7, 30s);
  auto third = d.ask(7, 30s);
  CHECK_FALSE(std::move(second).get().complete); // another asker has taken its place
  REQUIRE(d.rounds.size() == 1);
  d.end(d.rounds[0]);
  CHECK(std::move(third).get().complete);
  CHECK(d.rounds.size() == 1);
}

TEST_CASE("overload: few rounds are under way at a time, however many deliveries wait, and each waits in its place") {
  held_deliveries d;
  constexpr std::uint32_t transactions = 800;
  constexpr auto most = delivery_desk::rounds_max;
  std::vector<troupe::reply<delivery_answer>> answers;
  for (transaction_id tid = 1; tid <= transactions; ++tid)
    answers.push_back(d.ask(tid, 1h));
  CHECK(d.rounds.size() == most);
  for (std::size_t i = 0; i < d.rounds.size(); ++i) {
    CHECK(d.rounds.size() <= i + most);
    d.end(held_partition::rounds{d.rounds}[i]);
  }
  for (auto& a : answers)
    CHECK(std::move(a).get().complete);
  std::uint32_t members = 0;
  for (const auto& r : d.rounds)
    for (std::uint32_t i = 0; i < r.members; ++i)
      CHECK(r.shares[i].tid == ++members);
  CHECK(members == transactions);
  CHECK(d.rounds.size() <= 2 + transactions / round_members_max);
}

TEST_CASE("overload: a round that does not come back is sent again, each time after twice as long") {
  held_deliveries d;
  auto answer = d.ask(7, 1h);
  for (const std::size_t rounds : {2u, 3u}) {
    const auto waits = 10s * (1 << (rounds - 2));
    d.shop.sys.advance(waits - 1s);
    CHECK(d.rounds.size() == rounds - 1);
    d.shop.sys.advance(1s);
    CHECK(d.rounds.size() == rounds);
  }
  d.end(d.rounds[0]); // too late
  CHECK_FALSE(answer.ready());
  d.end(d.rounds[2]);
  CHECK(std::move(answer).get().complete);
  d.shop.sys.advance(10min);
  CHECK(d.rounds.size() == 3);
}

TEST_CASE("overload: deliveries of rounds that do not come back are sent again in the order of their coming") {
  held_deliveries d;
  std::vector<troupe::reply<delivery_answer>> answers;
  constexpr std::uint32_t transactions = 1 + 3 * round_members_max; // the first one alone
  for (transaction_id tid = 1; tid <= transactions; ++tid)
    answers.push_back(d.ask(tid, 1h));
  REQUIRE(d.rounds.size() == 4);
  d.shop.sys.advance(10s);
  REQUIRE(d.rounds.size() == 7); // full ones, and the last one when one of them has ended
  d.end(d.rounds[4]);
  REQUIRE(d.rounds.size() == 8);
  transaction_id last = 0;
  for (std::size_t r = 4; r < d.rounds.size(); ++r)
    for (std::uint32_t i = 0; i < d.rounds[r].members; ++i)
      CHECK(d.rounds[r].shares[i].tid == ++last);
  CHECK(last == transactions);
}

TEST_CASE("overload: rounds that always take longer than the first patience are not sent again each time") {
  held_deliveries d;
  constexpr unsigned transactions = 20;
  unsigned done = 0;
  std::size_t ended = 0;
  std::vector<int> came; // in seconds, for each round
  auto answer = d.ask(1, 1h);
  for (int t = 0; done < transactions && t < 10'000; ++t) {
    came.resize(d.rounds.size(), t);
    for (; ended < came.size() && came[ended] + 25 <= t; ++ended)
      d.end(held_partition::rounds{d.rounds}[ended]);
    if (answer.ready()) {
      done += std::move(answer).get().complete ? 1 : 0; // else it is asked for again
      answer = d.ask(1 + done, 1h);
    }
    d.shop.sys.advance(1s);
  }
  CHECK(done == transactions);
  CHECK(d.rounds.size() <= transactions + 5);
}
