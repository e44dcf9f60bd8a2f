// SPDX-License-Identifier: BSD-3-Clause
// Claims: deliveries take the oldest open packages of each seller, once. Observed: in shipments, orders and accounts.
#include <troupe/journal/memory_store.hpp>
#include <troupe/own_answer.hpp>
#include <troupe/testing/probe.hpp>
#include <troupe/testing/slow_store.hpp>

#include "small_shop.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe::commerce;

namespace {

/// The only partition of a shop: delivers one package for each transaction and notes how many come together.
class counting_partition final : public troupe::actor<counting_partition, ship_order, deliver_oldest, delivery_round> {
public:
  counting_partition(std::shared_ptr<const directory> shop, std::vector<std::uint32_t>* rounds)
      : shop_{std::move(shop)}, rounds_{*rounds} {}
  void on(const ship_order&) {}
  std::uint32_t on(const deliver_oldest&) { return 0; }
  void on(const delivery_round& m) {
    rounds_.push_back(m.members);
    auto ended = round_ended{m.round, m.shares};
    for (std::uint32_t i = 0; i < m.members; ++i)
      ended.shares[i].packages = static_cast<std::uint32_t>(ended.shares[i].tid);
    shop_->desk(m.desk).tell(ended);
  }

private:
  const std::shared_ptr<const directory> shop_;
  std::vector<std::uint32_t>& rounds_;
};

struct confirm {};

/// Confirms the first thing it is told when it is told to.
class hesitant_order final : public troupe::actor<hesitant_order, place_order, order_moved, confirm> {
public:
  order_answer on(const place_order&) { return {}; }
  troupe::task<void> on(const order_moved&) {
    if (std::exchange(asked_, true))
      co_return;
    troupe::own_answer<void> confirmed{self(), 1h};
    confirmed_ = &confirmed;
    (void)co_await confirmed.outcome();
  }
  void on(const confirm&) { confirmed_->give(); }

private:
  bool asked_ = false;
  troupe::own_answer<void>* confirmed_ = nullptr;
};

} // namespace

TEST_CASE("delivery: updates that come while a round is under way share the next one, and each gets its own answer") {
  small_shop shop{{.customers = 0, .sellers = 0, .partitions = 0}};
  std::vector<std::uint32_t> rounds;
  const std::shared_ptr<const directory> known = shop.who;
  shop.who->add_shipment(shop.sys.spawn<counting_partition>(known, &rounds));
  std::vector<troupe::reply<delivery_answer>> answers;
  for (transaction_id tid = 1; tid <= 12; ++tid) {
    const update_deliveries request{tid};
    answers.push_back(shop.desk.ask(request, std::chrono::seconds{30}));
  }
  for (std::uint32_t i = 0; i < answers.size(); ++i) {
    const auto answer = std::move(answers[i]).get();
    CHECK(answer.complete);
    CHECK(answer.packages == i + 1);
  }
  std::uint32_t members = 0;
  for (const auto n : rounds) {
    CHECK(n <= round_members_max);
    members += n;
  }
  CHECK(members == 12);
  CHECK(rounds.size() < 12);
}

TEST_CASE("delivery: transactions of one round deliver as if they came one after the other") {
  small_shop shop;
  for (std::uint32_t i = 1; i <= 3; ++i)
    (void)shop.buy(1, i, {shop.line(1, 1), shop.line(2, 1)});
  (void)shop.buy(1, 4, {shop.line(3, 1)});
  delivery_round round{1, 0, 2, 0, 4, {}};
  round.shares = {{{100, 0}, {101, 0}, {100, 0}, {102, 0}}};
  shop.shipments[1].tell(round);
  shop.sys.advance(std::chrono::seconds{1});
  const auto s = shop.ask(shop.shipments[1], shipment_query{});
  CHECK(s.open.empty());
  CHECK(s.delivered == 7);
  CHECK(s.concluded.count == 4);
  CHECK(s.untold.empty());
  CHECK(shop.ask(shop.shipments[1], deliver_oldest{100}) == 3); // the oldest of all sellers
  CHECK(shop.ask(shop.shipments[1], deliver_oldest{101}) == 2);
  CHECK(shop.ask(shop.shipments[1], deliver_oldest{102}) == 2);
  CHECK(shop.ask(shop.orders[0], order_query{}).delivered.count == 4);
}

