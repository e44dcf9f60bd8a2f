// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/seller.hpp>

#include <algorithm>
#include <bit>
#include <string>

namespace troupe::commerce {

namespace {

seller_state opened(const std::vector<money>& prices) {
  seller_state s;
  for (std::uint32_t i = 0; i < prices.size(); ++i)
    s.prices.push_back({i + 1, 0, 0, 0, prices[i]});
  return s;
}

void add(seller_view& v, const order_entry& e) {
  auto& t = v.totals;
  ++t.items;
  t.goods += e.goods;
  t.incentive += e.incentive;
  t.freight += e.freight;
  t.amount = t.goods - t.incentive;
  t.invoice = t.amount + t.freight;
}

void remove(seller_view& v, const order_entry& e) {
  auto& t = v.totals;
  --t.items;
  t.goods -= e.goods;
  t.incentive -= e.incentive;
  t.freight -= e.freight;
  t.amount = t.goods - t.incentive;
  t.invoice = t.amount + t.freight;
}

} // namespace

seller_view view_of(const std::vector<order_entry>& entries) {
  seller_view v;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    add(v, entries[i]);
    if (i == 0 || entries[i].order != entries[i - 1].order)
      ++v.orders;
  }
  return v;
}

seller::seller(seller_id who, const std::vector<money>& prices)
    : journaled_actor{"seller/" + std::to_string(who.value), opened(prices)} {}

const order_entry* seller::open(order_key o) const {
  const auto& all = state().entries;
  // From the newest: most notes are about an order that has just come.
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const auto& e) { return e.order == o; });
  return found == all.rend() ? nullptr : &*found;
}

/// Of an order that is not open: whether it has been.
bool seller::is_over(order_key o, bool again) const {
  return again || state().closed.find([&](order_key k) { return k == o; }) != nullptr;
}

seller::effect<seller_answer> seller::on(const note_invoice& m) const {
  if (m.lines.empty() || open(m.order) != nullptr || is_over(m.order, false))
    return seller_answer::noted;
  fault_point();
  invoice_noted noted{m.order, {}};
  noted.entries.reserve(m.lines.size());
  auto places = m.packages;
  for (const auto& l : m.lines) {
    order_entry e;
    e.order = m.order;
    e.item = l.item;
    e.quantity = l.quantity;
    e.package = static_cast<std::uint8_t>(std::countr_zero(places));
    places &= places - 1;
    e.unit_price = l.unit_price;
    e.goods = l.unit_price * l.quantity;
    e.incentive = incentive_of(l);
    e.freight = l.freight;
    e.invoiced_at = moment_of(wall_now());
    noted.entries.push_back(e);
  }
  return {seller_answer::noted, std::move(noted)};
}

/// One step of an order as a whole. One that comes again, or after a later one, is noted already.
seller::effect<seller_answer> seller::step(order_key o, order_status to, bool again) const {
  const auto* e = open(o);
  if (e == nullptr && is_over(o, again))
    return seller_answer::noted;
  if (e != nullptr && e->status >= to)
    return seller_answer::noted;
  fault_point();
  if (e == nullptr || !may_follow(e->status, to))
    return {seller_answer::out_of_order, misorder_noted{}};
  return {seller_answer::noted, seller_step_noted{o, to, 0, moment_of(wall_now())}};
}

seller::effect<seller_answer> seller::on(const note_payment& m) const {
  return step(m.order, order_status::payment_processed, m.again);
}

seller::effect<seller_answer> seller::on(const void_invoice& m) const {
  return step(m.order, order_status::payment_failed, m.again);
}

seller::effect<seller_answer> seller::on(const note_ready& m) const {
  return step(m.order, order_status::ready_for_shipment, m.again);
}

