// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/cart.hpp>

#include <algorithm>
#include <bit>
#include <string>

namespace troupe::commerce {

namespace {

using namespace std::chrono_literals;

constexpr auto resume_pause = 300ms; // the client will mostly ask again before
constexpr auto resume_pause_longest = 3s;

std::vector<order_line> priced(std::vector<order_line> lines, const std::vector<price_quote>& today) {
  for (std::size_t i = 0; i < lines.size(); ++i)
    lines[i] = at_price(lines[i], today[i]);
  return lines;
}

std::size_t first_of(line_set lines) { return static_cast<std::size_t>(std::countr_zero(lines)); }

} // namespace

order_line at_price(order_line line, const price_quote& today) {
  if (!today.known || today.version != line.version)
    return line;
  if (today.price > line.unit_price)
    line.voucher += (today.price - line.unit_price) * line.quantity;
  line.unit_price = today.price;
  return line;
}

cart::cart(customer_id who, std::shared_ptr<const directory> shop, retry_policy policy)
    : journaled_actor{"cart/" + std::to_string(who.value)}, who_{who}, shop_{std::move(shop)}, policy_{policy},
      pauses_{resume_pause, resume_pause_longest} {
  if (state().sent != 0)
    try_later();
}

void cart::try_later() { after("resume", pauses_.next(random()), resume_checkout{}); }

cart_answer cart::may_add(transaction_id session, const order_line& line) const {
  const auto& s = state();
  if (line.quantity == 0)
    return cart_answer::bad_quantity;
  if (s.over.find([&](transaction_id t) { return t == session; }) != nullptr)
    return cart_answer::session_over;
  if (s.session != 0 && s.session != session)
    return checking_out() ? cart_answer::checking_out : cart_answer::other_session;
  if (std::ranges::find(s.items, line.item, &order_line::item) != s.items.end())
    return cart_answer::in_cart_already;
  if (checking_out())
    return cart_answer::checking_out;
  return s.items.size() == order_lines_max ? cart_answer::full : cart_answer::added;
}

cart::effect<cart_answer> cart::on(const add_item& m) const {
  const auto answer = may_add(m.session, m.line);
  if (answer != cart_answer::added)
    return answer;
  fault_point();
  return {answer, items_added{m.session, {m.line}}};
}

cart::effect<std::uint32_t> cart::on(const add_items& m) const {
  items_added added{m.session, {}};
  for (const auto& l : m.lines) {
    const bool twice = std::ranges::find(added.lines, l.item, &order_line::item) != added.lines.end();
    const bool room = state().items.size() + added.lines.size() < order_lines_max;
    if (!twice && room && may_add(m.session, l) == cart_answer::added)
      added.lines.push_back(l);
  }
  if (added.lines.empty())
    return 0u;
  fault_point();
  const auto n = static_cast<std::uint32_t>(added.lines.size());
  return {n, std::move(added)};
}

cart::effect<> cart::on(const abandon_cart& m) const {
  if (checking_out() || state().session != m.session)
    return {};
  fault_point();
  return {cart_abandoned{}};
}

task<checkout_answer> cart::on(const checkout& m) {
  fault_point();
  const auto mine = co_await under_way_.enter(self(), m.tid, order_patience);
  if (!mine)
    co_return checkout_answer{};
  const auto& s = state();
  if (const auto* before = s.answers.find([&](const auto& a) { return a.tid == m.tid; }))
    co_return checkout_answer{before->verdict, before->order, before->total, true, {}};
  if (const auto busy = s.sent != 0 ? s.sent : quoting_; busy != 0 && busy != m.tid)
    co_return checkout_answer{checkout_verdict::checking_out, {}, {}, false, {}};
  if (s.session == 0 || s.session != m.session)
    co_return checkout_answer{checkout_verdict::nothing_to_buy, {}, {}, false, {}};
  if (s.sent == 0) {
    quoting_ = m.tid;
    checkout_begun begun{m.tid, m.method, {}};
    const bool quoted = co_await quote(s.items, begun.quotes);
    quoting_ = 0;
    if (!quoted)
      co_return checkout_answer{};
    co_await persist(begun);
  }
  co_return co_await finish_checkout(m.tid);
}

task<checkout_answer> cart::finish_checkout(transaction_id tid) {
  const auto session = state().session;
  const place_order request{tid, state().method, priced(state().items, state().quotes)};
  const auto answer = co_await ask_persistently(self(), shop_->of(who_).order, request, patient(policy_));
  const auto placed = answer ? *answer : order_answer{};
  checkout_answer result{placed.verdict, placed.order, placed.total, false, {}};
  if (placed.verdict == checkout_verdict::unfinished) {
    try_later();
    co_return result;
  }
  pauses_.reset();
  result.lines = chosen(request.lines, placed.taken);
  checkout_ended ended{{tid, session, placed.verdict, placed.order, placed.total}};
  co_await persist(ended);
  co_return result;
}

/// The sellers' present prices, each seller's from one state of his list.
task<bool> cart::quote(std::vector<order_line> lines, std::vector<price_quote>& quotes) {
  quotes.resize(lines.size());
  std::vector<call<seller_ref, quote_price>> singles;
  std::vector<call<seller_ref, quote_prices>> several;
  const auto parts = by_seller(lines);
  singles.reserve(parts.size());
  for (const auto& [seller, which] : parts) {
    const auto& from = shop_->seller(seller);
    if (std::has_single_bit(which)) {
      singles.emplace_back(from, quote_price{lines[first_of(which)].item.number}, policy_);
      continue;
    }
    quote_prices wanted;
    for (auto left = which; left != 0; left &= left - 1)
      wanted.numbers.push_back(lines[first_of(left)].item.number);
    several.emplace_back(from, std::move(wanted), policy_);
  }
  // The answers come in the order of the questions.
  std::size_t single = 0, group = 0;
  for (const auto& part : parts) {
    if (std::has_single_bit(part.lines)) {
      auto& asked = singles[single++];
      auto answer = co_await asked.answer.outcome();
      if (!answer) {
        const auto first = answer.error().code;
        answer = co_await ask_again(self(), *asked.to, asked.message, first, policy_);
      }
      if (!answer)
        co_return false;
      quotes[first_of(part.lines)] = *answer;
      continue;
    }
    auto& asked = several[group++];
    auto answer = co_await asked.answer.outcome();
    if (!answer) {
      const auto first = answer.error().code;
      answer = co_await ask_again(self(), *asked.to, asked.message, first, policy_);
    }
    if (!answer)
      co_return false;
    auto left = part.lines;
    for (const auto& quote : *answer) {
      quotes[first_of(left)] = quote;
      left &= left - 1;
    }
  }
  co_return true;
}

task<void> cart::on(const resume_checkout&) {
  fault_point();
  if (!shop_->open()) {
    try_later();
    co_return;
  }
  const auto tid = state().sent;
  if (tid == 0 || under_way_.taken(tid)) // whoever is at it goes on, or tries later
    co_return;
  const auto mine = co_await under_way_.enter(self(), tid, order_patience);
  (void)co_await finish_checkout(tid);
}

// -- events -----------------------------------------------------------------------------------------------------------

void cart::apply(cart_state& s, const items_added& e) {
  s.session = e.session;
  s.items.insert(s.items.end(), e.lines.begin(), e.lines.end());
}

void cart::apply(cart_state& s, const cart_abandoned&) {
  s.over.add(s.session);
  s.session = 0;
  s.items.clear();
}

void cart::apply(cart_state& s, const checkout_begun& e) {
  if (s.sent == e.tid)
    return; // two requests at a time: the prices of the first count
  s.sent = e.tid;
  s.method = e.method;
  s.quotes = e.quotes;
}

void cart::apply(cart_state& s, const checkout_ended& e) {
  s.answers.add(e.answer);
  s.sent = 0;
  s.quotes.clear();
  if (e.answer.verdict != checkout_verdict::accepted) {
    ++s.refused;
    return; // the customer keeps his items
  }
  ++s.checkouts;
  s.over.add(s.session);
  s.session = 0;
  s.items.clear();
}

} // namespace troupe::commerce
