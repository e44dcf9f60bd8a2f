// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace troupe::analytics {

/// How a histogram cuts the whole numbers from 0 up into buckets: powers of two, each cut into 2^`Bits` buckets of equal
/// width. So a bucket is never wider than 1/2^`Bits` of what it holds, and the numbers below 2^(`Bits` + 1) have one each.
/// The idea is HdrHistogram's (Gil Tene, http://hdrhistogram.org). Pure.
template <unsigned Bits>
struct log_linear_scale {
  static_assert(Bits < 32);

  /// How many buckets the numbers up to `most` have.
  static constexpr std::size_t buckets(std::uint64_t most) noexcept { return index_of(most) + 1; }

  static constexpr std::size_t index_of(std::uint64_t value) noexcept {
    // A value of b bits is shifted right until Bits + 1 are left, of which the first is 1.
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > Bits + 1 ? width - (Bits + 1) : 0;
    return static_cast<std::size_t>((std::uint64_t{shift} << Bits) + (value >> shift));
  }

  /// The largest number in a bucket.
  static constexpr std::uint64_t upper_end(std::size_t index) noexcept {
    const std::uint64_t power = std::uint64_t{index} >> Bits;
    const std::uint64_t shift = power > 1 ? power - 1 : 0;
    return ((index - (shift << Bits) + 1) << shift) - 1;
  }
};

} // namespace troupe::analytics
