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

replay_totals order_sheet::totals(bool accepted) const {
  replay_totals t;
  t.returned_units = returned_units;
  if (has_sale && accepted) {
    t.accepted = 1;
    t.accepted_units = wanted_units;
    t.accepted_amount_milli = wanted_amount_milli;
  } else if (has_sale) {
    t.rejected = 1;
    t.rejected_units = wanted_units;
  }
  return t;
}

// -- the order ---------------------------------------------------------------------------------------------------------

replay_order::replay_order(replay_staff* staff, std::uint64_t number, std::shared_ptr<const order_sheet> sheet)
    : journaled_actor{"order/" + std::to_string(number),
                      {.counted = std::vector<bool>(sheet->parts.size()),
                       .confirmed = std::vector<bool>(sheet->parts.size())}},
      staff_{*staff}, number_{number}, sheet_{std::move(sheet)}, confirmed_{state().confirmed} {
  if (state().may_announce(staff_.life)) // an earlier incarnation may not have come to it
    announce();
}

replay_order::effect<> replay_order::on(const cast_vote& v) {
  fault_point();
  effect<> fx;
  if (!state().counted[v.part])
    fx.and_event(vote_counted{v.part, v.vote});
  return std::move(fx).then([this] { follow_up(); });
}

replay_order::effect<> replay_order::on(const all_parts_out&) {
  fault_point();
  effect<> fx;
  if (state().parts_out_in != staff_.life)
    fx.and_event(parts_went_out{staff_.life});
  return std::move(fx).then([this] { follow_up(); });
}

replay_order::effect<> replay_order::on(const verdict_kept& m) {
  fault_point();
  if (!confirmed_[m.part]) {
    confirmed_[m.part] = true;
    unwritten_.push_back(m.part);
  }
  effect<> fx;
  if (unwritten_.size() >= confirmations_per_record)
    fx.and_event(verdicts_kept{std::exchange(unwritten_, {})});
  return std::move(fx).then([this] { finish_if_over(); });
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

void replay_order::apply(order_state& s, const verdicts_kept& e) {
  for (const auto part : e.parts)
    s.confirmed[part] = true;
}

void replay_order::follow_up() {
  if (state().may_announce(staff_.life) && !announced_)
    announce();
  finish_if_over();
}

void replay_order::announce() {
  announced_ = true;
  for (std::uint32_t i = 0; i < sheet_->parts.size(); ++i)
    if (!confirmed_[i])
      staff_.tell(staff_.parts[sheet_->parts[i].stock_code],
                  hear_verdict{self(), number_, i, state().accepted,
                               i == 0 ? sheet_->totals(state().accepted) : replay_totals{}});
}

/// Everybody has spoken, and has kept the verdict.
void replay_order::finish_if_over() {
  const bool kept = std::find(confirmed_.begin(), confirmed_.end(), false) == confirmed_.end();
  if (over_ || !kept || state().parts_out_in != staff_.life || state().votes != sheet_->parts.size())
    return;
  over_ = true;
  staff_.tell(staff_.desk, settlement{number_, sheet_->totals(state().accepted), sheet_->fed_at});
  forget();
  stop();
}

// -- the stock ---------------------------------------------------------------------------------------------------------

order_stock::order_stock(replay_staff* staff, const std::string& code, std::int64_t opening_stock)
    : journaled_actor{"stock/" + code, {.queue = replay_queue{opening_stock}}}, staff_{*staff} {}

const known_verdict* order_stock_state::verdict_on(std::uint64_t order) const {
  const auto found = std::find_if(verdicts.begin(), verdicts.end(), [&](const auto& v) { return v.order == order; });
  return found == verdicts.end() ? nullptr : &*found;
}

order_stock::effect<> order_stock::on(const take_part& m) {
  fault_point();
  if (m.order < state().orders_end && (state().queue.holds(m.order) || state().verdict_on(m.order) != nullptr))
    return effect<>{}.then([this, &m] { vote_again(m); });
  return effect<>{part_taken{m.order, m.part, m.wanted, m.returned, m.settled_below}}.then([this, &m] {
    addresses_.insert_or_assign(m.order, m.from);
    send_votes();
  });
}

/// The part was taken before: by an incarnation that failed, or in an earlier process.
void order_stock::vote_again(const take_part& m) {
  addresses_.insert_or_assign(m.order, m.from);
  auto vote = state().queue.cast_for(m.order);
  if (const auto* known = state().verdict_on(m.order); known != nullptr && vote == ballot::none)
    vote = known->accepted ? ballot::yes : ballot::no; // nothing else has led to it, or can change it
  if (vote != ballot::none) {
    staff_.tell(m.from, cast_vote{m.part, vote});
    addresses_.erase(m.order);
  }
  send_votes();
}

order_stock::effect<> order_stock::on(const hear_verdict& m) {
  fault_point();
  effect<> fx;
  if (state().queue.undecided(m.order))
    fx.and_event(order_decided{m.order, m.accepted, m.totals});
  return std::move(fx).then([this, &m] {
    send_votes();
    staff_.tell(m.from, verdict_kept{m.part});
  });
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
  s.settled_below = e.settled_below;
  std::erase_if(s.verdicts, [&](const auto& v) { return v.order < e.settled_below; });
}

void order_stock::apply(order_stock_state& s, const order_decided& e) {
  s.queue.decide(e.order, e.accepted);
  s.verdicts.push_back({e.order, e.accepted});
  s.totals += e.totals;
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
