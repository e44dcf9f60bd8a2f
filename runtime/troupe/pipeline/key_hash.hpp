// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::pipeline {

/// Spreads the bits of a number: both halves of a product, one over the other (the "mum" of Wang Yi's wyhash). All its bits
/// serve, the highest best.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  __extension__ using wide = unsigned __int128;
  const auto product = static_cast<wide>(x ^ 0x9e3779b97f4a7c15) * 0xa0761d6478bd642f;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// The hash of a key: well spread in all its 64 bits, the same in every process for numbers. Keys are numbers, enumerations,
/// times, pairs and tuples of keys, and whatever has a std::hash, such as strings.
template <class K>
std::uint64_t key_hash(const K& key) noexcept;

namespace detail {

template <class K>
struct key_hasher {
  static std::uint64_t of(const K& key) noexcept {
    if constexpr (std::is_integral_v<K> || std::is_enum_v<K>)
      return mix(static_cast<std::uint64_t>(key));
    else
      return mix(std::hash<K>{}(key));
  }
};

template <class Clock, class Duration>
struct key_hasher<std::chrono::time_point<Clock, Duration>> {
  static std::uint64_t of(const std::chrono::time_point<Clock, Duration>& t) noexcept {
    return mix(static_cast<std::uint64_t>(t.time_since_epoch().count()));
  }
};

template <class... Ks>
std::uint64_t hash_all(const Ks&... keys) noexcept {
  std::uint64_t h = 0;
  ((h = (h + 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93 ^ key_hash(keys)), ...);
  return mix(h);
}

template <class A, class B>
struct key_hasher<std::pair<A, B>> {
  static std::uint64_t of(const std::pair<A, B>& p) noexcept { return hash_all(p.first, p.second); }
};

template <class... Ks>
struct key_hasher<std::tuple<Ks...>> {
  static std::uint64_t of(const std::tuple<Ks...>& t) noexcept {
    return std::apply([](const Ks&... ks) { return hash_all(ks...); }, t);
  }
};

} // namespace detail

template <class K>
std::uint64_t key_hash(const K& key) noexcept {
  return detail::key_hasher<K>::of(key);
}

/// Which of `count` partitions a hash belongs to. Uses other bits than `keyed_table`. Requires `count >= 1`.
constexpr std::size_t partition_of(std::uint64_t hash, std::size_t count) noexcept {
  return static_cast<std::size_t>(((hash & 0xffff'ffff) * count) >> 32);
}

/// The key of everything where there is only one.
struct no_key {
  friend bool operator==(const no_key&, const no_key&) = default;
};

namespace detail {
template <>
struct key_hasher<no_key> {
  static std::uint64_t of(const no_key&) noexcept { return 0; }
};
} // namespace detail

/// What the key function `Key` makes of a `T`.
template <class Key, class T>
using key_of = std::remove_cvref_t<std::invoke_result_t<const Key&, const T&>>;

} // namespace troupe::pipeline
