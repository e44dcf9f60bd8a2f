// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/keys.hpp>
#include <troupe/commerce/money.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace troupe::commerce {

/// Some quantity of one product, as a cart holds it and an order bills it.
struct order_line {
  product_key item{};
  std::uint64_t version = 0; ///< Of the product that the customer has seen: the transaction that replaced it last.
  money unit_price{};
  money freight{}; ///< Of the whole line.
  money voucher{}; ///< Reduces the whole line, at most to zero.
  std::uint32_t quantity = 0;

  friend bool operator==(const order_line&, const order_line&) = default;
};

/// Lines of one order, at most.
inline constexpr std::size_t order_lines_max = 64;

/// A set of an order's lines or packages: bit i is line i, counted from 0.
using line_set = std::uint64_t;
static_assert(order_lines_max <= 64);

constexpr line_set line_bit(std::size_t line) noexcept { return line_set{1} << line; }

/// The lines of a set, in their order. Those that there are not, are left out.
inline std::vector<order_line> chosen(const std::vector<order_line>& lines, line_set which) {
  std::vector<order_line> some;
  some.reserve(static_cast<std::size_t>(std::popcount(which)));
  for (; which != 0; which &= which - 1)
    if (const auto i = static_cast<std::size_t>(std::countr_zero(which)); i < lines.size())
      some.push_back(lines[i]);
  return some;
}

/// One seller's part of an order.
struct seller_part {
  seller_id seller{};
  line_set lines = 0;
};

/// The parts of an order, sellers in the order of their first line.
inline std::vector<seller_part> by_seller(std::span<const order_line> lines) {
  std::vector<seller_part> parts;
  parts.reserve(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto found = std::ranges::find(parts, lines[i].item.seller, &seller_part::seller);
    if (found == parts.end())
      parts.push_back({lines[i].item.seller, line_bit(i)});
    else
      found->lines |= line_bit(i);
  }
  return parts;
}

/// What the voucher is worth: never more than the goods cost.
constexpr money incentive_of(const order_line& l) noexcept {
  const auto goods = l.unit_price * l.quantity;
  return l.voucher < goods ? l.voucher : goods;
}

/// What an order, or a seller's part of one, comes to.
struct order_totals {
  std::uint32_t items = 0;
  money goods{};     ///< Unit prices times quantities ("total_items").
  money incentive{}; ///< What vouchers take off.
  money amount{};    ///< goods - incentive.
  money freight{};
  money invoice{}; ///< amount + freight: what is to be paid.

  constexpr void add(const order_line& l) noexcept {
    ++items;
    goods += l.unit_price * l.quantity;
    incentive += incentive_of(l);
    amount = goods - incentive;
    freight += l.freight;
    invoice = amount + freight;
  }
  friend constexpr bool operator==(const order_totals&, const order_totals&) noexcept = default;
};

constexpr order_totals totals_of(std::span<const order_line> lines) noexcept {
  order_totals sum;
  for (const auto& l : lines)
    sum.add(l);
  return sum;
}

} // namespace troupe::commerce
