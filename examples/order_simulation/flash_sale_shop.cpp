// SPDX-License-Identifier: BSD-3-Clause
#include "flash_sale_shop.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace order_simulation {

using namespace std::chrono_literals;

std::chrono::microseconds payment_time(std::uint64_t order) {
  // Fibonacci hashing: the same order always takes the same time, also when it is tried again.
  return 3ms + std::chrono::microseconds{(order * 0x9e3779b97f4a7c15) >> 32} % 2'000;
}

// -- the door ----------------------------------------------------------------------------------------------------------

sale_door::effect<> sale_door::on(const buy& b) {
  fault_point();
  if (inside(b.order)) // the door failed after it was kept
    return effect<>{}.then([this, &b] { start_order(b); });
  const bool full = state().inside.size() >= orders_inside_max;
  if (full || now() - b.intended > lateness_max) {
    const auto outcome = full ? sale_outcome::busy_full : sale_outcome::busy_late;
    return effect<>{}.then([this, &b, outcome] {
      staff_.tell(staff_.crowd, sale_answer{b.order, outcome, 0, b.intended});
    });
  }
  return effect<>{let_in{b.order, b.customer}}.then([this, &b] { start_order(b); });
}

sale_door::effect<> sale_door::on(const leave_shop& m) {
  fault_point();
  effect<> gone;
  if (inside(m.order))
    gone.and_event(let_out{m.order});
  return std::move(gone).then([&m] { m.from.tell(end_kept{end_witness::door}); });
}

void sale_door::apply(door_state& s, const let_in& e) {
  s.inside.push_back(e.order);
  ++s.admitted;
  s.came = std::max(s.came, e.customer);
}

bool sale_door::inside(std::uint64_t order) const {
  return std::find(state().inside.begin(), state().inside.end(), order) != state().inside.end();
}

void sale_door::start_order(const buy& b) {
  auto options = staff_.plan.child(16); // the answer of the stock, and what it and the door say of the end, repeated
  options.restart = troupe::transient;
  staff_.orders.start<sale_order>({}, options, &staff_, b);
}

// -- the order ---------------------------------------------------------------------------------------------------------

sale_order::sale_order(sale_staff* staff, buy wanted)
    : journaled_actor{"order/" + std::to_string(wanted.order)}, staff_{*staff}, wanted_{wanted} {
  if (state().stage == order_stage::paying)
    after(payment_time(wanted_.order), payment_authorised{});
  else if (state().stage == order_stage::over)
    tell_end();
  if (incarnation() != 0) { // the message that failed is tried again, and the crowd has what was sent
    const std::lock_guard lock{staff_.telling};
    told_ = staff_.answered.contains(wanted_.order);
    return;
  }
  if (state().stage == order_stage::reserving)
    self().tell(payment_authorised{});
  else if (state().stage == order_stage::over)
    answer_customer();
}

sale_order::effect<> sale_order::on(const payment_authorised&) {
  fault_point();
  if (state().stage == order_stage::over)
    return {};
  effect<> paid;
  if (state().stage == order_stage::paying)
    paid.and_event(order_paid{});
  return std::move(paid).then([this] {
    staff_.tell(staff_.stocks[wanted_.product], hold_units{self(), wanted_.order, wanted_.quantity});
  });
}

sale_order::effect<> sale_order::on(const hold_answer& a) {
  fault_point();
  if (state().stage == order_stage::paying)
    return {};
  effect<> ended; // if it was kept before, a failure came in between, and nobody has been told
  if (state().stage == order_stage::reserving)
    ended.and_event(order_over{a.granted});
  return std::move(ended).then([this] {
    tell_end();
    answer_customer();
  });
}

void sale_order::answer_customer() {
  const bool granted = state().granted;
  const auto outcome = granted ? sale_outcome::sold : sale_outcome::sold_out;
  staff_.tell(staff_.crowd,
              sale_answer{wanted_.order, outcome, granted ? wanted_.quantity : 0, wanted_.intended, self()});
}

