// SPDX-License-Identifier: BSD-3-Clause
// Claims: a payment charges an order once, asks a provider that does not answer again with the same key, and gives back what
// he may have taken. Observed: a probe stands in for the provider, in simulated time.
#include <troupe/commerce/payment.hpp>
#include <troupe/commerce/payment_provider.hpp>

#include <troupe/testing/probe.hpp>
#include <troupe/testing/solo.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

using namespace troupe::commerce;
using namespace std::chrono_literals;

namespace {

constexpr order_key first{{7}, 1};
constexpr process_payment card{1, payment_method::credit_card, 2, {700}};

struct counter {
  troupe::system sys{support::stepped()};
  troupe::probe_for<provider_ref> provider{sys, "provider"};
  troupe::ref<payment> desk =
      sys.spawn<payment>(first.customer, provider.address(), payment_patience{.attempts = 2, .timeout = 1s});

  void answer(charge_answer a) {
    provider.answer<charge>([a](const charge&) { return a; });
  }
  /// Charges come in and nobody answers them.
  void fall_silent() {
    provider.answer<charge>([](const charge&) -> charge_answer { throw std::runtime_error{"out of order"}; });
  }
  payment_state state() { return desk.ask(payment_query{}).get(); }
};

} // namespace

TEST_CASE("payment: charges an order once whatever a repetition says") {
  counter c;
  c.answer(charge_answer::approved);
  CHECK(c.desk.ask(card).get() == payment_answer::paid);
  const auto asked = c.provider.expect<charge>(0s);
  CHECK(asked.order == first);
  CHECK(asked.amount == money{700});
  CHECK(c.desk.ask(process_payment{1, payment_method::boleto, 3, {999}}).get() == payment_answer::paid);
  c.provider.expect_nothing(1h);
  CHECK(c.state().total == money{700});
  CHECK(c.state().lines == 3); // the card and two vouchers
}

TEST_CASE("payment: a declined charge is refused, and nothing is given back") {
  counter c;
  c.answer(charge_answer::declined);
  for (int i = 0; i < 2; ++i)
    CHECK(c.desk.ask(card).get() == payment_answer::refused);
  c.provider.expect<charge>(0s);
  c.provider.expect_nothing(1h);
  CHECK(c.state().refused.count == 1);
  CHECK(c.state().abandoned == 0);
}

TEST_CASE("payment: a provider that does not answer is asked again, and then owed a refund until he has taken it") {
  counter c;
  c.fall_silent();
  int asked = 0;
  c.provider.answer<refund>([&](const refund&) {
    ++asked;
    throw std::runtime_error{"out of order"};
  });
  CHECK(c.desk.ask(card, 1min).get() == payment_answer::refused);
  for (int i = 0; i < 2; ++i)
    CHECK(c.provider.expect<charge>(0s).order == first);
  CHECK(c.provider.expect<refund>(2s).order == first);
  c.provider.ignore<refund>();
  c.sys.advance(10min);
  CHECK(asked >= 10);
  CHECK(asked <= 30); // less often as time goes by
  CHECK(c.state().refunds == 0);
  c.provider.ignore<refund>([](const refund&) { return false; });
  c.provider.answer<refund>([](const refund&) {});
  CHECK(c.provider.expect<refund>(62s).order == first);
  c.provider.expect_nothing(1h);
  CHECK(c.state().refunds == 1);
  CHECK(c.state().abandoned == 1);
  CHECK(c.state().total == money{});
}

TEST_CASE("payment: all refunds are given that are owed, however many orders a provider has not answered meanwhile") {
  counter c;
  c.fall_silent();
  c.provider.answer<refund>([](const refund&) { throw std::runtime_error{"out of order"}; });
  c.provider.ignore<charge>();
  c.provider.ignore<refund>();
  constexpr std::uint32_t orders = 3 * decltype(payment_state::records)::capacity;
  for (std::uint32_t n = 1; n <= orders; ++n)
    CHECK(c.desk.ask(process_payment{n, payment_method::credit_card, 0, {700}}, 1min).get() == payment_answer::refused);
  std::set<std::uint32_t> given;
  c.provider.answer<refund>([&](const refund& m) { given.insert(m.order.number); });
  c.sys.advance(2min);
  CHECK(given.size() == orders);
  CHECK(c.state().refunds == orders);
  CHECK(c.state().abandoned == orders);
}

TEST_CASE("payment: a refund owed by a state of the first version is owed still") {
  nlohmann::json before = payment_state{};
  before.erase("owed");
  for (const std::uint32_t n : {3, 4, 5})
    before["records"].push_back({{"number", n}, {"paid", false}, {"owes_refund", n != 4}, {"amount", 0}, {"lines", 0}});
  payment_state::upcast(1, before);
  const auto s = before.get<payment_state>();
  CHECK(s.owed == std::vector<std::uint32_t>{3, 5});
  CHECK(s.records.size() == 3);
}

TEST_CASE("payment: a refund is given although the mailbox was full when it became due") {
  troupe::system sys{support::stepped()};
  troupe::probe_for<provider_ref> provider{sys, "provider"};
  provider.answer<charge>([](const charge&) -> charge_answer { throw std::runtime_error{"out of order"}; });
  provider.answer<refund>([](const refund&) {});
  const auto desk = sys.supervise("desks").start<payment>("desk", {.mailbox = {.capacity = 4}}, first.customer,
                                                          provider.address(), payment_patience{.attempts = 2});
  auto answer = desk.ask(card, 1min);
  sys.run_until_idle();
  while (desk.tell(payment_query{}) == troupe::delivery::accepted)
    ;
  CHECK(std::move(answer).get() == payment_answer::refused);
  sys.advance(1min);
  CHECK(desk.ask(payment_query{}).get().refunds == 1);
}

TEST_CASE("payment_provider: one order is charged once, and after its refund not again") {
  troupe::stage world;
  troupe::solo<simulated_provider> p{world, 0u};
  for (int i = 0; i < 2; ++i)
    CHECK(p.ask(charge{first, payment_method::boleto, {999}}) == charge_answer::approved);
  CHECK(p.ask(provider_query{}).balance == money{999});
  for (int i = 0; i < 2; ++i)
    p.ask(refund{first});
  CHECK(p.ask(charge{first, payment_method::boleto, {999}}) == charge_answer::declined);
  CHECK(p.ask(provider_query{}).balance == money{});
  CHECK(p.ask(provider_query{}).refunded == 1);
}
