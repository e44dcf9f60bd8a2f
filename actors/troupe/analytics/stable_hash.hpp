// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mix.hpp>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace troupe::analytics {

/// A hash of a number, the same in every process, so that sketches of different partitions can be merged.
/// Not for keys that an adversary chooses.
constexpr std::uint64_t stable_hash(std::uint64_t key) noexcept { return mix(key + 0x9e3779b97f4a7c15); }

/// The same of bytes: eight at a time, each group mixed with what came before, the length last.
inline std::uint64_t stable_hash(std::string_view key) noexcept {
  std::uint64_t state = 0x9e3779b97f4a7c15;
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t group;
    std::memcpy(&group, at, 8);
    state = mix(state ^ group) + 0x9e3779b97f4a7c15;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, at, left);
  state = mix(state ^ rest) + 0x9e3779b97f4a7c15;
  return mix(state ^ key.size());
}

/// A sequence of numbers that look random and are the same for the same seed (SplitMix64).
class stable_sequence {
public:
  explicit constexpr stable_sequence(std::uint64_t seed) noexcept : state_{seed} {}

  constexpr std::uint64_t next() noexcept { return mix(state_ += 0x9e3779b97f4a7c15); }

  /// A number below `bound`, each almost equally likely (off by less than `bound` / 2^64).
  /// *Requires*: `bound` > 0.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>(next()) * bound) >> 64);
  }

private:
  std::uint64_t state_;
};

} // namespace troupe::analytics