seller::effect<> seller::on(const note_packages& m) const {
  const auto* e = open(m.order);
  if (e == nullptr && is_over(m.order, m.again))
    return {};
  fault_point();
  if (e == nullptr || e->status < order_status::ready_for_shipment)
    return {misorder_noted{}};
  line_set missing = 0, left = 0;
  for (const auto& x : state().entries) {
    if (x.order != m.order || x.delivered)
      continue;
    const auto package = line_set{1} << x.package;
    ((m.packages & package) != 0 ? missing : left) |= package;
  }
  const auto at = moment_of(wall_now());
  if (!m.concluded)
    return missing == 0 ? effect<>{} : effect<>{seller_step_noted{m.order, order_status::in_transit, missing, at}};
  if (left == 0)
    return {seller_step_noted{m.order, order_status::delivered, missing, at}};
  effect<> early{misorder_noted{}};
  if (missing != 0)
    early.and_event(seller_step_noted{m.order, order_status::in_transit, missing, at});
  return early;
}

seller::effect<> seller::on(const note_concluded& m) const {
  const auto* e = open(m.order);
  if (e == nullptr && is_over(m.order, m.again))
    return {};
  fault_point();
  const bool arrived = e != nullptr && std::ranges::all_of(state().entries, [&](const auto& x) {
                         return x.order != m.order || x.delivered;
                       });
  if (!arrived)
    return {misorder_noted{}};
  return {seller_step_noted{m.order, order_status::delivered, 0, moment_of(wall_now())}};
}

price_quote seller::quote(std::uint32_t number) const {
  const auto& prices = state().prices;
  if (number >= 1 && number <= prices.size() && prices[number - 1].number == number) // as in the opening list
    return {prices[number - 1].version, prices[number - 1].price, true};
  const auto found = std::ranges::find(prices, number, &seller_state::list_price::number);
  return found == prices.end() ? price_quote{} : price_quote{found->version, found->price, true};
}

std::vector<price_quote> seller::on(const quote_prices& m) const {
  fault_point();
  std::vector<price_quote> quotes;
  quotes.reserve(m.numbers.size());
  for (const auto number : m.numbers)
    quotes.push_back(quote(number));
  return quotes;
}

seller::effect<update_place> seller::on(const publish_price& m) const {
  const auto& prices = state().prices;
  const auto found = std::ranges::find(prices, m.number, &seller_state::list_price::number);
  if (found != prices.end() && m.revision <= found->revision)
    return update_place{found->sequence};
  fault_point();
  return {update_place{state().updates + 1}, price_listed{m.number, m.revision, m.version, m.price}};
}

// -- events -----------------------------------------------------------------------------------------------------------

void seller::apply(seller_state& s, const invoice_noted& e) {
  s.invoices.add(hash_of(e.order, e.entries.front().item.seller));
  ++s.view.orders;
  ++s.steps;
  for (const auto& x : e.entries) {
    s.entries.push_back(x);
    add(s.view, x);
  }
}

void seller::apply(seller_state& s, const seller_step_noted& e) {
  ++s.steps;
  money due{};
  seller_id self{};
  for (auto& x : s.entries) {
    if (x.order != e.order)
      continue;
    due += x.invoice();
    self = x.item.seller;
    if (e.status == order_status::ready_for_shipment)
      x.shipped_at = e.at;
    if (e.status != order_status::in_transit)
      x.status = e.status; // delivered: it goes, whatever was missing
    else if ((e.packages & (line_set{1} << x.package)) != 0) {
      x.status = e.status;
      x.delivered = true;
      x.delivered_at = e.at;
    }
  }
  const auto hash = hash_of(e.order, self);
  switch (e.status) {
    case order_status::payment_processed:
      s.revenue += due;
      s.paid.add(hash);
      return;
    case order_status::delivered: s.concluded.add(hash); break;
    case order_status::payment_failed: s.voided.add(hash); break;
    default: return;
  }
  std::erase_if(s.entries, [&](const auto& x) {
    if (x.order != e.order)
      return false;
    remove(s.view, x);
    return true;
  });
  --s.view.orders;
  s.closed.add(e.order);
}

void seller::apply(seller_state& s, const price_listed& e) {
  ++s.updates;
  auto found = std::ranges::find(s.prices, e.number, &seller_state::list_price::number);
  if (found == s.prices.end())
    found = s.prices.insert(s.prices.end(), seller_state::list_price{e.number, 0, 0, 0, {}});
  *found = {e.number, e.revision, e.version, s.updates, e.price};
}

} // namespace troupe::commerce
