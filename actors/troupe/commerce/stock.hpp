// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::commerce {

/// The units of one product, of which 0 <= reserved <= available at every moment.
struct stock_state {
  struct reservation {
    transaction_id tid = 0;
    std::uint32_t quantity = 0;
    TROUPE_JSON(reservation, tid, quantity)
  };
  struct settled_one {
    transaction_id tid = 0;
    bool confirmed = false;
    TROUPE_JSON(settled_one, tid, confirmed)
  };

  std::int64_t available = 0; ///< In the shelf, reserved ones included.
  std::int64_t reserved = 0;
  std::int64_t supplied = 0; ///< Opening stock and restocks: available + confirmed.
  std::int64_t confirmed = 0;
  std::uint64_t version = 0; ///< Of the product for sale.
  std::uint64_t revision = 0;
  std::uint32_t confirmations = 0;
  std::vector<reservation> held; ///< Not settled yet.
  /// Eight, because a repetition comes from a transaction still under way, and of those few meet at one product.
  recent<settled_one, 8> settled;
  recent<transaction_id, 2> restocks;
  static constexpr std::string_view journal_name = "stock_state";
  TROUPE_JSON(stock_state, available, reserved, supplied, confirmed, version, revision, confirmations, held, settled,
              restocks)
};

struct stock_query {
  using reply = stock_state;
};

struct units_reserved {
  transaction_id tid = 0;
  std::uint32_t quantity = 0;
  static constexpr std::string_view journal_name = "units_reserved";
  TROUPE_JSON(units_reserved, tid, quantity)
};
struct reservation_settled {
  transaction_id tid = 0;
  bool confirmed = false;
  static constexpr std::string_view journal_name = "reservation_settled";
  TROUPE_JSON(reservation_settled, tid, confirmed)
};
struct stock_version_set {
  std::uint64_t version = 0;
  std::uint64_t revision = 0;
  static constexpr std::string_view journal_name = "stock_version_set";
  TROUPE_JSON(stock_version_set, version, revision)
};
struct units_added {
  transaction_id tid = 0;
  std::uint32_t quantity = 0;
  static constexpr std::string_view journal_name = "units_added";
  TROUPE_JSON(units_added, tid, quantity)
};

/// One product's units: reserves them for orders, and sells or frees what is reserved.
///
///     reserve_units        stock_answer   in_stock | out_of_stock | unavailable (another version, or cancelled before)
///     confirm_reservation  settlement     done | opposite | unknown
///     cancel_reservation   settlement     done | opposite | unknown
///     set_stock_version    -
///     restock              -
///     stock_query          stock_state
///
/// Key: the transaction. Recognises all reservations that are held and the last 8 settled ones.
class stock final
    : public journaled_actor<stock, stock_state,
                             events<units_reserved, reservation_settled, stock_version_set, units_added>, reserve_units,
                             confirm_reservation, cancel_reservation, set_stock_version, restock, stock_query> {
public:
  static constexpr std::size_t snapshot_every = 32;

  /// Throws std::invalid_argument if `opening` is negative.
  stock(product_key item, std::int64_t opening);

  effect<stock_answer> on(const reserve_units& m) const;
  effect<settlement> on(const confirm_reservation& m) const { return settle(m.tid, true); }
  effect<settlement> on(const cancel_reservation& m) const { return settle(m.tid, false); }
  effect<> on(const set_stock_version& m) const;
  effect<> on(const restock& m) const;
  stock_state on(const stock_query&) const { return state(); }

  static void apply(stock_state& s, const units_reserved& e);
  static void apply(stock_state& s, const reservation_settled& e);
  static void apply(stock_state& s, const stock_version_set& e);
  static void apply(stock_state& s, const units_added& e);

private:
  effect<settlement> settle(transaction_id tid, bool confirm) const;
};

} // namespace troupe::commerce
