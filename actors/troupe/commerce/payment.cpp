// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/payment.hpp>

#include <string>

namespace troupe::commerce {

namespace {

// Between attempts to charge, and to refund.
constexpr std::chrono::milliseconds charge_pause{10};
constexpr std::chrono::milliseconds charge_pause_longest{250};
constexpr std::chrono::seconds refund_pause{1};
constexpr std::chrono::seconds refund_pause_longest{60};

auto of_order(std::uint32_t number) {
  return [number](const payment_state::record& r) { return r.number == number; };
}

} // namespace

void payment_state::upcast(int, nlohmann::json& j) {
  auto& owed = j["owed"] = nlohmann::json::array();
  for (const auto& r : j.at("records"))
    if (r.at("owes_refund").get<bool>())
      owed.push_back(r.at("number"));
}

payment::payment(customer_id who, provider_ref provider, payment_patience patience)
    : journaled_actor{"payment/" + std::to_string(who.value)}, who_{who}, provider_{std::move(provider)},
      patience_{patience}, refund_pauses_{refund_pause, refund_pause_longest} {
  if (!state().owed.empty())
    try_refund_later();
}

void payment::try_refund_later() { after("refund", refund_pauses_.next(random()), refund_due{}); }

task<payment_answer> payment::on(const process_payment& m) {
  if (const auto* before = state().records.find(of_order(m.number)))
    co_return before->paid ? payment_answer::paid : payment_answer::refused;
  fault_point();
  const charge request{{who_, m.number}, m.method, m.amount};
  growing_pause pauses{charge_pause, charge_pause_longest};
  errc last{};
  for (unsigned i = 0; i < patience_.attempts; ++i) {
    if (i > 0 && !co_await pause_before_attempt(self(), pauses, i, last))
      break;
    auto asked = provider_.ask(request, patience_.timeout);
    const auto answer = co_await asked.outcome();
    if (answer && *answer == charge_answer::approved) {
      co_await persist(payment_made{request.order, m.amount, 1u + m.vouchers});
      co_return payment_answer::paid;
    }
    if (answer) {
      co_await persist(payment_failed{request.order, m.amount, false});
      co_return payment_answer::refused;
    }
    last = answer.error().code;
    if (!worth_asking_again(last))
      break;
  }
  // It may have taken the money all the same.
  co_await persist(payment_failed{request.order, m.amount, true});
  if (self().tell(refund_due{}) != delivery::accepted)
    try_refund_later(); // the mailbox is full
  co_return payment_answer::refused;
}

task<void> payment::on(const refund_due&) {
  while (!state().owed.empty()) {
    fault_point();
    const refund request{{who_, state().owed.front()}};
    auto asked = provider_.ask(request, patience_.timeout);
    if (!co_await asked.outcome()) {
      try_refund_later();
      co_return;
    }
    refund_pauses_.reset();
    co_await persist(payment_refunded{request.order.number});
  }
}

void payment::apply(payment_state& s, const payment_made& e) {
  s.paid.add(hash_of(e.order));
  s.total += e.amount;
  s.lines += e.lines;
  s.records.add({e.order.number, true, e.amount, e.lines});
}

void payment::apply(payment_state& s, const payment_failed& e) {
  s.refused.add(hash_of(e.order));
  s.records.add({e.order.number, false, e.amount, 0});
  if (!e.abandoned)
    return;
  ++s.abandoned;
  s.owed.push_back(e.order.number);
}

void payment::apply(payment_state& s, const payment_refunded& e) {
  ++s.refunds;
  std::erase(s.owed, e.number);
}

} // namespace troupe::commerce
