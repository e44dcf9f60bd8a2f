// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace_driver.hpp"

#include <troupe/commerce/retry.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;
using namespace troupe::commerce;
using troupe::growing_pause;
using troupe::pause;

// Each of its own transactions it repeats only when something has gone wrong, not because the shop is slow.
constexpr retry_policy persistence{.attempts = 30, .timeout = 60s, .pause_longest = 2s};
constexpr unsigned unfinished_max = 20;        // answers that are none
constexpr std::size_t baskets_max = 200'000;   // per driver, kept for the check of causality
constexpr std::uint64_t renewal_every = 5'000; // transactions of one driver
constexpr std::uint64_t first_renewal = 50;
constexpr std::size_t diary_batch = 16; // ends that go into the diary together

} // namespace

marketplace_driver::marketplace_driver(std::shared_ptr<driver_book> book, troupe::ref<marketplace_diary> diary)
    : book_{std::move(book)}, diary_{std::move(diary)} {
  auto& b = *book_;
  const bool open_loop = b.mean_gap_ns > 0;
  const auto slots = static_cast<std::uint32_t>(b.slots.size());
  b.window = incarnation() == 0 ? slots : std::max(b.window / 2, 1u);
  b.free_slots.clear();
  auto idle_to_wake = open_loop ? 0 : b.recovered.size() + (may_begin() ? b.quota : 0);
  for (std::uint32_t i = 0; i < slots; ++i) {
    const auto slot = (b.first_to_wake + i) % slots;
    if (b.slots[slot].active) {
      asleep_.push_back(slot);
    } else if (idle_to_wake > 0) {
      --idle_to_wake;
      asleep_.push_back(slot);
    } else if (open_loop) {
      b.free_slots.push_back(slot);
    }
  }
  wake_next();
  begin_arrived();
  if (!b.unwritten.empty())
    write_down();
  await_arrival();
  look_for_end();
}

/// One after the other, from where the incarnation before was, so that all of them get their turn.
void marketplace_driver::wake_next() {
  if (asleep_.empty() || at_work_ >= book_->window)
    return;
  const auto slot = asleep_.front();
  asleep_.pop_front();
  book_->first_to_wake = slot + 1;
  ++at_work_;
  go_on(slot);
}

bool marketplace_driver::may_begin() const {
  return book_->quota > 0 && !book_->plan.no_more.load(std::memory_order_relaxed);
}

/// Closed loop: nobody works any more. Open loop: nobody arrives any more either.
void marketplace_driver::look_for_end() {
  auto& b = *book_;
  const bool over = b.mean_gap_ns > 0 ? b.arrivals_over && b.backlog.empty() : !may_begin();
  if (!over || !b.recovered.empty())
    return;
  if (b.in_flight.load(std::memory_order_relaxed) == 0 && !b.unwritten.empty())
    write_down();
  if (!b.at_rest())
    return;
  b.finished = true;
}

// -- who is next ------------------------------------------------------------------------------------------------------

void marketplace_driver::on(const arrival_tick&) {
  fault_point();
  awaiting_ = false;
  note_arrivals();
  if (book_->in_flight.load(std::memory_order_relaxed) == 0 && !book_->unwritten.empty())
    write_down();
  begin_arrived();
  await_arrival();
  look_for_end();
}

/// Whatever has arrived by now goes to the backlog.
void marketplace_driver::note_arrivals() {
  auto& b = *book_;
  const auto t = now();
  if (b.next_arrival == troupe::time_point{})
    b.next_arrival = t;
  for (; !b.arrivals_over && b.next_arrival <= t;) {
    if (b.quota <= b.backlog.size() || b.plan.no_more) {
      b.arrivals_over = true;
      break;
    }
    b.backlog.push_back(b.next_arrival);
    const double unit = static_cast<double>((b.random() >> 11) + 1) * 0x1p-53; // (0, 1]
    b.next_arrival += std::chrono::nanoseconds{static_cast<std::int64_t>(-std::log(unit) * b.mean_gap_ns)};
  }
  b.arrivals_over = b.arrivals_over || b.plan.no_more;
}