TEST_CASE("delivery: ten orders from one seller and one update leave nine") {
  small_shop shop;
  for (std::uint32_t i = 1; i <= 10; ++i)
    REQUIRE(shop.buy(1, i, {shop.line(1, 1), shop.line(1, 2)}).verdict == checkout_verdict::accepted);
  CHECK(shop.deliver(100) == 2);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).open.size() == 9);
  const auto o = shop.ask(shop.orders[0], order_query{});
  CHECK(o.open.size() == 9);
  CHECK(o.delivered.count == 1);
  CHECK(o.open.front().number == 2);
}

TEST_CASE("delivery: one order of two items from one seller is delivered by one update") {
  small_shop shop;
  REQUIRE(shop.buy(1, 1, {shop.line(1, 1), shop.line(1, 2)}).verdict == checkout_verdict::accepted);
  CHECK(shop.deliver(100) == 2);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).open.empty());
  CHECK(shop.ask(shop.orders[0], order_query{}).open.empty());
  CHECK(shop.ask(shop.customers[0], customer_query{}).deliveries == 2);
  const auto s = shop.ask(shop.sellers[0], seller_query{});
  CHECK(s.entries.empty());
  CHECK(s.concluded.count == 1);
  CHECK(s.out_of_order == 0);
}

TEST_CASE("delivery: a repeated update delivers nothing more") {
  small_shop shop;
  for (std::uint32_t i = 1; i <= 3; ++i)
    (void)shop.buy(1, i, {shop.line(1, 1)});
  CHECK(shop.deliver(100) == 1);
  CHECK(shop.deliver(100) == 1);
  CHECK(shop.ask(shop.shipments[1], deliver_oldest{100}) == 1);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).open.size() == 2);
  CHECK(shop.ask(shop.shipments[1], deliver_oldest{101}) == 1);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).open.size() == 1);
}

TEST_CASE("delivery: an order of several sellers is in transit until the last package has come") {
  small_shop shop;
  (void)shop.buy(1, 1, {shop.line(1, 1)});
  (void)shop.buy(1, 2, {shop.line(1, 1), shop.line(2, 1)});
  CHECK(shop.deliver(100) == 2); // the first order, and the second one's package of seller 2
  auto o = shop.ask(shop.orders[0], order_query{});
  REQUIRE(o.open.size() == 1);
  CHECK(o.open[0].status == order_status::in_transit);
  CHECK(shop.ask(shop.sellers[1], seller_query{}).entries.size() == 1);
  CHECK(shop.deliver(101) == 1);
  o = shop.ask(shop.orders[0], order_query{});
  CHECK(o.open.empty());
  CHECK(o.out_of_order == 0);
  CHECK(o.history_entries == 10);
  for (const auto& s : shop.sellers)
    CHECK(shop.ask(s, seller_query{}).entries.empty());
}

TEST_CASE("delivery: only the ten oldest shipments are looked at") {
  std::vector<open_shipment> open;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    open_shipment s;
    s.number = i;
    s.packages = {{{static_cast<std::uint32_t>(i)}, 1}, {{1}, 2}};
    open.push_back(s);
  }
  const auto parts = deliverable(open);
  REQUIRE(parts.size() == 10);
  CHECK(parts[0].packages == 0b11);
  for (std::size_t i = 1; i < 10; ++i)
    CHECK(parts[i].packages == 0b01);
  open[0].delivered = 0b11; // as good as gone
  CHECK(deliverable(open).front().number == 2);
  CHECK(deliverable(open).front().packages == 0b11);
  CHECK(deliverable({}).empty());
}

