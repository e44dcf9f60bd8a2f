// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/messages.hpp>
#include <troupe/commerce/recent.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <string_view>

namespace troupe::commerce {

struct customer_state {
  struct arrivals {
    std::uint32_t number = 0;
    line_set packages = 0;
    TROUPE_JSON(arrivals, number, packages)
  };

  std::uint32_t payments = 0;        ///< Orders paid.
  std::uint32_t failed_payments = 0; ///< Orders not paid.
  std::uint32_t deliveries = 0;      ///< Packages that have arrived.
  money spent{};
  /// Eight of each: a customer has few orders under way at a time.
  recent<std::uint32_t, 8> purchases;
  recent<arrivals, 8> orders;
  static constexpr std::string_view journal_name = "customer_state";
  TROUPE_JSON(customer_state, payments, failed_payments, deliveries, spent, purchases, orders)
};

struct customer_query {
  using reply = customer_state;
};

struct purchase_noted {
  std::uint32_t number = 0;
  bool paid = false;
  money amount{};
  static constexpr std::string_view journal_name = "purchase_noted";
  TROUPE_JSON(purchase_noted, number, paid, amount)
};
struct packages_arrived {
  std::uint32_t number = 0;
  line_set packages = 0;
  static constexpr std::string_view journal_name = "packages_arrived";
  TROUPE_JSON(packages_arrived, number, packages)
};

/// One customer's account of what he has bought.
///
///     note_purchase   -
///     note_arrival    -
///     customer_query  customer_state
///     begin_anew      -
///
/// Key: the order's number. Recognises the customer's last 8 orders.
class customer final : public journaled_actor<customer, customer_state, events<purchase_noted, packages_arrived>,
                                              note_purchase, note_arrival, customer_query, begin_anew> {
public:
  static constexpr std::size_t snapshot_every = 16;

  explicit customer(customer_id who);

  effect<> on(const note_purchase& m) const;
  effect<> on(const note_arrival& m) const;
  customer_state on(const customer_query&) const { return state(); }
  void on(const begin_anew&) { this->stop(); }

  static void apply(customer_state& s, const purchase_noted& e);
  static void apply(customer_state& s, const packages_arrived& e);
};

} // namespace troupe::commerce
