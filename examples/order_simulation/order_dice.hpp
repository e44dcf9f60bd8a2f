// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mix.hpp>

#include <cstdint>
#include <limits>

namespace order_simulation {

/// SplitMix64 from a seed and a number, so that each order is the same in each run.
class order_dice {
public:
  using result_type = std::uint64_t;
  order_dice(std::uint64_t seed, std::uint64_t number) : state_{seed ^ (number * 0xd1342543de82ef95)} {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return troupe::mix(state_ += 0x9e3779b97f4a7c15); }
  /// In [0, 1).
  double unit() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
  std::uint64_t state_;
};

} // namespace order_simulation