TEST_CASE("shipment: the last sixteen deliveries are recognised, and again after they were written down and read") {
  recent_deliveries all;
  for (std::uint32_t tid = 1; tid <= 40; ++tid)
    all.add({tid, 100 + tid});
  troupe::json_text text;
  write_json(text, all);
  const nlohmann::json json = all;
  CHECK(nlohmann::json::parse(text.view()) == json);
  for (const auto& r : {all, json.get<recent_deliveries>()}) {
    for (std::uint32_t tid = 25; tid <= 40; ++tid) {
      REQUIRE(r.find(tid) != nullptr);
      CHECK(r.find(tid)->packages == 100 + tid);
    }
    for (std::uint32_t tid = 41; tid <= 400; ++tid)
      CHECK(r.find(tid) == nullptr);
    CHECK(r.find(24) == nullptr);
  }
}

TEST_CASE("shipment: ship_order has one effect") {
  small_shop shop;
  const ship_order request{{{1}, 1}, {70}, {{{1}, 1}, {{2}, 1}}};
  for (int i = 0; i < 3; ++i)
    shop.ask(shop.shipments[1], request);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).open.size() == 1);
  (void)shop.ask(shop.shipments[1], deliver_oldest{5});
  shop.ask(shop.shipments[1], request);
  const auto s = shop.ask(shop.shipments[1], shipment_query{});
  CHECK(s.open.empty());
  CHECK(s.shipments.count == 1);
  CHECK(s.concluded.count == 1);
}

TEST_CASE("shipment: nobody hears of a step before he has confirmed the one before") {
  small_shop shop;
  troupe::probe_for<seller_ref> shaky{shop.sys, "seller"};
  shop.who->set(seller_id{1}, shaky.address());
  shaky.answer<note_ready>([failed = false](const note_ready&) mutable {
    if (!std::exchange(failed, true))
      throw std::runtime_error{"shaky"};
  });
  shop.shipments[1].tell(ship_order{{{1}, 1}, {70}, {{{1}, 1}, {{1}, 2}}});
  shop.shipments[1].tell(deliver_oldest{5}); // before anybody is told of the shipment
  shaky.expect<note_ready>(0s);
  shaky.expect<note_ready>(10s); // the first one failed
  CHECK(shaky.expect<note_packages>(0s).concluded);
  shaky.expect_nothing(10s);
  CHECK(shop.ask(shop.shipments[1], shipment_query{}).untold.empty());
}

TEST_CASE(
    "shipment: an order that has not confirmed its shipment is not shipped again, however many are closed meanwhile") {
  small_shop shop;
  troupe::probe_for<seller_ref> silent{shop.sys, "seller"};
  shop.who->set(seller_id{1}, silent.address());
  silent.answer<note_ready>([](const note_ready&) { throw std::runtime_error{"not now"}; });
  const ship_order first{{{1}, 1}, {70}, {{{1}, 1}}};
  shop.ask(shop.shipments[1], first);
  constexpr std::uint32_t others = 2 * decltype(shipment_state::closed)::capacity;
  for (std::uint32_t n = 2; n < 2 + others; ++n)
    shop.ask(shop.shipments[1], ship_order{{{1}, n}, {70}, {{{2}, 1}}});
  for (std::uint32_t tid = 1; tid <= others; ++tid)
    (void)shop.ask(shop.shipments[1], deliver_oldest{tid});
  shop.ask(shop.shipments[1], first);
  const auto s = shop.ask(shop.shipments[1], shipment_query{});
  CHECK(s.open.empty());
  CHECK(s.shipments.count == 1 + others);
}

TEST_CASE("shipment: an order sent again before it has confirmed its shipment is recognised, however long that waits") {
  small_shop shop{{.customers = 2, .turn_messages = 8}}; // so that others act while the partition works its mailbox off
  const auto buyer = shop.sys.spawn<hesitant_order>();
  shop.who->set(customer_id{1}, {shop.carts[0], buyer, shop.payments[0], shop.customers[0]});
  const auto& partition = shop.shipments[1];
  const ship_order request{{{1}, 1}, {70}, {{{1}, 1}}};
  std::uint32_t others = 0;
  const auto keep_busy = [&](std::uint32_t orders) {
    for (std::uint32_t i = 0; i < orders; ++i) {
      partition.tell(ship_order{{{1}, 2 + others}, {70}, {{{2}, 1}}});
      partition.tell(deliver_oldest{100 + ++others});
    }
  };
  partition.tell(request);
  shop.sys.run_until_idle();
  partition.tell(deliver_oldest{1});
  keep_busy(100);
  for (int i = 0; i < 20; ++i)
    shop.sys.step(); // the shipment is delivered, and to be told of behind all that
  keep_busy(300);
  partition.tell(request);
  buyer.tell(confirm{}); // only now, that it is ready
  shop.sys.advance(10s);
  const auto s = shop.ask(partition, shipment_query{});
  CHECK(s.open.empty());
  CHECK(s.untold.empty());
  CHECK(s.shipments.count == 1 + others);
}