void marketplace_driver::begin_arrived() {
  auto& b = *book_;
  while (!b.backlog.empty() && !b.free_slots.empty() && has_room()) {
    const auto slot = b.free_slots.back();
    b.free_slots.pop_back();
    b.draw(b.slots[slot], b.backlog.front());
    b.backlog.pop_front();
    ++at_work_;
    go_on(slot);
  }
}

/// Only while somebody could begin: a driver that has its hands full is not to fail at its clock.
void marketplace_driver::await_arrival() {
  const auto& b = *book_;
  if (b.mean_gap_ns == 0 || b.arrivals_over || b.free_slots.empty() || !has_room() || std::exchange(awaiting_, true))
    return;
  constexpr std::chrono::nanoseconds least = 1ms, most = 100ms; // the end of all arrivals comes unannounced
  after(std::clamp(b.next_arrival - now(), least, most), arrival_tick{});
}

/// Gives the client its next transaction, if there is one.
bool marketplace_driver::take_up(client_slot& s) {
  auto& b = *book_;
  if (!b.recovered.empty()) {
    b.take_up(s, now());
    return true;
  }
  if (b.mean_gap_ns == 0) {
    if (!may_begin())
      return false;
    b.draw(s, now());
    return true;
  }
  if (b.backlog.empty()) {
    b.free_slots.push_back(static_cast<std::uint32_t>(&s - b.slots.data()));
    return false;
  }
  b.draw(s, b.backlog.front());
  b.backlog.pop_front();
  return true;
}

troupe::task<void> marketplace_driver::on(const client_turn& m) {
  if (m.incarnation != incarnation())
    co_return;
  auto& b = *book_;
  auto& s = b.slots[m.slot];
  fault_point();
  wake_next();
  if (!s.active && !take_up(s)) {
    --at_work_;
    let_others_work();
    co_return;
  }
  const bool answered = co_await run(s);
  b.end(s, now(), !answered);
  // Sooner if there are few customers besides those in the batch.
  if (b.unwritten.size() >= diary_batch || b.idle_customers.size() <= b.slots.size() + diary_batch)
    write_down();
  if (b.done.load(std::memory_order_relaxed) % renewal_every == first_renewal)
    renew_somebody();
  b.window = std::min(b.window + 1, static_cast<std::uint32_t>(b.slots.size()));
  if (b.mean_gap_ns == 0 || !b.backlog.empty()) {
    go_on(m.slot);
  } else {
    b.free_slots.push_back(m.slot);
    --at_work_;
  }
  let_others_work();
}

/// A client has come to rest, or the window has grown.
void marketplace_driver::let_others_work() {
  wake_next();
  begin_arrived();
  await_arrival();
  look_for_end();
}

/// What is not in the diary is done once more by the next process, which costs time and nothing else.
void marketplace_driver::write_down() {
  if (!std::exchange(writing_, true))
    self().tell(write_diary{});
}

/// While the diary writes, more ends come together.
troupe::task<void> marketplace_driver::on(const write_diary&) {
  fault_point();
  auto& b = *book_;
  if (std::exchange(in_diary_, true)) // a retried message, and one is at it already
    co_return;
  while (!b.unwritten.empty()) {
    note_ends some;
    for (const auto& u : b.unwritten)
      some.ends.push_back(u.end);
    if (co_await ask_persistently(self(), diary_, some, persistence))
      b.written(some.ends.size());
  }
  writing_ = in_diary_ = false;
  look_for_end();
}

/// Sellers and customers must be able to go at any moment without harm to the orders.
void marketplace_driver::renew_somebody() {
  auto& b = *book_;
  const auto& shop = b.plan.shop;
  shop.sellers[b.random() % shop.sellers.size()].tell(begin_anew{});
  shop.customers[b.random() % shop.customers.size()].tell(begin_anew{});
  b.renewals += 2;
}

// -- transactions -----------------------------------------------------------------------------------------------------

troupe::task<bool> marketplace_driver::run(client_slot& s) {
  s.sums = {};
  switch (s.kind) {
    case transaction_kind::checkout: co_return co_await check_out(s);
    case transaction_kind::dashboard: co_return co_await look(s);
    case transaction_kind::price_update:
    case transaction_kind::product_update: co_return co_await update(s);
    case transaction_kind::delivery: co_return co_await deliver(s);
  }
  co_return false;
}

