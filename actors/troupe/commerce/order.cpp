// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/order.hpp>

#include <algorithm>
#include <bit>
#include <string>

namespace troupe::commerce {

namespace {

using stock_answers = std::vector<call<stock_ref, reserve_units>>;
using namespace std::chrono_literals;

constexpr auto resume_pause = 200ms; // whoever asked for the order will mostly ask again before
constexpr auto resume_pause_longest = 3s;

/// This actor has something to do for it: the shipment sees to the rest.
bool is_unfinished(const order_record& r) {
  return r.status < order_status::ready_for_shipment || r.status == order_status::payment_failed;
}

order_record* find_in(order_state& s, std::uint32_t number) {
  const auto found = std::ranges::find(s.open, number, &order_record::number);
  return found == s.open.end() ? nullptr : &*found;
}

} // namespace

order::order(customer_id who, std::shared_ptr<const directory> shop, retry_policy policy)
    : journaled_actor{"order/" + std::to_string(who.value)}, who_{who}, shop_{std::move(shop)}, policy_{policy},
      pauses_{resume_pause, resume_pause_longest} {
  if (std::ranges::any_of(state().open, is_unfinished))
    try_later();
}

// -- what is known ----------------------------------------------------------------------------------------------------

const order_record* order::find(std::uint32_t number) const {
  const auto& open = state().open;
  const auto found = std::ranges::find(open, number, &order_record::number);
  return found == open.end() ? nullptr : &*found;
}

const order_record* order::find_transaction(transaction_id tid) const {
  const auto& open = state().open;
  const auto found = std::ranges::find(open, tid, &order_record::tid);
  return found == open.end() ? nullptr : &*found;
}

const order_answer* order::answered(transaction_id tid) const {
  const auto* found = state().answers.find([&](const auto& a) { return a.tid == tid; });
  return found == nullptr ? nullptr : &found->answer;
}

order_answer order::answer_of(const order_record& r, customer_id who) {
  const auto verdict =
      r.status == order_status::payment_failed ? checkout_verdict::payment_refused : checkout_verdict::accepted;
  return {verdict, {who, r.number}, r.totals.invoice, r.taken};
}

/// Now, and not before the order's last step, though the clock may have been set back.
moment order::moment_after(const order_record& r) const {
  return std::max(moment_of(wall_now()), r.history[r.changes - 1u].at);
}

void order::try_later() { after("resume", pauses_.next(random()), resume_orders{}); }

// -- the transaction --------------------------------------------------------------------------------------------------

task<order_answer> order::on(const place_order& m) {
  if (const auto* before = answered(m.tid))
    co_return *before;
  if (m.lines.empty() || m.lines.size() > order_lines_max)
    co_return order_answer{checkout_verdict::nothing_to_buy, {}, {}, 0};
  fault_point();
  const auto mine = co_await under_way_.enter(self(), m.tid, order_patience);
  if (!mine)
    co_return order_answer{};
  if (const auto* before = answered(m.tid)) // by the one that was at it
    co_return *before;
  if (find_transaction(m.tid) == nullptr && !co_await reserve(m))
    co_return order_answer{};
  const auto* r = find_transaction(m.tid);
  if (r != nullptr) {
    const auto number = r->number;
    const auto answer = answer_of(*r, who_); // by the time that it is needed the order may be delivered and gone
    if (!co_await fulfil(number)) {
      try_later();
      co_return order_answer{};
    }
    r = find(number);
    if (r != nullptr)
      co_return answer_of(*r, who_);
    if (const auto* given = answered(m.tid))
      co_return *given;
    co_return answer;
  }
  const auto* given = answered(m.tid);
  co_return given != nullptr ? *given : order_answer{};
}

task<bool> order::reserve(const place_order& m) {
  stock_answers asked;
  asked.reserve(m.lines.size());
  for (const auto& l : m.lines)
    asked.emplace_back(shop_->stock(l.item), reserve_units{m.tid, l.version, l.quantity}, policy_);
  line_set taken = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto answer = co_await asked[i].answer.outcome();
    if (!answer) {
      const auto first = answer.error().code;
      answer = co_await ask_again(self(), *asked[i].to, asked[i].message, first, policy_);
    }
    if (!answer)
      co_return false; // what is reserved stays so until the transaction is repeated
    if (*answer == stock_answer::in_stock)
      taken |= line_bit(i);
  }
  if (taken == 0)
    co_await persist(order_refused{m.tid});
  else {
    order_invoiced made{m.tid, m.method, taken, who_, moment_of(wall_now()), chosen(m.lines, taken)};
    co_await persist(made);
  }
  co_return true;
}