TEST_CASE("shipment: others are told although the mailbox was full when there came to be something to tell") {
  auto clock = std::make_shared<troupe::manual_clock>();
  const troupe::detail::slow_store::pace slow{
      .next = [] { return 1s; }, .now = [&] { return clock->now(); }, .wake = [](auto) {}};
  const auto store = std::make_shared<troupe::detail::slow_store>(std::make_shared<troupe::memory_store>(), slow);
  troupe::system sys{{.journals = store, .through = {.clock = clock}, .stepped = 1}};
  troupe::probe_for<order_ref> buyer{sys, "buyer"};
  troupe::probe_for<seller_ref> vendor{sys, "vendor"};
  buyer.answer<order_moved>([](const order_moved&) {});
  vendor.answer<note_ready>([](const note_ready&) { return seller_answer::noted; });
  const auto who = std::make_shared<directory>();
  who->set(customer_id{1}, {{}, buyer.address(), {}, {}});
  who->set(seller_id{1}, vendor.address());
  const std::shared_ptr<const directory> known = who;
  const auto partition =
      sys.supervise("logistics").start<shipment>("shipment", {.mailbox = {.capacity = 4}}, 0u, known);
  partition.tell(ship_order{{{1}, 1}, {70}, {{{1}, 1}}});
  sys.run_until_idle(); // it is being kept
  while (partition.tell(shipment_query{}) == troupe::delivery::accepted)
    ;
  store->flush();
  CHECK(buyer.expect<order_moved>(10s).status == order_status::ready_for_shipment);
  store->flush();
}

TEST_CASE("shipment: a package arrives once, however many others arrive while somebody else does not hear of it") {
  small_shop shop{{.customers = 1}};
  troupe::probe_for<seller_ref> silent{shop.sys, "seller"};
  shop.who->set(seller_id{1}, silent.address());
  silent.answer<note_ready>([](const note_ready&) { return seller_answer::noted; });
  silent.answer<note_packages>([](const note_packages&) { throw std::runtime_error{"not now"}; });
  silent.ignore<note_ready>();
  silent.ignore<note_packages>();
  const auto& partition = shop.shipments[1];
  constexpr std::uint32_t orders = 2 * decltype(customer_state::orders)::capacity;
  shop.ask(partition, ship_order{{{1}, 1}, {70}, {{{1}, 1}}});
  for (std::uint32_t n = 2; n <= orders; ++n)
    shop.ask(partition, ship_order{{{1}, n}, {70}, {{{2}, 1}}});
  for (std::uint32_t n = 1; n <= orders; ++n) {
    (void)shop.ask(partition, deliver_oldest{n});
    shop.sys.advance(1s);
  }
  shop.sys.advance(1min);
  CHECK(shop.ask(shop.customers[0], customer_query{}).deliveries == orders);
}

TEST_CASE("order: one that has heard of its shipment does not ask for it once more") {
  small_shop shop{{.customers = 1, .partitions = 0}};
  troupe::probe_for<shipment_ref> partition{shop.sys, "partition"};
  shop.who->add_shipment(partition.address());
  partition.answer<ship_order>([&](const ship_order& m) {
    shop.orders[0].tell(order_moved{m.order.number, order_status::ready_for_shipment, false});
    throw std::runtime_error{"after all"};
  });
  CHECK(shop.buy(1, 1, {shop.line(1, 1)}).verdict == checkout_verdict::accepted);
  partition.expect<ship_order>(0s);
  partition.expect<ship_order>(0s); // the second attempt, at once: before it has heard
  partition.expect_nothing(1h);
}
