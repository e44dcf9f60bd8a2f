// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>
#include <troupe/commerce/retry.hpp>
#include <troupe/patterns/growing_pause.hpp>
#include <troupe/patterns/turnstile.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::commerce {

/// An order that is neither delivered nor failed.
struct order_record {
  std::uint32_t number = 0;
  transaction_id tid = 0;
  order_status status = order_status::invoiced;
  payment_method method{};
  line_set taken = 0; ///< Of the lines that were asked for; `lines` are these.
  order_totals totals{};
  std::vector<order_line> lines;
  std::array<status_change, 6> history{}; ///< One entry per status it has had.
  std::uint8_t changes = 0;
  TROUPE_JSON(order_record, number, tid, status, method, taken, totals, lines, history, changes)
};

struct order_state {
  struct answered {
    transaction_id tid = 0;
    order_answer answer{};
    TROUPE_JSON(answered, tid, answer)
  };

  std::uint32_t last_number = 0;
  std::vector<order_record> open; ///< By number.

  // Orders of the past, in bounded memory.
  tally invoiced; ///< All that were given a number.
  tally paid;
  tally failed;
  tally delivered;
  std::uint64_t packages_delivered = 0; ///< Of delivered orders.
  money paid_total{};
  tally parts_invoiced; ///< Of each order with each of its sellers.
  tally parts_paid;
  tally parts_delivered;
  tally packages_paid;              ///< Of each line of each paid order.
  std::uint64_t units_checksum = 0; ///< Over the lines of paid orders: quantity times hash of the product.

  std::uint64_t out_of_order = 0; ///< Moves that skip a step.
  std::uint64_t history_entries = 0;
  std::uint64_t history_broken = 0; ///< Entries earlier than the one before.
  recent<answered, 4> answers;      ///< Four: a customer has few transactions under way at a time.
  static constexpr std::string_view journal_name = "order_state";
  TROUPE_JSON(order_state, last_number, open, invoiced, paid, failed, delivered, packages_delivered, paid_total,
              parts_invoiced, parts_paid, parts_delivered, packages_paid, units_checksum, out_of_order, history_entries,
              history_broken, answers)
};

struct order_query {
  using reply = order_state;
};

struct order_invoiced {
  transaction_id tid = 0;
  payment_method method{};
  line_set taken = 0;
  customer_id customer{};
  moment at{};
  std::vector<order_line> lines;
  static constexpr std::string_view journal_name = "order_invoiced";
  TROUPE_JSON(order_invoiced, tid, method, taken, customer, at, lines)
};
struct order_refused {
  transaction_id tid = 0;
  static constexpr std::string_view journal_name = "order_refused";
  TROUPE_JSON(order_refused, tid)
};
/// A step of an order. To be delivered straight after `ready_for_shipment` is to be in transit at the same moment.
struct order_progressed {
  customer_id customer{};
  std::uint32_t number = 0;
  order_status status{};
  moment at{};
  static constexpr std::string_view journal_name = "order_progressed";
  TROUPE_JSON(order_progressed, customer, number, status, at)
};
/// What a failed payment calls for is done.
struct order_compensated {
  customer_id customer{};
  std::uint32_t number = 0;
  static constexpr std::string_view journal_name = "order_compensated";
  TROUPE_JSON(order_compensated, customer, number)
};
struct order_misordered {
  static constexpr std::string_view journal_name = "order_misordered";
  friend void to_json(nlohmann::json& j, const order_misordered&) { j = nlohmann::json::object(); }
  friend void from_json(const nlohmann::json&, order_misordered&) {}
};

/// To itself: go on with what a restart or a silent partner has interrupted.
struct resume_orders {};

/// One customer's orders. Placing one is a transaction over many actors, which this actor leads:
///
///     step                                    kept as           if it is interrupted
///     1 reserve every line, in parallel       -                 reserved again, with the same answer
///     2 give a number, bill what is in stock  order_invoiced    (nothing in stock: order_refused, the end)
///     3 tell each seller his part; meanwhile  -                 told again
///     4 let the payment pay                   order_progressed  asked again: paid at most once
///     5 confirm stock, tell sellers, customer -                 told again
///     6 let the shipment ship                 -                 asked again: shipped once
///     4' not paid: cancel reservations, void  order_compensated told again, to the end
///        the sellers' parts, tell customer
///
/// Every step is one that its receiver recognises when it is repeated, so the transaction may be interrupted anywhere
/// and begun again from the last thing kept: by its asker, who gets an error at once, or by this actor itself, after
/// pauses that grow. A transaction is worked at by one handler at a time; who asks for it meanwhile waits for that one's
/// end. Steps 3 and 4 are known to have been handled before 4 is kept, and each other one before the next begins; so
/// nobody hears of a payment before he has heard of the invoice.
///
///     place_order    order_answer
///     order_moved    -
///     resume_orders  -
///     order_query    order_state
///
/// Key: the transaction. Recognises open orders and the last 4 answers.
class order final : public journaled_actor<
                        order, order_state,
                        events<order_invoiced, order_refused, order_progressed, order_compensated, order_misordered>,
                        place_order, order_moved, resume_orders, order_query> {
public:
  static constexpr std::size_t snapshot_every = 16;

  order(customer_id who, std::shared_ptr<const directory> shop, retry_policy policy = {});

  task<order_answer> on(const place_order& m);
  effect<> on(const order_moved& m) const;
  task<void> on(const resume_orders&);
  order_state on(const order_query&) const { return state(); }

  static void apply(order_state& s, const order_invoiced& e);
  static void apply(order_state& s, const order_refused& e);
  static void apply(order_state& s, const order_progressed& e);
  static void apply(order_state& s, const order_compensated& e);
  static void apply(order_state& s, const order_misordered&) { ++s.out_of_order; }

private:
  order_key key(std::uint32_t number) const noexcept { return {who_, number}; }
  const order_record* find(std::uint32_t number) const;
  const order_record* find_transaction(transaction_id tid) const;
  /// Null if the transaction is still under way.
  const order_answer* answered(transaction_id tid) const;
  static order_answer answer_of(const order_record& r, customer_id who);

  task<bool> reserve(const place_order& m);
  task<bool> fulfil(std::uint32_t number);
  task<bool> invoice_and_pay(std::uint32_t number);
  task<bool> settle(std::uint32_t number, bool again);
  task<bool> ship(std::uint32_t number);
  task<bool> compensate(std::uint32_t number, bool again);
  moment moment_after(const order_record& r) const;
  void try_later();

  const customer_id who_;
  const std::shared_ptr<const directory> shop_;
  const retry_policy policy_;
  turnstile<transaction_id> under_way_;
  growing_pause pauses_; ///< Before it goes on by itself.
};

} // namespace troupe::commerce
