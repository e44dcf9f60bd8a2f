// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace troupe {

/// Says of most keys that were not added that they were not. Each key is a bit in a table of fixed size; keys that share
/// one are taken for each other, one of a hundred new ones when some 80,000 are in, one of ten when there are 900,000.
///
/// Threads: any. Whoever adds a key before another one asks for it is seen.
class key_filter {
public:
  void add(std::string_view key) noexcept {
    const auto at = place_of(key);
    auto& word = words_[at / word_bits];
    const auto bit = std::uint64_t{1} << at % word_bits;
    if ((word.load() & bit) == 0) // most are in already: no write
      word.fetch_or(bit);
  }
  /// False: it was never added.
  bool may_hold(std::string_view key) const noexcept {
    const auto at = place_of(key);
    return (words_[at / word_bits].load() >> at % word_bits & 1) != 0;
  }

private:
  static constexpr std::size_t bits = std::size_t{1} << 23; // 1 MiB
  static constexpr std::size_t word_bits = 64;
  static std::size_t place_of(std::string_view key) noexcept { return std::hash<std::string_view>{}(key) % bits; }

  std::vector<std::atomic<std::uint64_t>> words_ = std::vector<std::atomic<std::uint64_t>>(bits / word_bits);
};

} // namespace troupe
