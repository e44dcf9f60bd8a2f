// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mix.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>

/// The names of things in a shop: small integers, so that a message that names something costs nothing.
///
/// Ids begin at 1 and are dense: a directory keeps what they name in arrays.

namespace troupe::commerce {

/// One request of a client, unique among all requests of the shop; 0 is none. Sent again, it has the same effect once.
using transaction_id = std::uint64_t;

struct customer_id {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(customer_id, customer_id) noexcept = default;
};

struct seller_id {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(seller_id, seller_id) noexcept = default;
};

/// The products of a seller are numbered from 1.
struct product_key {
  seller_id seller{};
  std::uint32_t number = 0;
  friend constexpr auto operator<=>(product_key, product_key) noexcept = default;
};

/// The orders of a customer are numbered from 1, without gaps.
struct order_key {
  customer_id customer{};
  std::uint32_t number = 0;
  friend constexpr auto operator<=>(order_key, order_key) noexcept = default;
};

constexpr std::uint64_t hash_of(customer_id c) noexcept { return mix(c.value + 0x9e3779b97f4a7c15); }
constexpr std::uint64_t hash_of(product_key p) noexcept {
  return mix((std::uint64_t{p.seller.value} << 32 | p.number) + 0x3c6ef372fe94f82b);
}
constexpr std::uint64_t hash_of(order_key o) noexcept {
  return mix((std::uint64_t{o.customer.value} << 32 | o.number) + 0xdaa66d2c7ddf743f);
}
/// Of an order and a part of it, or a number that goes with it.
constexpr std::uint64_t hash_of(order_key o, std::uint64_t part) noexcept { return mix(hash_of(o) ^ mix(part + 1)); }
/// Of an order's dealings with one of its sellers.
constexpr std::uint64_t hash_of(order_key o, seller_id s) noexcept { return hash_of(o, std::uint64_t{s.value}); }
/// Of the package for an order's line.
constexpr std::uint64_t package_hash(order_key o, std::size_t line, product_key item) noexcept {
  return hash_of(o, hash_of(item) + line);
}

/// A set of things that are gone or elsewhere, in 16 bytes: how many, and a checksum that depends on each but not on
/// their order. Two actors that have seen the same things have equal tallies; different ones almost never (2^-64).
struct tally {
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;

  constexpr void add(std::uint64_t hash) noexcept {
    ++count;
    checksum += hash;
  }
  constexpr tally& operator+=(const tally& x) noexcept {
    count += x.count;
    checksum += x.checksum;
    return *this;
  }
  friend constexpr bool operator==(const tally&, const tally&) noexcept = default;
};

} // namespace troupe::commerce
