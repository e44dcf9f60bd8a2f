// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/money.hpp>

#include <cstdint>
#include <span>

namespace troupe::commerce {

/// One product of one seller at one price: in a cart that was checked out, or as an update of the seller's.
struct priced_item {
  std::uint32_t number = 0; ///< Of the product.
  std::uint64_t version = 0;
  money price{};
};

/// Counts where a cart shows an update but not one that the same seller made before it: 0 under causal replication.
///
/// `updates` are those of one seller, newest first; `cart` are the items of that seller in one cart, in the cart's
/// order. The procedure of the Online Marketplace benchmark's driver: for each item, the newest update that it shows is
/// the pivot; an item before it in the cart must show what the updates before the pivot have made of it. Like the
/// original, it never looks at the oldest update, and it takes an item that is fresher than a later item's pivot for
/// an anomaly: hand it the items by the age of what they show, oldest first, to count the stale ones alone.
std::uint64_t count_anomalies(std::span<const priced_item> updates, std::span<const priced_item> cart);

} // namespace troupe::commerce