/// From wherever it stands to its shipment, or to the end of what a failed payment calls for.
task<bool> order::fulfil(std::uint32_t number) {
  const auto* r = find(number);
  bool again = true;
  if (r != nullptr && r->status == order_status::invoiced) {
    if (!co_await invoice_and_pay(number))
      co_return false;
    r = find(number);
    again = false;
  }
  if (r != nullptr && r->status == order_status::payment_failed)
    co_return co_await compensate(number, again);
  if (r != nullptr && r->status == order_status::payment_processed) {
    if (!co_await settle(number, again))
      co_return false;
    co_return co_await ship(number);
  }
  co_return true;
}

/// The sellers hear of the invoice while the payment is made. That it was made is kept when all of them have heard.
task<bool> order::invoice_and_pay(std::uint32_t number) {
  const auto* r = find(number);
  const auto vouchers = std::ranges::count_if(r->lines, [](const auto& l) { return l.voucher > money{}; });
  const process_payment request{number, r->method, static_cast<std::uint8_t>(vouchers), r->totals.invoice};
  std::vector<call<seller_ref, note_invoice>> told;
  const auto parts = by_seller(r->lines);
  told.reserve(parts.size());
  for (const auto& [seller, which] : parts)
    told.emplace_back(shop_->seller(seller), note_invoice{key(number), chosen(r->lines, which), which}, policy_);
  // All are under way; from here on `r` may go.
  const auto answer = co_await ask_persistently(self(), shop_->of(who_).payment, request, patient(policy_));
  const bool known = co_await finish(self(), told, policy_);
  if (!answer || !known)
    co_return false;
  r = find(number);
  const auto next = *answer == payment_answer::paid ? order_status::payment_processed : order_status::payment_failed;
  const auto at = moment_after(*r);
  co_await persist(order_progressed{who_, number, next, at});
  co_return true;
}

task<bool> order::settle(std::uint32_t number, bool again) {
  const auto& r = *find(number);
  const auto parts = by_seller(r.lines);
  const note_purchase bought{number, true, r.totals.invoice};
  std::vector<call<stock_ref, confirm_reservation>> confirmed;
  confirmed.reserve(r.lines.size());
  for (const auto& l : r.lines)
    confirmed.emplace_back(shop_->stock(l.item), confirm_reservation{r.tid}, policy_);
  std::vector<call<seller_ref, note_payment>> told;
  told.reserve(parts.size());
  for (const auto& [seller, which] : parts)
    told.emplace_back(shop_->seller(seller), note_payment{key(number), again}, policy_);
  auto noted = shop_->of(who_).customer.ask(bought, policy_.timeout);
  // All are under way; now `r` may go.
  const bool sold = co_await finish(self(), confirmed, policy_);
  const bool known = co_await finish(self(), told, policy_);
  auto counted = co_await noted.outcome();
  if (!counted) {
    const auto first = counted.error().code;
    counted = co_await ask_again(self(), shop_->of(who_).customer, bought, first, policy_);
  }
  co_return sold&& known&& counted.has_value();
}

task<bool> order::ship(std::uint32_t number) {
  const auto* r = find(number);
  if (r == nullptr || r->status != order_status::payment_processed)
    co_return true;
  ship_order request{key(number), r->totals.freight, {}};
  request.packages.reserve(r->lines.size());
  for (const auto& l : r->lines)
    request.packages.push_back(l.item);
  // Not once more when this order has confirmed its shipment: the partition may forget it after that.
  const auto to_ship = [this, number] {
    const auto* o = find(number);
    return o != nullptr && o->status == order_status::payment_processed;
  };
  const auto& partition = shop_->shipment(shop_->partition_of(who_));
  const auto shipped = co_await ask_persistently(self(), partition, request, policy_, to_ship);
  co_return shipped.has_value() || !to_ship();
}

task<bool> order::compensate(std::uint32_t number, bool again) {
  const auto& r = *find(number);
  const note_purchase failed{number, false, r.totals.invoice};
  std::vector<call<stock_ref, cancel_reservation>> freed;
  for (const auto& l : r.lines)
    freed.emplace_back(shop_->stock(l.item), cancel_reservation{r.tid}, policy_);
  std::vector<call<seller_ref, void_invoice>> told;
  for (const auto& [seller, which] : by_seller(r.lines))
    told.emplace_back(shop_->seller(seller), void_invoice{key(number), again}, policy_);
  const bool free = co_await finish(self(), freed, policy_);
  const bool known = co_await finish(self(), told, policy_);
  const auto counted = co_await ask_persistently(self(), shop_->of(who_).customer, failed, policy_);
  if (!free || !known || !counted)
    co_return false;
  if (find(number) != nullptr)
    co_await persist(order_compensated{who_, number});
  co_return true;
}

