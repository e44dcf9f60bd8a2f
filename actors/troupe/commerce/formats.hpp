// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/keys.hpp>
#include <troupe/commerce/money.hpp>
#include <troupe/commerce/order_line.hpp>
#include <troupe/commerce/order_status.hpp>
#include <troupe/commerce/recent.hpp>

#include <troupe/journal/format.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

/// How the shop's values are written into journals. What every record holds is short: keys, amounts and tallies are
/// numbers or pairs of them.
///
///     money         cents
///     product_key   [seller, number]
///     order_key     [customer, number]
///     tally         [count, checksum]
///     moment        microseconds since 1970-01-01 UTC
///     recent        an array, oldest first
///
///     price_quote   [version, cents], [] if there is none
///
/// An enumeration is written as its number: new values go to the end.

namespace troupe::commerce {

template <class A, class B>
void write_json_pair(json_text& out, const A& a, const B& b) {
  out += '[';
  troupe::detail::append_json(out, a);
  out += ',';
  troupe::detail::append_json(out, b);
  out += ']';
}

inline void to_json(nlohmann::json& j, money m) { j = m.cents; }
inline void from_json(const nlohmann::json& j, money& m) { read_json(j, m.cents); }
inline void write_json(json_text& out, money m) { troupe::detail::append_json(out, m.cents); }

inline void to_json(nlohmann::json& j, customer_id c) { j = c.value; }
inline void from_json(const nlohmann::json& j, customer_id& c) { read_json(j, c.value); }
inline void write_json(json_text& out, customer_id c) { troupe::detail::append_json(out, c.value); }

inline void to_json(nlohmann::json& j, seller_id s) { j = s.value; }
inline void from_json(const nlohmann::json& j, seller_id& s) { read_json(j, s.value); }
inline void write_json(json_text& out, seller_id s) { troupe::detail::append_json(out, s.value); }

inline void to_json(nlohmann::json& j, product_key p) { j = nlohmann::json::array({p.seller.value, p.number}); }
inline void from_json(const nlohmann::json& j, product_key& p) {
  read_json(j.at(0), p.seller);
  read_json(j.at(1), p.number);
}
inline void write_json(json_text& out, product_key p) { write_json_pair(out, p.seller.value, p.number); }

inline void to_json(nlohmann::json& j, order_key o) { j = nlohmann::json::array({o.customer.value, o.number}); }
inline void from_json(const nlohmann::json& j, order_key& o) {
  read_json(j.at(0), o.customer);
  read_json(j.at(1), o.number);
}
inline void write_json(json_text& out, order_key o) { write_json_pair(out, o.customer.value, o.number); }

inline void to_json(nlohmann::json& j, const tally& t) { j = nlohmann::json::array({t.count, t.checksum}); }
inline void from_json(const nlohmann::json& j, tally& t) {
  read_json(j.at(0), t.count);
  read_json(j.at(1), t.checksum);
}
inline void write_json(json_text& out, const tally& t) { write_json_pair(out, t.count, t.checksum); }

inline void to_json(nlohmann::json& j, moment m) { j = m.us; }
inline void from_json(const nlohmann::json& j, moment& m) { read_json(j, m.us); }
inline void write_json(json_text& out, moment m) { troupe::detail::append_json(out, m.us); }

TROUPE_JSON_OUTSIDE(status_change, status, at)
TROUPE_JSON_OUTSIDE(order_line, item, version, unit_price, freight, voucher, quantity)
TROUPE_JSON_OUTSIDE(order_totals, items, goods, incentive, amount, freight, invoice)

template <class T, std::size_t N>
void to_json(nlohmann::json& j, const recent<T, N>& r) {
  j = nlohmann::json::array();
  r.for_each([&](const T& x) { j.push_back(x); });
}
template <class T, std::size_t N>
void from_json(const nlohmann::json& j, recent<T, N>& r) {
  r = {};
  for (const auto& x : j)
    r.add(troupe::detail::read_json_as<T>(x));
}
template <class T, std::size_t N>
void write_json(json_text& out, const recent<T, N>& r) {
  char before = '[';
  r.for_each([&](const T& x) {
    out += before;
    troupe::detail::append_json(out, x);
    before = ',';
  });
  out += before == '[' ? std::string_view{"[]"} : std::string_view{"]"};
}

} // namespace troupe::commerce
