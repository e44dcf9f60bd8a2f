// SPDX-License-Identifier: BSD-3-Clause
// Claims: a probe tells what came from what was expected, in simulated time; an actor on a stage handles one message per
// call, and what it sends, starts and fails with can be seen. Observed on a small desk.
#include <troupe/testing/probe.hpp>
#include <troupe/testing/solo.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace troupe;

namespace {

struct parcel {
  int weight;
};
struct refusal {
  std::string why;
};
struct price_of {
  int weight;
  using reply = int;
};
struct order {
  int weight;
  ref_to<parcel, refusal> from;
};
struct orders_so_far {
  using reply = int;
};
struct priced {
  int weight;
  using reply = int;
};

class tariff : public actor<tariff, price_of> {
public:
  int on(const price_of& p) const { return 2 * p.weight; }
};

/// Delivers a minute after the order; refuses what is too heavy.
class desk : public actor<desk, order, orders_so_far, priced, parcel> {
public:
  desk() = default;
  explicit desk(ref_to<price_of> tariff) : tariff_{std::move(tariff)} {}
  void on(const order& o) {
    if (o.weight > 10)
      return (void)o.from.tell(refusal{"too heavy"});
    if (o.weight < 0)
      throw std::invalid_argument{"weight"};
    fault_point();
    ++orders_;
    last_ = o.from;
    after("delivery", 1min, parcel{o.weight});
  }
  void on(const parcel& p) { last_.tell(p); }
  int on(const orders_so_far&) const { return orders_; }
  task<int> on(const priced& p) {
    auto asked = tariff_.ask(price_of{p.weight});
    co_return co_await asked;
  }

private:
  const ref_to<price_of> tariff_{};
  ref_to<parcel, refusal> last_;
  int orders_ = 0;
};

} // namespace

TEST_CASE("probe: expects what comes, within simulated time") {
  troupe::system sys{support::stepped()};
  const auto d = sys.spawn<desk>();
  probe<parcel, refusal> customer{sys, "customer"};
  d.tell(order{7, customer.address()});
  customer.expect_nothing(59s);
  CHECK(customer.expect<parcel>(1s).weight == 7);
  d.tell(order{11, customer.address()});
  CHECK(customer.expect<refusal>(0s).why == "too heavy");
  customer.expect_nothing(24h);
  CHECK(sys.now() == time_point{24h + 60s});
}

TEST_CASE("probe: says what came instead") {
  troupe::system sys{support::stepped()};
  const auto d = sys.spawn<desk>();
  probe<parcel, refusal> customer{sys};
  CHECK_THROWS_WITH_AS(customer.expect<parcel>(1s), doctest::Contains("nothing came"), unexpected);
  d.tell(order{11, customer.address()});
  CHECK_THROWS_WITH_AS(customer.expect_nothing(), doctest::Contains("refusal came"), unexpected);
  CHECK_THROWS_WITH_AS(customer.expect<parcel>(), doctest::Contains("refusal came"), unexpected);
}

TEST_CASE("probe: fishes and forgets") {
  troupe::system sys{support::stepped()};
  const auto d = sys.spawn<desk>();
  probe<parcel, refusal> customer{sys};
  d.tell(order{3, customer.address()});
  d.tell(order{11, customer.address()});
  CHECK(customer.fish<parcel>(1min).weight == 3);
  CHECK_THROWS_AS(customer.fish<refusal>(1min), unexpected); // it came before the parcel
  d.tell(order{11, customer.address()});
  d.tell(order{11, customer.address()});
  CHECK(customer.forget() == 2);
  customer.expect_nothing();
}

TEST_CASE("probe: answers as it is told to") {
  troupe::system sys{support::stepped()};
  probe<price_of> prices{sys};
  const auto d = sys.spawn<desk>(ref_to<price_of>{prices.address()});
  const auto without = d.ask(priced{5}).try_get();
  CHECK_FALSE(without);
  prices.answer<price_of>([](const price_of& p) { return 100 * p.weight; });
  CHECK(d.ask(priced{5}).get() == 500);
  CHECK(prices.forget() == 2);
}