troupe::task<bool> marketplace_driver::check_out(client_slot& s) {
  const auto& cart = book_->plan.shop.carts[s.customer];
  cart.tell(add_items{s.tid, s.lines});
  const checkout request{s.tid, s.tid, payment_method::credit_card};
  growing_pause pauses{persistence.pause, persistence.pause_longest};
  for (unsigned i = 0; i < unfinished_max; ++i) {
    const auto answer = co_await ask_persistently(self(), cart, request, persistence);
    if (!answer)
      break;
    if (answer->verdict != checkout_verdict::unfinished) {
      judge(s, *answer);
      co_return true;
    }
    co_await pause(self(), pauses.next(random()));
  }
  ++s.sums.orders_failed;
  cart.tell(abandon_cart{s.tid});
  co_return false;
}

void marketplace_driver::judge(client_slot& s, const checkout_answer& answer) {
  auto& b = *book_;
  if (answer.verdict != checkout_verdict::accepted) {
    ++s.sums.orders_rejected;
    b.plan.shop.carts[s.customer].tell(abandon_cart{s.tid});
    return;
  }
  b.plan.told.add(
      fmt::format("order {} {} {} {}", s.tid, answer.order.customer.value, answer.order.number, answer.total.cents));
  ++s.sums.orders_completed;
  s.sums.acknowledged.add(hash_of(answer.order));
  if (answer.repeated)
    return;
  ++s.sums.sessions_checked;
  for (const auto& l : answer.lines) {
    if (std::ranges::find(s.lines, l.item, &order_line::item) == s.lines.end())
      ++s.sums.sessions_mixed;
    // The lines of one seller, where he has several; once, at the first of them.
    const auto mine = [&](const order_line& x) { return x.item.seller == l.item.seller; };
    const bool first = &*std::ranges::find_if(answer.lines, mine) == &l;
    if (s.priced_before || !first || std::ranges::count_if(answer.lines, mine) < 2 || b.baskets.size() >= baskets_max)
      continue;
    bought_together basket{l.item.seller.value, {}};
    std::ranges::copy_if(answer.lines, std::back_inserter(basket.lines), mine);
    b.baskets.push_back(std::move(basket));
  }
}

troupe::task<bool> marketplace_driver::update(client_slot& s) {
  auto& b = *book_;
  const auto& product = b.plan.shop.products[s.product];
  const bool replace = s.kind == transaction_kind::product_update;
  const update_price price{s.tid, s.price};
  const replace_product other{s.tid, s.price, b.plan.shop.prices[s.product].freight};
  std::optional<update_place> place;
  if (replace) {
    if (const auto made = co_await ask_persistently(self(), product, other, persistence))
      place = *made;
  } else if (const auto made = co_await ask_persistently(self(), product, price, persistence)) {
    place = *made;
  }
  if (!place)
    co_return false;
  auto& shown = b.plan.shown[s.product];
  if (replace)
    shown.version = s.tid;
  shown.price = s.price.cents;
  const auto key = b.plan.shop.product(s.product);
  b.updates.push_back({key.seller.value, key.number, place->sequence, shown.version.load(), s.price});
  co_return true;
}

troupe::task<bool> marketplace_driver::look(client_slot& s) {
  const query_dashboard question;
  const auto shown = co_await ask_persistently(self(), book_->plan.shop.sellers[s.product], question, persistence);
  if (!shown)
    co_return false;
  ++s.sums.dashboards;
  if (shown->view != view_of(shown->entries))
    ++s.sums.dashboards_wrong;
  co_return true;
}

troupe::task<bool> marketplace_driver::deliver(client_slot& s) {
  const auto& desk = book_->plan.shop.desk(book_->number);
  const update_deliveries request{s.tid};
  growing_pause pauses{persistence.pause, persistence.pause_longest};
  for (unsigned i = 0; i < unfinished_max; ++i) {
    const auto answer = co_await ask_persistently(self(), desk, request, persistence);
    if (!answer)
      break;
    if (answer->complete)
      co_return true;
    co_await pause(self(), pauses.next(random()));
  }
  co_return false;
}

} // namespace order_simulation