void sale_order::tell_end() {
  sold_ = !state().granted;
  if (state().granted)
    staff_.tell(staff_.stocks[wanted_.product], confirm_units{self(), wanted_.order});
  staff_.tell(staff_.door, leave_shop{self(), wanted_.order});
}

void sale_order::on(const end_kept& m) {
  fault_point();
  (m.by == end_witness::door ? out_ : m.by == end_witness::stock ? sold_ : told_) = true;
  if (!out_ || !sold_ || !told_)
    return;
  forget();
  stop();
}

// -- the stock ---------------------------------------------------------------------------------------------------------

sale_stock::sale_stock(sale_staff* staff, const std::string& product, std::int64_t opening_stock)
    : journaled_actor{"stock/" + product, {.figures = {.available = opening_stock}}}, staff_{*staff} {}

sale_stock::effect<> sale_stock::on(const hold_units& m) {
  fault_point();
  const bool again = holds(m.order);
  const bool granted = again || state().figures.available >= m.quantity;
  effect<> result;
  if (granted && !again)
    result.and_event(units_held{m.order, m.quantity});
  return std::move(result).then([this, &m, granted] { staff_.tell(m.from, hold_answer{granted}); });
}

sale_stock::effect<> sale_stock::on(const confirm_units& m) {
  fault_point();
  effect<> sold;
  if (holds(m.order))
    sold.and_event(units_sold{m.order});
  return std::move(sold).then([&m] { m.from.tell(end_kept{end_witness::stock}); });
}

sale_stock_figures sale_stock::on(const inspect_shelf&) {
  fault_point();
  return state().figures;
}

void sale_stock::apply(sale_stock_state& s, const units_held& e) {
  s.figures.available -= e.quantity;
  s.figures.held += e.quantity;
  s.holds.push_back(e);
}

void sale_stock::apply(sale_stock_state& s, const units_sold& e) {
  const auto found = std::find_if(s.holds.begin(), s.holds.end(), [&](const auto& h) { return h.order == e.order; });
  s.figures.held -= found->quantity;
  s.figures.sold += found->quantity;
  s.holds.erase(found);
}

bool sale_stock::holds(std::uint64_t order) const {
  return std::any_of(state().holds.begin(), state().holds.end(), [&](const auto& h) { return h.order == order; });
}

// -- the customers -----------------------------------------------------------------------------------------------------

void sale_crowd::on(const sale_answer& a) {
  fault_point();
  take_note(a);
  if (!a.from)
    return;
  {
    const std::lock_guard lock{staff_.telling};
    staff_.answered.insert(a.order);
  }
  a.from.tell(end_kept{end_witness::customer});
}

void sale_crowd::take_note(const sale_answer& a) {
  if (a.outcome == sale_outcome::sold)
    staff_.told.add("sold " + std::to_string(a.order) + " " + std::to_string(a.units));
  if (staff_.record == nullptr) { // he came in an earlier process
    if (staff_.told_late.insert(a.order).second)
      --staff_.left_over;
    return;
  }
  if (staff_.record->has_answer(a.order)) // told again after a failure
    return;
  if (a.outcome == sale_outcome::sold && staff_.on_sold)
    staff_.on_sold(a); // first: once the last answer is noted, the phase is over
  staff_.record->note(a.order, a.outcome, a.units, now() - a.intended);
  if (staff_.in_closed_loop)
    send_next();
}

void sale_crowd::on(const open_doors& m) {
  fault_point();
  for (std::uint64_t i = 0; i < m.outstanding; ++i)
    send_next();
}

sale_latencies sale_crowd::on(const ask_latencies&) {
  fault_point();
  const auto ms = [this](double quantile) {
    return static_cast<double>(staff_.record->accepted().value_at(quantile).count()) / 1000.0;
  };
  return {ms(0.5), ms(0.99)};
}

void sale_crowd::send_next() {
  sale_record& r = *staff_.record;
  const std::uint64_t n = r.sent;
  if (r.closing || n == r.orders())
    return;
  const std::uint64_t order = r.first() + n;
  r.sent = n + 1;
  staff_.tell(staff_.door, staff_.order_of(order, now()));
}

} // namespace order_simulation
