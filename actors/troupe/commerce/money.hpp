// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>

namespace troupe::commerce {

/// An amount of money in cents; never a float. Sums of up to 9.2e16 units of currency do not overflow.
struct money {
  std::int64_t cents = 0;

  constexpr money& operator+=(money x) noexcept {
    cents += x.cents;
    return *this;
  }
  constexpr money& operator-=(money x) noexcept {
    cents -= x.cents;
    return *this;
  }
  friend constexpr money operator+(money a, money b) noexcept { return {a.cents + b.cents}; }
  friend constexpr money operator-(money a, money b) noexcept { return {a.cents - b.cents}; }
  friend constexpr money operator*(money a, std::int64_t n) noexcept { return {a.cents * n}; }
  friend constexpr auto operator<=>(money, money) noexcept = default;
};

} // namespace troupe::commerce
