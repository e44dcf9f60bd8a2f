// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>
#include <troupe/commerce/retry.hpp>
#include <troupe/patterns/growing_pause.hpp>
#include <troupe/patterns/turnstile.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::commerce {

struct cart_state {
  struct answered {
    transaction_id tid = 0;
    transaction_id session = 0;
    checkout_verdict verdict{};
    order_key order{};
    money total{};
    TROUPE_JSON(answered, tid, session, verdict, order, total)
  };

  transaction_id session = 0; ///< Of the items; 0: the cart is empty.
  transaction_id sent = 0;    ///< The checkout under way; 0: the cart is open.
  payment_method method{};    ///< Of that checkout.
  std::vector<order_line> items;
  std::vector<price_quote> quotes; ///< Of that checkout: each item's price in its seller's list.
  std::uint32_t checkouts = 0;     ///< Accepted ones.
  std::uint32_t refused = 0;
  recent<answered, 2> answers;    ///< Two: one session at a time, and the one before.
  recent<transaction_id, 2> over; ///< Sessions checked out or abandoned.
  static constexpr std::string_view journal_name = "cart_state";
  TROUPE_JSON(cart_state, session, sent, method, items, quotes, checkouts, refused, answers, over)
};

struct cart_query {
  using reply = cart_state;
};

struct items_added {
  transaction_id session = 0;
  std::vector<order_line> lines;
  static constexpr std::string_view journal_name = "items_added";
  TROUPE_JSON(items_added, session, lines)
};
struct cart_abandoned {
  static constexpr std::string_view journal_name = "cart_abandoned";
  friend void to_json(nlohmann::json& j, const cart_abandoned&) { j = nlohmann::json::object(); }
  friend void from_json(const nlohmann::json&, cart_abandoned&) {}
};
struct checkout_begun {
  transaction_id tid = 0;
  payment_method method{};
  std::vector<price_quote> quotes; ///< One for each item.
  static constexpr std::string_view journal_name = "checkout_begun";
  TROUPE_JSON(checkout_begun, tid, method, quotes)
};
struct checkout_ended {
  cart_state::answered answer{};
  static constexpr std::string_view journal_name = "checkout_ended";
  TROUPE_JSON(checkout_ended, answer)
};

/// To itself: a checkout that a restart has interrupted goes on even if nobody asks for it again.
struct resume_checkout {};

/// One customer's cart.
///
/// A checkout takes the prices from the sellers' lists: all prices of one seller from one state of his list, so that no
/// update is seen without those before it. They are kept before the order is asked for: whatever fails after that, the
/// checkout goes on with the same ones. A price that has risen since the item was added is made up for by a voucher;
/// one that has fallen is simply charged. An item whose product was replaced keeps its old version, and the stock
/// refuses it. Who asks for a checkout that is under way waits for its end.
///
///     add_item         cart_answer
///     add_items        uint32      lines added
///     abandon_cart     -
///     checkout         checkout_answer
///     resume_checkout  -
///     cart_query       cart_state
///
/// Keys: session and product for items, the transaction for a checkout (the last 2).
class cart final
    : public journaled_actor<cart, cart_state, events<items_added, cart_abandoned, checkout_begun, checkout_ended>,
                             add_item, add_items, abandon_cart, checkout, resume_checkout, cart_query> {
public:
  static constexpr std::size_t snapshot_every = 16;

  cart(customer_id who, std::shared_ptr<const directory> shop, retry_policy policy = {});

  effect<cart_answer> on(const add_item& m) const;
  effect<std::uint32_t> on(const add_items& m) const;
  effect<> on(const abandon_cart& m) const;
  task<checkout_answer> on(const checkout& m);
  task<void> on(const resume_checkout&);
  cart_state on(const cart_query&) const { return state(); }

  static void apply(cart_state& s, const items_added& e);
  static void apply(cart_state& s, const cart_abandoned& e);
  static void apply(cart_state& s, const checkout_begun& e);
  static void apply(cart_state& s, const checkout_ended& e);

private:
  cart_answer may_add(transaction_id session, const order_line& line) const;
  task<checkout_answer> finish_checkout(transaction_id tid);
  void try_later();
  task<bool> quote(std::vector<order_line> lines, std::vector<price_quote>& quotes);
  bool checking_out() const noexcept { return state().sent != 0 || quoting_ != 0; }

  const customer_id who_;
  const std::shared_ptr<const directory> shop_;
  const retry_policy policy_;
  transaction_id quoting_ = 0; ///< A checkout that asks for prices; 0: none.
  turnstile<transaction_id> under_way_;
  growing_pause pauses_; ///< Before it goes on by itself.
};

/// The line at today's price: what it rose by since the customer saw it becomes a voucher.
order_line at_price(order_line line, const price_quote& today);

} // namespace troupe::commerce
