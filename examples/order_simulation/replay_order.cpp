// SPDX-License-Identifier: BSD-3-Clause
#include "replay_order.hpp"

#include <troupe/system.hpp>

#include "replay_clerk.hpp"

#include <algorithm>
#include <utility>

namespace order_simulation {

order_sheet::order_sheet(std::span<const order_row> rows, troupe::time_point fed) : fed_at{fed} {
  parts.reserve(rows.size());
  for (const order_row& row : rows) {
    if (row.is_sale()) {
      has_sale = true;
      wanted_units += row.quantity;
      wanted_amount_milli += row.amount_milli();
      parts.push_back({row.stock_code, row.quantity, 0});
    } else {
      returned_units -= row.quantity;
      parts.push_back({row.stock_code, 0, -std::int64_t{row.quantity}});
    }
  }
  std::sort(parts.begin(), parts.end(),
            [](const order_part& a, const order_part& b) { return a.stock_code < b.stock_code; });
  std::size_t kept = 0;
  for (const order_part& p : parts) {
    if (kept > 0 && parts[kept - 1].stock_code == p.stock_code) {
      parts[kept - 1].wanted += p.wanted;
      parts[kept - 1].returned += p.returned;
    } else {
      parts[kept++] = p;
    }
  }
  parts.resize(kept);
}

// -- the order ---------------------------------------------------------------------------------------------------------

replay_order::replay_order(replay_staff* staff, std::uint64_t number, std::shared_ptr<const order_sheet> sheet)
    : journaled_actor{"order/" + std::to_string(number), {.counted = std::vector<bool>(sheet->parts.size())}},
      staff_{*staff}, number_{number}, sheet_{std::move(sheet)} {}

replay_order::effect<> replay_order::on(const cast_vote& v) {
  fault_point();
  if (state().counted[v.part])
    return {};
  return effect<>{vote_counted{v.part, v.vote}}.then(
      [this, announced = state().may_announce()] { follow_up(announced); });
}

replay_order::effect<> replay_order::on(const all_parts_out&) {
  fault_point();
  return effect<>{parts_went_out{}}.then([this] { follow_up(false); });
}

void replay_order::apply(order_state& s, const vote_counted& e) {
  s.counted[e.part] = true;
  ++s.votes;
  if (e.vote == ballot::yes)
    ++s.agreed;
  if (e.vote == ballot::no)
    s.decided = true;
  if (s.agreed == s.counted.size())
    s.decided = s.accepted = true;
}

void replay_order::follow_up(bool announced) {
  if (state().may_announce() && !announced)
    announce();
  if (state().parts_out && state().votes == sheet_->parts.size())
    finish();
}

void replay_order::announce() {
  for (const order_part& p : sheet_->parts)
    staff_.tell(staff_.parts[p.stock_code], hear_verdict{number_, state().accepted});
}

void replay_order::finish() {
  replay_totals t;
  t.returned_units = sheet_->returned_units;
  if (sheet_->has_sale && state().accepted) {
    t.accepted = 1;
    t.accepted_units = sheet_->wanted_units;
    t.accepted_amount_milli = sheet_->wanted_amount_milli;
  } else if (sheet_->has_sale) {
    t.rejected = 1;
    t.rejected_units = sheet_->wanted_units;
  }
  staff_.tell(staff_.desk, settlement{number_, t, sheet_->fed_at});
  forget();
  stop();
}

// -- the stock ---------------------------------------------------------------------------------------------------------

order_stock::order_stock(replay_staff* staff, const std::string& code, std::int64_t opening_stock)
    : journaled_actor{"stock/" + code, {.queue = replay_queue{opening_stock}}}, staff_{*staff} {}

order_stock::effect<> order_stock::on(const take_part& m) {
  fault_point();
  return effect<>{part_taken{m.order, m.part, m.wanted, m.returned}}.then([this, &m] {
    addresses_.emplace(m.order, m.from);
    send_votes();
  });
}

order_stock::effect<> order_stock::on(const hear_verdict& m) {
  fault_point();
  if (!state().queue.holds(m.order))
    return {};
  return effect<>{order_decided{m.order, m.accepted}}.then([this] { send_votes(); });
}

stock_figures order_stock::on(const inspect_stock&) {
  fault_point();
  const order_stock_state& s = state();
  return {.available = s.queue.available(),
          .sold = s.queue.sold(),
          .returned = s.queue.returned(),
          .taken = s.taken,
          .misplaced = s.misplaced,
          .waiting = s.queue.waiting()};
}

void order_stock::apply(order_stock_state& s, const part_taken& e) {
  ++s.taken;
  s.misplaced += e.order < s.orders_end ? 1 : 0;
  s.orders_end = e.order + 1;
  s.queue.add(e.order, e.part, e.wanted, e.returned);
}

void order_stock::send_votes() {
  for (const replay_queue::cast_ballot& b : state().queue.fresh()) {
    staff_.tell(address_of(b.order), cast_vote{b.part, b.vote});
    addresses_.erase(b.order);
  }
}

/// The journal holds no addresses: after a restart, orders are found by their name.
troupe::ref<replay_order> order_stock::address_of(std::uint64_t order) {
  const auto known = addresses_.find(order);
  if (known != addresses_.end())
    return known->second;
  const auto found = system().find<replay_order>(staff_.orders.name() + "/" + std::to_string(order));
  return found.value_or(troupe::ref<replay_order>{});
}

} // namespace order_simulation
