// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace_recovery.hpp"

#include "ask_all.hpp"

#include <algorithm>

namespace order_simulation {

namespace {

using namespace troupe::commerce;

class recovery {
public:
  recovery(marketplace_plan& plan, const std::vector<std::shared_ptr<driver_book>>& books)
      : plan_{plan}, books_{books} {}

  void run() {
    over_.resize(books_.size());
    ask_all(plan_.shop.diaries, diary_query{}, [&](std::size_t i, const diary_state& s) {
      over_[i] = s.over;
      books_[i]->sums = s.sums;
    });
    ask_all(plan_.shop.carts, cart_query{}, [&](std::size_t i, const cart_state& s) { take(i, s); });
    ask_all(plan_.shop.products, product_query{}, [&](std::size_t i, const product_state& s) { take(i, s); });
    ask_all(plan_.shop.sellers, seller_query{}, [&](std::size_t, seller_state s) {
      std::ranges::stable_sort(s.prices, std::ranges::greater{}, &seller_state::list_price::sequence);
      auto& items = plan_.found.emplace_back();
      for (const auto& p : s.prices)
        items.push_back({p.number, p.version, p.price});
    });
  }

private:
  bool is_over(transaction_id tid) const { return over_[ended_transactions::driver_of(tid)].contains(tid); }

  driver_book& book_of(transaction_id tid) { return *books_[ended_transactions::driver_of(tid)]; }

  void take(std::size_t i, const cart_state& s) {
    client_slot left;
    left.kind = transaction_kind::checkout;
    left.customer = i;
    if (s.session != 0 && is_over(s.session)) {
      plan_.shop.carts[i].tell(abandon_cart{s.session}); // it was to be, when the process ended
      return;
    }
    if (s.session != 0) {
      left.tid = s.session;
      left.lines = s.items;
      left.priced_before = s.sent != 0;
    } else {
      s.answers.for_each([&](const cart_state::answered& a) { left.tid = is_over(a.tid) ? left.tid : a.tid; });
    }
    if (left.tid == 0)
      return;
    auto& b = book_of(left.tid);
    std::erase(b.idle_customers, static_cast<std::uint32_t>(i));
    b.recovered.push_back(std::move(left));
  }

  void take(std::size_t i, const product_state& s) {
    auto& shown = plan_.shown[i];
    shown.price = s.price.cents;
    shown.version = s.version;
    product_state::update last;
    s.updates.for_each([&](const product_state::update& u) { last = u; });
    if (last.tid == 0 || is_over(last.tid))
      return;
    client_slot left;
    left.kind = last.tid == s.version ? transaction_kind::product_update : transaction_kind::price_update;
    left.tid = last.tid;
    left.product = i;
    left.price = s.price;
    shown.updating = true;
    book_of(last.tid).recovered.push_back(std::move(left));
  }

  marketplace_plan& plan_;
  const std::vector<std::shared_ptr<driver_book>>& books_;
  std::vector<ended_transactions> over_; // by driver
};

} // namespace

void recover(marketplace_plan& plan, const std::vector<std::shared_ptr<driver_book>>& books) {
  recovery{plan, books}.run();
}

} // namespace order_simulation