TEST_CASE("probe: what it ignores does not count, and is answered") {
  troupe::system sys{support::stepped()};
  probe<price_of, parcel> p{sys};
  p.answer<price_of>([](const price_of& m) { return m.weight; });
  p.ignore<price_of>();
  p.ignore<parcel>([](const parcel& m) { return m.weight < 5; });
  CHECK(p.address().ask(price_of{3}).get() == 3);
  p.address().tell(parcel{4});
  p.expect_nothing();
  p.address().tell(parcel{5});
  CHECK(p.expect<parcel>().weight == 5);
}

TEST_CASE("probe: an answer that throws fails the request, and the probe goes on for ever") {
  troupe::system sys{support::stepped()};
  probe<price_of, parcel> p{sys};
  p.answer<price_of>([](const price_of&) -> int { throw std::runtime_error{"closed"}; });
  for (int i = 0; i < 100; ++i) {
    const auto answer = p.address().ask(price_of{i}).try_get();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == errc::failed);
    CHECK(p.expect<price_of>().weight == i);
  }
  CHECK(p.address().incarnation() == 0);
}

TEST_CASE("probe: watches an actor to its end") {
  troupe::system sys{support::stepped()};
  const auto d = sys.spawn<desk>();
  probe<stopped> p{sys};
  p.watch(d);
  p.expect_nothing(1h);
  d.stop();
  const auto end = p.expect<stopped>(0s);
  CHECK(end.id == d.id());
  CHECK(end.reason == exit_reason::shutdown);
}

TEST_CASE("solo: each call handles one message, and shows what was sent and which timers run") {
  stage world;
  const auto customer = world.recipient<parcel, refusal>("customer");
  solo<desk> d{world};
  d.keep<refusal>();
  d.tell(order{11, customer});
  REQUIRE(d.sent().size() == 1);
  CHECK(d.sent()[0].to == "customer");
  CHECK(d.sent<refusal>().at(0).why == "too heavy");
  CHECK(d.timers().empty());
  d.tell(order{4, customer});
  CHECK(d.ask(orders_so_far{}) == 1);
  REQUIRE(d.timers().size() == 1);
  CHECK(d.timers()[0].key == "delivery");
  CHECK(d.timers()[0].in == 1min);
  d.advance(1min);
  CHECK(d.sent().size() == 2);
  CHECK(d.timers().empty());
}

TEST_CASE("solo: what comes after `forget_sent` is all that was sent") {
  stage world;
  solo<desk> d{world};
  d.keep<refusal>();
  const auto customer = world.recipient<parcel, refusal>("customer");
  d.tell(order{11, customer});
  d.forget_sent();
  CHECK(d.sent().empty());
  d.tell(order{12, customer});
  CHECK(d.sent<refusal>().size() == 1);
}

TEST_CASE("solo: what a handler throws reaches the test") {
  stage world;
  solo<desk> d{world};
  CHECK_THROWS_AS(d.tell(order{-1, {}}), std::invalid_argument);
  CHECK(d.has_stopped());
}

TEST_CASE("solo: a fault point fails when it is told to, once") {
  stage world;
  solo<desk> d{world};
  d.fail_at_next_fault_point(std::runtime_error{"disk"});
  CHECK(d.ask(orders_so_far{}) == 0);
  CHECK_THROWS_WITH(d.tell(order{1, {}}), "disk");
}

TEST_CASE("solo: nobody answers, so a handler that asks waits") {
  stage world;
  const auto t = world.idle<tariff>("tariff");
  solo<desk> d{world, ref_to<price_of>{t}};
  CHECK_THROWS_AS(d.ask(priced{5}), usage_error);
  REQUIRE(d.sent().size() == 1);
  CHECK(d.sent()[0].to == "tariff");
}
