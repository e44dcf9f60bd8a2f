// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/stock.hpp>

#include <algorithm>
#include <stdexcept>

namespace troupe::commerce {

namespace {

stock_state opened(std::int64_t units) {
  if (units < 0)
    throw std::invalid_argument{"a stock cannot open with less than nothing"};
  stock_state s;
  s.available = s.supplied = units;
  return s;
}

auto held_by(auto& s, transaction_id tid) { return std::ranges::find(s.held, tid, &stock_state::reservation::tid); }

} // namespace

stock::stock(product_key item, std::int64_t opening)
    : journaled_actor{"stock/" + std::to_string(item.seller.value) + "/" + std::to_string(item.number),
                      opened(opening)} {}

stock::effect<stock_answer> stock::on(const reserve_units& m) const {
  const auto& s = state();
  if (held_by(s, m.tid) != s.held.end())
    return stock_answer::in_stock;
  if (const auto* before = s.settled.find([&](const auto& x) { return x.tid == m.tid; }))
    return before->confirmed ? stock_answer::in_stock : stock_answer::unavailable;
  fault_point();
  if (m.version != s.version)
    return stock_answer::unavailable;
  if (m.quantity == 0 || s.reserved + m.quantity > s.available)
    return stock_answer::out_of_stock;
  return {stock_answer::in_stock, units_reserved{m.tid, m.quantity}};
}

stock::effect<settlement> stock::settle(transaction_id tid, bool confirm) const {
  const auto& s = state();
  const bool held = held_by(s, tid) != s.held.end();
  if (!held) {
    if (const auto* before = s.settled.find([&](const auto& x) { return x.tid == tid; }))
      return before->confirmed == confirm ? settlement::done : settlement::opposite;
    if (confirm)
      return settlement::unknown;
  }
  fault_point();
  // A cancellation of what is not reserved is remembered: the reservation may still be on its way.
  return {held ? settlement::done : settlement::unknown, reservation_settled{tid, confirm}};
}

stock::effect<> stock::on(const set_stock_version& m) const {
  if (m.revision <= state().revision)
    return {};
  fault_point();
  return {stock_version_set{m.version, m.revision}};
}

stock::effect<> stock::on(const restock& m) const {
  if (state().restocks.find([&](transaction_id t) { return t == m.tid; }) != nullptr)
    return {};
  fault_point();
  return {units_added{m.tid, m.quantity}};
}

void stock::apply(stock_state& s, const units_reserved& e) {
  s.held.push_back({e.tid, e.quantity});
  s.reserved += e.quantity;
}

void stock::apply(stock_state& s, const reservation_settled& e) {
  if (const auto found = held_by(s, e.tid); found != s.held.end()) {
    s.reserved -= found->quantity;
    if (e.confirmed) {
      s.available -= found->quantity;
      s.confirmed += found->quantity;
      ++s.confirmations;
    }
    *found = s.held.back();
    s.held.pop_back();
  }
  s.settled.add({e.tid, e.confirmed});
}

void stock::apply(stock_state& s, const stock_version_set& e) {
  s.version = e.version;
  s.revision = e.revision;
}

void stock::apply(stock_state& s, const units_added& e) {
  s.available += e.quantity;
  s.supplied += e.quantity;
  s.restocks.add(e.tid);
}

} // namespace troupe::commerce