task<void> order::on(const resume_orders&) {
  fault_point();
  if (!shop_->open()) {
    try_later();
    co_return;
  }
  struct left {
    std::uint32_t number;
    transaction_id tid;
  };
  std::vector<left> some;
  for (const auto& r : state().open)
    if (is_unfinished(r))
      some.push_back({r.number, r.tid});
  bool failed = false, all = true;
  for (const auto& x : some) {
    if (under_way_.taken(x.tid)) { // whoever is at it goes on, or tries later
      all = false;
      continue;
    }
    const auto mine = co_await under_way_.enter(self(), x.tid, order_patience);
    failed = !co_await fulfil(x.number) || failed;
  }
  if (failed)
    try_later();
  else if (all)
    pauses_.reset();
}

order::effect<> order::on(const order_moved& m) const {
  const auto* r = find(m.number);
  if (r == nullptr || r->status >= m.status)
    return {}; // told before
  fault_point();
  if (!may_follow(r->status, m.status) && !(m.at_once && r->status == order_status::ready_for_shipment))
    return {order_misordered{}};
  return {order_progressed{who_, m.number, m.status, moment_after(*r)}};
}

// -- events -----------------------------------------------------------------------------------------------------------

namespace {

void change(order_state& s, order_record& r, order_status to, moment at) {
  r.status = to;
  if (r.changes > 0 && at < r.history[r.changes - 1u].at)
    ++s.history_broken;
  ++s.history_entries;
  r.history[r.changes++] = {to, at};
}

void close_record(order_state& s, std::uint32_t number) {
  std::erase_if(s.open, [&](const auto& r) { return r.number == number; });
}

void add_parts(tally& to, order_key o, const order_record& r) {
  for (const auto& [seller, which] : by_seller(r.lines))
    to.add(hash_of(o, seller));
}

} // namespace

void order::apply(order_state& s, const order_invoiced& e) {
  order_record r;
  r.number = ++s.last_number;
  r.tid = e.tid;
  r.method = e.method;
  r.taken = e.taken;
  r.lines = e.lines;
  r.totals = totals_of(r.lines);
  const order_key o{e.customer, r.number};
  s.invoiced.add(hash_of(o));
  add_parts(s.parts_invoiced, o, r);
  change(s, r, order_status::invoiced, e.at);
  s.open.push_back(std::move(r));
}

void order::apply(order_state& s, const order_refused& e) {
  s.answers.add({e.tid, {checkout_verdict::out_of_stock, {}, {}, 0}});
}

void order::apply(order_state& s, const order_progressed& e) {
  auto* r = find_in(s, e.number);
  if (r == nullptr)
    return;
  if (e.status == order_status::delivered && r->status == order_status::ready_for_shipment)
    change(s, *r, order_status::in_transit, e.at); // by one delivery
  change(s, *r, e.status, e.at);
  const order_key o{e.customer, e.number};
  switch (e.status) {
    case order_status::payment_processed:
      s.paid.add(hash_of(o));
      s.paid_total += r->totals.invoice;
      add_parts(s.parts_paid, o, *r);
      for (std::size_t i = 0; i < r->lines.size(); ++i) {
        s.packages_paid.add(package_hash(o, i, r->lines[i].item));
        s.units_checksum += r->lines[i].quantity * hash_of(r->lines[i].item);
      }
      return;
    case order_status::ready_for_shipment: s.answers.add({r->tid, answer_of(*r, e.customer)}); return;
    case order_status::delivered:
      s.delivered.add(hash_of(o));
      s.packages_delivered += r->lines.size();
      add_parts(s.parts_delivered, o, *r);
      return close_record(s, e.number);
    case order_status::invoiced:
    case order_status::in_transit:
    case order_status::payment_failed: return;
  }
}

void order::apply(order_state& s, const order_compensated& e) {
  const auto* r = find_in(s, e.number);
  if (r == nullptr)
    return;
  s.failed.add(hash_of(order_key{e.customer, e.number}));
  s.answers.add({r->tid, answer_of(*r, e.customer)});
  close_record(s, e.number);
}

} // namespace troupe::commerce
