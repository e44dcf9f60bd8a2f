// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/keys.hpp>
#include <troupe/commerce/money.hpp>
#include <troupe/commerce/order_line.hpp>
#include <troupe/commerce/order_status.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

/// The protocol of the shop on one page; the questions about an actor's state stand beside that state.
///
/// Every message that changes something carries a key (a transaction or an order) by which its receiver recognises a
/// repetition and answers as before, without doing it again. So each may be sent again after a lost reply or a crash.

namespace troupe::commerce {

// -- to the cart ------------------------------------------------------------------------------------------------------

enum class cart_answer : std::uint8_t {
  added,
  in_cart_already, ///< The same product in the same session: nothing is changed.
  bad_quantity,    ///< 0.
  checking_out,    ///< The cart is on its way to become an order.
  other_session,   ///< The cart holds items of another session, which is neither checked out nor abandoned.
  session_over,    ///< The session was checked out or abandoned.
  full,            ///< It holds order_lines_max lines.
};

/// Puts a line into the cart. `session` is one visit of the customer.
struct add_item {
  using reply = cart_answer;
  transaction_id session = 0;
  order_line line{};
};

/// The same for many lines at once; those that add_item would refuse are left out.
struct add_items {
  using reply = std::uint32_t; ///< Lines added.
  transaction_id session = 0;
  std::vector<order_line> lines;
};

/// Empties the cart of that session, unless it is being checked out.
struct abandon_cart {
  transaction_id session = 0;
};

enum class checkout_verdict : std::uint8_t {
  accepted,
  out_of_stock,    ///< No line could be reserved. The cart is kept.
  payment_refused, ///< The cart is kept; the order has failed.
  nothing_to_buy,  ///< The cart is empty, or has another session's items.
  checking_out,    ///< By another transaction.
  unfinished,      ///< Not known yet: some actor does not answer. Ask again with the same transaction.
};

struct checkout_answer {
  checkout_verdict verdict = checkout_verdict::unfinished;
  order_key order{}; ///< Of an accepted or unpaid order.
  money total{};
  bool repeated = false;         ///< The transaction had been answered before.
  std::vector<order_line> lines; ///< What was ordered at what price; empty if repeated.
};

/// Turns the cart into an order, pays it and gets it ready for shipment.
struct checkout {
  using reply = checkout_answer;
  transaction_id tid = 0;
  transaction_id session = 0;
  payment_method method = payment_method::credit_card;
};

// -- to the order -----------------------------------------------------------------------------------------------------

struct order_answer {
  checkout_verdict verdict = checkout_verdict::unfinished;
  order_key order{};
  money total{};
  line_set taken = 0; ///< The lines that were in stock; the others are left out. 0 if repeated after long.
  TROUPE_JSON(order_answer, verdict, order, total, taken)
};

struct place_order {
  using reply = order_answer;
  transaction_id tid = 0;
  payment_method method = payment_method::credit_card;
  std::vector<order_line> lines;
};

/// From the shipment: the order has come so far. One step is told when the one before is confirmed.
struct order_moved {
  std::uint32_t number = 0;
  order_status status{};
  bool at_once = false; ///< Delivered: by one delivery, so that it was in transit with that, too.
};

// -- to the stock -----------------------------------------------------------------------------------------------------

enum class stock_answer : std::uint8_t {
  in_stock,     ///< Reserved, now or before, for this transaction.
  out_of_stock, ///< Not enough units.
  unavailable,  ///< The product was replaced: another version is for sale. Or the transaction was cancelled.
};

/// Sets units aside for the transaction.
struct reserve_units {
  using reply = stock_answer;
  transaction_id tid = 0;
  std::uint64_t version = 0;
  std::uint32_t quantity = 0;
};

enum class settlement : std::uint8_t {
  done,     ///< Now, or before.
  opposite, ///< Nothing is done: it was settled the other way before.
  unknown,  ///< Nothing is reserved for the transaction, or it was settled long ago.
};

/// The units are sold.
struct confirm_reservation {
  using reply = settlement;
  transaction_id tid = 0;
};

/// The units are for sale again; a later reservation of this transaction is refused.
struct cancel_reservation {
  using reply = settlement;
  transaction_id tid = 0;
};

/// From the product: it was replaced.
struct set_stock_version {
  std::uint64_t version = 0;
  std::uint64_t revision = 0; ///< Of the product: a late older one is ignored.
};

struct restock {
  transaction_id tid = 0;
  std::uint32_t quantity = 0;
};

// -- to the product ---------------------------------------------------------------------------------------------------

/// Where an update stands among all updates of the seller's products, counted from 1.
struct update_place {
  std::uint64_t sequence = 0;
};

struct update_price {
  using reply = update_place;
  transaction_id tid = 0;
  money price{};
};

/// Another product takes this one's place; its version is `tid`. Carts that hold the old one cannot reserve it.
struct replace_product {
  using reply = update_place;
  transaction_id tid = 0;
  money price{};
  money freight{};
};

// -- to the seller ----------------------------------------------------------------------------------------------------

/// From the product: its price, for the seller's list. Answered with its place among all updates.
struct publish_price {
  using reply = update_place;
  std::uint32_t number = 0; ///< Of the product.
  std::uint64_t revision = 0;
  std::uint64_t version = 0;
  money price{};
};

/// What the products of one seller cost at one moment: all answers come from the same state of the list.
struct price_quote {
  std::uint64_t version = 0;
  money price{};
  bool known = false;
};
inline void to_json(nlohmann::json& j, const price_quote& q) {
  j = nlohmann::json::array();
  if (q.known) {
    j.push_back(q.version);
    j.push_back(q.price);
  }
}
inline void from_json(const nlohmann::json& j, price_quote& q) {
  q = {};
  if (j.empty())
    return;
  read_json(j.at(0), q.version);
  read_json(j.at(1), q.price);
  q.known = true;
}
inline void write_json(json_text& out, const price_quote& q) {
  if (q.known)
    write_json_pair(out, q.version, q.price);
  else
    out += "[]";
}

/// One product's price: what a cart with one product of the seller needs.
struct quote_price {
  using reply = price_quote;
  std::uint32_t number = 0;
};

/// Products of one seller whose prices may be asked for at once, like lines of one order.
struct quote_prices {
  using reply = std::vector<price_quote>;
  std::vector<std::uint32_t> numbers; ///< The answer has as many entries, in the same order.
};

enum class seller_answer : std::uint8_t {
  noted,        ///< Now or before.
  out_of_order, ///< Refused: an earlier step is missing. Counted.
};

/// The seller's part of an order.
struct note_invoice {
  using reply = seller_answer;
  order_key order{};
  std::vector<order_line> lines;
  line_set packages = 0; ///< The lines' places in the order.
};

/// `again`, here and below: it may have been told before, so long ago that the order is over and forgotten.
struct note_payment {
  using reply = seller_answer;
  order_key order{};
  bool again = false;
};

/// The order was not paid.
struct void_invoice {
  using reply = seller_answer;
  order_key order{};
  bool again = false;
};

/// From the shipment, told in this order: ready, packages delivered (once or more), concluded.
struct note_ready {
  order_key order{};
  bool again = false;
};
struct note_packages {
  order_key order{};
  line_set packages = 0;
  bool concluded = false; ///< As by note_concluded, with that.
  bool again = false;
};
struct note_concluded {
  order_key order{};
  bool again = false;
};

// -- to the customer --------------------------------------------------------------------------------------------------

/// An order was paid, or was not.
struct note_purchase {
  std::uint32_t number = 0;
  bool paid = false;
  money amount{};
};

/// From the shipment: these packages of the order have arrived.
struct note_arrival {
  std::uint32_t number = 0;
  line_set packages = 0;
};

/// To a seller or customer: ends this incarnation in good order; its supervisor starts the next one, from the journal.
struct begin_anew {};

// -- to the payment ---------------------------------------------------------------------------------------------------

enum class payment_answer : std::uint8_t { paid, refused };

struct process_payment {
  using reply = payment_answer;
  std::uint32_t number = 0;
  payment_method method = payment_method::credit_card;
  std::uint8_t vouchers = 0; ///< Lines paid in part by a voucher.
  money amount{};
};

// -- to the payment provider ------------------------------------------------------------------------------------------

enum class charge_answer : std::uint8_t { approved, declined };

/// Takes the money for an order. The order is the idempotency key.
struct charge {
  using reply = charge_answer;
  order_key order{};
  payment_method method = payment_method::credit_card;
  money amount{};
};

/// Gives the money back if it was taken, and lets no charge of that order pass any more.
struct refund {
  order_key order{};
};

// -- to the shipment --------------------------------------------------------------------------------------------------

struct ship_order {
  order_key order{};
  money freight{};
  std::vector<product_key> packages; ///< One per line.
};

/// Delivers the oldest open packages of each seller among the ten oldest shipments of this partition.
struct deliver_oldest {
  using reply = std::uint32_t; ///< Packages delivered.
  transaction_id tid = 0;
};

/// What one of the transactions that share a round has delivered.
struct delivery_share {
  transaction_id tid = 0;
  std::uint32_t packages = 0;
};

/// Transactions that share a round, at most.
inline constexpr std::size_t round_members_max = 8;
/// The first so many are in use.
using delivery_shares = std::array<delivery_share, round_members_max>;

/// The same for some transactions, as if they came one after the other, and as a round through several partitions: each does
/// its part and passes the message to the next one.
struct delivery_round {
  std::uint64_t round = 0;   ///< The desk's own number for it.
  std::uint32_t desk = 0;    ///< Who is told at the end.
  std::uint32_t next = 0;    ///< The partition after this one.
  std::uint32_t left = 0;    ///< Partitions after this one.
  std::uint32_t members = 0; ///< Transactions.
  delivery_shares shares{};  ///< What they have delivered at the partitions before.
};

// -- to the delivery desk ---------------------------------------------------------------------------------------------

struct delivery_answer {
  std::uint32_t packages = 0;
  bool complete = false; ///< Else some partition has not answered in time: ask again with the same transaction.
};

/// Lets all partitions deliver.
struct update_deliveries {
  using reply = delivery_answer;
  transaction_id tid = 0;
};

/// One part of a round has come to its end.
struct round_ended {
  std::uint64_t round = 0;
  delivery_shares shares{};
};

} // namespace troupe::commerce
