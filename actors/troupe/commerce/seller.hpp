// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::commerce {

/// One line of an open order, as its seller sees it.
struct order_entry {
  order_key order{};
  product_key item{};
  std::uint32_t quantity = 0;
  std::uint8_t package = 0; ///< The line's place in the order.
  order_status status = order_status::invoiced;
  bool delivered = false;
  money unit_price{};
  money goods{};
  money incentive{};
  money freight{};
  moment invoiced_at{};
  moment shipped_at{};
  moment delivered_at{};

  money amount() const noexcept { return goods - incentive; }
  money invoice() const noexcept { return amount() + freight; }
  TROUPE_JSON(order_entry, order, item, quantity, package, status, delivered, unit_price, goods, incentive, freight,
              invoiced_at, shipped_at, delivered_at)
};

/// What a seller's open orders come to.
struct seller_view {
  std::uint32_t orders = 0; ///< Distinct ones.
  order_totals totals{};
  friend bool operator==(const seller_view&, const seller_view&) = default;
  TROUPE_JSON(seller_view, orders, totals)
};

/// The view recomputed from a list, in which the entries of an order stand together.
seller_view view_of(const std::vector<order_entry>& entries);

struct seller_state {
  struct list_price {
    std::uint32_t number = 0;
    std::uint64_t revision = 0;
    std::uint64_t version = 0;
    std::uint64_t sequence = 0;
    money price{};
    TROUPE_JSON(list_price, number, revision, version, sequence, price)
  };

  std::vector<order_entry> entries; ///< Of open orders, by arrival.
  seller_view view{};               ///< Of `entries`, kept up to date step by step.
  std::vector<list_price> prices;   ///< A replica of the products' prices.
  std::uint64_t updates = 0;        ///< Of prices and products.
  tally invoices;                   ///< Of each order with this seller.
  tally paid;
  tally voided;
  tally concluded;
  money revenue{};                ///< Of paid orders, freight included.
  std::uint64_t out_of_order = 0; ///< Notes that came before the one that must precede them.
  std::uint64_t steps = 0;        ///< Notes that came in order.
  /// Orders that are not open any more. 64: who repeats a note after more than moments says so.
  recent<order_key, 64> closed;
  static constexpr std::string_view journal_name = "seller_state";
  TROUPE_JSON(seller_state, entries, view, prices, updates, invoices, paid, voided, concluded, revenue, out_of_order,
              steps, closed)
};

struct seller_query {
  using reply = seller_state;
};

/// Two results that describe the same moment.
struct dashboard {
  seller_view view{};
  std::vector<order_entry> entries;
};
struct query_dashboard {
  using reply = dashboard;
};

struct invoice_noted {
  order_key order{};
  std::vector<order_entry> entries;
  static constexpr std::string_view journal_name = "invoice_noted";
  TROUPE_JSON(invoice_noted, order, entries)
};
struct seller_step_noted {
  order_key order{};
  order_status status{};
  line_set packages = 0; ///< Delivered by this step.
  moment at{};
  static constexpr std::string_view journal_name = "seller_step_noted";
  TROUPE_JSON(seller_step_noted, order, status, packages, at)
};
struct price_listed {
  std::uint32_t number = 0;
  std::uint64_t revision = 0;
  std::uint64_t version = 0;
  money price{};
  static constexpr std::string_view journal_name = "price_listed";
  TROUPE_JSON(price_listed, number, revision, version, price)
};
struct misorder_noted {
  static constexpr std::string_view journal_name = "misorder_noted";
  friend void to_json(nlohmann::json& j, const misorder_noted&) { j = nlohmann::json::object(); }
  friend void from_json(const nlohmann::json&, misorder_noted&) {}
};

/// One seller: the open orders of his products, and the price list that carts are checked out by.
///
/// Carts take all prices of one seller from one state of the list, and an update is answered only when the list has it:
/// a cart never shows the effect of an update without those that the seller made before it (causal replication).
///
///     note_invoice, note_payment, void_invoice   seller_answer   noted | out_of_order
///     note_ready, note_packages, note_concluded  -
///     quote_price, quote_prices                  price_quote(s)
///     publish_price                              update_place
///     query_dashboard                            dashboard
///     seller_query                               seller_state
///     begin_anew                                 -
///
/// Key: the order. Recognises all open orders and the last 64 closed ones, and takes what is told again for known if it has
/// no such order.
class seller final
    : public journaled_actor<seller, seller_state,
                             events<invoice_noted, seller_step_noted, price_listed, misorder_noted>, note_invoice,
                             note_payment, void_invoice, note_ready, note_packages, note_concluded, quote_price,
                             quote_prices, publish_price, query_dashboard, seller_query, begin_anew> {
public:
  static constexpr std::size_t snapshot_every = 128;

  /// The prices are those of the products 1, 2, ... before any update.
  explicit seller(seller_id who, const std::vector<money>& prices = {});

  effect<seller_answer> on(const note_invoice& m) const;
  effect<seller_answer> on(const note_payment& m) const;
  effect<seller_answer> on(const void_invoice& m) const;
  effect<seller_answer> on(const note_ready& m) const;
  effect<> on(const note_packages& m) const;
  effect<> on(const note_concluded& m) const;
  price_quote on(const quote_price& m) const { return quote(m.number); }
  std::vector<price_quote> on(const quote_prices& m) const;
  effect<update_place> on(const publish_price& m) const;
  dashboard on(const query_dashboard&) const { return {state().view, state().entries}; }
  seller_state on(const seller_query&) const { return state(); }
  void on(const begin_anew&) { this->stop(); }

  static void apply(seller_state& s, const invoice_noted& e);
  static void apply(seller_state& s, const seller_step_noted& e);
  static void apply(seller_state& s, const price_listed& e);
  static void apply(seller_state& s, const misorder_noted&) { ++s.out_of_order; }

private:
  const order_entry* open(order_key o) const;
  bool is_over(order_key o, bool again) const;
  price_quote quote(std::uint32_t number) const;
  effect<seller_answer> step(order_key o, order_status to, bool again) const;
};

} // namespace troupe::commerce
