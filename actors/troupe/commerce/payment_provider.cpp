// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/payment_provider.hpp>

#include <troupe/pause.hpp>

#include <algorithm>
#include <ranges>
#include <string>
#include <utility>

namespace troupe::commerce {

namespace {

/// A number in [0, 1) that belongs to the order.
double fate_of(order_key o, std::uint64_t seed) { return static_cast<double>(hash_of(o, seed) >> 11) * 0x1p-53; }

/// The newest first: a repetition is mostly of what has just been.
auto find_in(auto& accounts, std::uint64_t order) {
  return std::ranges::find(accounts.rbegin(), accounts.rend(), order, &provider_books::account::order);
}

void open_account(provider_books& s, provider_books::account a, std::size_t remembered) {
  if (!s.accounts.empty() && s.accounts.size() >= remembered)
    s.accounts.pop_front();
  s.accounts.push_back(a);
}

} // namespace

simulated_provider::simulated_provider(std::uint32_t number, provider_options options)
    : journaled_actor{"provider/" + std::to_string(number)}, options_{options} {}

const provider_books::account* simulated_provider::account_of(std::uint64_t order) const {
  const auto found = find_in(state().accounts, order);
  return found == state().accounts.rend() ? nullptr : &*found;
}

task<charge_answer> simulated_provider::on(const charge& m) {
  const auto order = hash_of(m.order);
  fault_point();
  if (account_of(order) == nullptr) {
    const bool approved = fate_of(m.order, options_.seed) >= options_.declined;
    co_await persist(charge_decided{order, approved ? m.amount : money{}, approved, options_.remembered});
  }
  const auto* a = account_of(order);
  const bool approved = a != nullptr && a->taken > money{} && !a->closed;
  if (options_.slow > 0 && fate_of(m.order, options_.seed + 1) < options_.slow)
    co_await pause(self(), options_.delay);
  co_return approved ? charge_answer::approved : charge_answer::declined;
}

simulated_provider::effect<> simulated_provider::on(const refund& m) const {
  fault_point();
  const auto order = hash_of(m.order);
  if (const auto* a = account_of(order); a != nullptr && a->closed)
    return {};
  return {charge_refunded{order, options_.remembered}};
}

void simulated_provider::apply(provider_books& s, const charge_decided& e) {
  if (find_in(s.accounts, e.order) != s.accounts.rend())
    return; // two charges of one order at a time: the first decides
  open_account(s, {e.order, e.taken, false}, e.remembered);
  ++(e.approved ? s.approved : s.declined);
  s.balance += e.taken;
}

void simulated_provider::apply(provider_books& s, const charge_refunded& e) {
  auto found = find_in(s.accounts, e.order);
  if (found == s.accounts.rend()) {
    open_account(s, {e.order, {}, false}, e.remembered);
    found = s.accounts.rbegin();
  }
  if (std::exchange(found->closed, true))
    return;
  ++s.refunded;
  s.balance -= std::exchange(found->taken, money{});
}

} // namespace troupe::commerce
