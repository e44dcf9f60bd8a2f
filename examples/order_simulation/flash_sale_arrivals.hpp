// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "order_dice.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace order_simulation {

/// When customers come to a sale: a Poisson process, as offsets from its beginning. The same for the same seed and rate.
class sale_arrivals {
public:
  /// `rate` is in customers per second, above 0.
  sale_arrivals(std::uint64_t seed, double rate) : dice_{seed, ~std::uint64_t{0}}, rate_{rate} {}

  std::chrono::nanoseconds next() {
    at_ += std::chrono::nanoseconds{std::llround(std::min(-std::log1p(-dice_.unit()) / rate_, 3600.0) * 1e9)};
    return at_;
  }

private:
  order_dice dice_;
  double rate_;
  std::chrono::nanoseconds at_{0};
};

} // namespace order_simulation
