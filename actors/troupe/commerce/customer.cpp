// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/customer.hpp>

#include <bit>
#include <string>

namespace troupe::commerce {

customer::customer(customer_id who) : journaled_actor{"customer/" + std::to_string(who.value)} {}

customer::effect<> customer::on(const note_purchase& m) const {
  if (state().purchases.find([&](std::uint32_t n) { return n == m.number; }) != nullptr)
    return {};
  fault_point();
  return {purchase_noted{m.number, m.paid, m.amount}};
}

customer::effect<> customer::on(const note_arrival& m) const {
  const auto* known = state().orders.find([&](const auto& o) { return o.number == m.number; });
  const auto fresh = known == nullptr ? m.packages : m.packages & ~known->packages;
  if (fresh == 0)
    return {};
  fault_point();
  return {packages_arrived{m.number, fresh}};
}

void customer::apply(customer_state& s, const purchase_noted& e) {
  s.purchases.add(e.number);
  if (e.paid) {
    ++s.payments;
    s.spent += e.amount;
  } else {
    ++s.failed_payments;
  }
}

void customer::apply(customer_state& s, const packages_arrived& e) {
  s.deliveries += static_cast<std::uint32_t>(std::popcount(e.packages));
  if (auto* known = s.orders.find([&](const auto& o) { return o.number == e.number; }))
    known->packages |= e.packages;
  else
    s.orders.add({e.number, e.packages});
}

} // namespace troupe::commerce
