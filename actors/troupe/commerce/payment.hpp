// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>
#include <troupe/commerce/retry.hpp>
#include <troupe/patterns/growing_pause.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::commerce {

struct payment_state {
  struct record {
    std::uint32_t number = 0; ///< Of the order.
    bool paid = false;
    money amount{};
    std::uint32_t lines = 0; ///< One for the card or boleto, one per voucher.
    TROUPE_JSON(record, number, paid, amount, lines)
  };

  tally paid;
  tally refused;
  money total{}; ///< Of what was paid.
  std::uint64_t lines = 0;
  std::uint32_t abandoned = 0; ///< Refused because the provider did not answer in time.
  std::uint32_t refunds = 0;
  /// Eight: a customer has few orders under way at a time.
  recent<record, 8> records;
  std::vector<std::uint32_t> owed; ///< Orders given up on, of which the provider may have taken the money.
  static constexpr std::string_view journal_name = "payment_state";
  static constexpr int journal_version = 2; ///< Before, a record said whether it owed a refund.
  static void upcast(int from, nlohmann::json& j);
  TROUPE_JSON(payment_state, paid, refused, total, lines, abandoned, refunds, records, owed)
};

struct payment_query {
  using reply = payment_state;
};

struct payment_made {
  order_key order{};
  money amount{};
  std::uint32_t lines = 0;
  static constexpr std::string_view journal_name = "payment_made";
  TROUPE_JSON(payment_made, order, amount, lines)
};
struct payment_failed {
  order_key order{};
  money amount{};
  bool abandoned = false;
  static constexpr std::string_view journal_name = "payment_failed";
  TROUPE_JSON(payment_failed, order, amount, abandoned)
};
struct payment_refunded {
  std::uint32_t number = 0;
  static constexpr std::string_view journal_name = "payment_refunded";
  TROUPE_JSON(payment_refunded, number)
};

/// To itself: the provider still has to be told of a refund.
struct refund_due {};

/// How long a payment waits for its provider.
struct payment_patience {
  unsigned attempts = 3;
  std::chrono::milliseconds timeout{1'000}; ///< Of each attempt.
};

/// One customer's payments, through a provider that may decline, be slow, or not answer.
///
///     process_payment  payment_answer   paid | refused (declined, or no answer in time; what was taken is refunded)
///     payment_query    payment_state
///     refund_due       -
///
/// Key: the order's number. Recognises the last 8 orders, and keeps those that it owes a refund. Exclusive: one payment at a
/// time.
class payment final
    : public journaled_actor<payment, payment_state, events<payment_made, payment_failed, payment_refunded>,
                             process_payment, payment_query, refund_due> {
public:
  static constexpr bool exclusive = true;
  static constexpr std::size_t snapshot_every = 8;

  payment(customer_id who, provider_ref provider, payment_patience patience = {});

  task<payment_answer> on(const process_payment& m);
  payment_state on(const payment_query&) const { return state(); }
  task<void> on(const refund_due&);

  static void apply(payment_state& s, const payment_made& e);
  static void apply(payment_state& s, const payment_failed& e);
  static void apply(payment_state& s, const payment_refunded& e);

private:
  void try_refund_later();

  const customer_id who_;
  const provider_ref provider_;
  const payment_patience patience_;
  growing_pause refund_pauses_;
};

} // namespace troupe::commerce
