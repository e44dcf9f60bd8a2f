// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <vector>

/// Values out of JSON, their whole numbers checked: nlohmann::json makes 1e39, 300 or 2.5 some number of any integral type.

namespace troupe {

/// Reads `from` into `into`, which takes the place of what was there. Integers and enumerations, also in containers
/// of the standard library, must be whole numbers in the range of their type; all else is read by nlohmann::json and the
/// `from_json` that it finds, so one written by hand reads its integers with this function, too.
///
/// Errors: journal_error for a number that does not fit, what nlohmann::json throws for everything else. Threads: any.
template <class T>
void read_json(const nlohmann::json& from, T& into);

namespace detail {

template <class T>
concept whole_number = std::integral<T> && !std::same_as<T, bool>;

/// Containers of the standard library whose elements are read one by one.
template <class T>
inline constexpr bool json_sequence = false;
template <class T, class A>
inline constexpr bool json_sequence<std::vector<T, A>> = !std::same_as<T, bool>;
template <class T, class A>
inline constexpr bool json_sequence<std::deque<T, A>> = true;

template <class T>
inline constexpr bool json_set = false;
template <class T, class C, class A>
inline constexpr bool json_set<std::set<T, C, A>> = true;

template <class T>
inline constexpr bool json_map = false;
template <class K, class T, class C, class A>
inline constexpr bool json_map<std::map<K, T, C, A>> = true;
template <class K, class T, class H, class E, class A>
inline constexpr bool json_map<std::unordered_map<K, T, H, E, A>> = true;

template <class T>
concept json_tuple = requires {
  std::tuple_size<T>::value;
};

/// nlohmann::json's parser and writer, compiled once: in a header they cost every source seconds. Throws journal_error for
/// a number that is infinite or none.
nlohmann::json json_of(std::string_view text);
std::string text_of(const nlohmann::json& json);

/// Throws journal_error: `j` is no whole number between the two.
[[noreturn]] void refuse_number(const nlohmann::json& j, std::int64_t least, std::uint64_t most);

/// `j` as sign and magnitude; `fits` is false for what is no whole number of 64 bits. *Requires*: `j` is a number.
struct whole {
  bool fits = false;
  bool negative = false;
  std::int64_t below_zero = 0; ///< If negative.
  std::uint64_t value = 0;     ///< If not.
};
whole whole_of(const nlohmann::json& j) noexcept;

template <whole_number T>
void read_whole(const nlohmann::json& from, T& into) {
  if (!from.is_number())
    return void(from.get_to(into)); // says what it is instead
  constexpr auto least = static_cast<std::int64_t>(std::numeric_limits<T>::min());
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  const auto w = whole_of(from);
  if (!w.fits || (w.negative ? w.below_zero < least : w.value > most))
    refuse_number(from, least, most);
  into = w.negative ? static_cast<T>(w.below_zero) : static_cast<T>(w.value);
}

template <class T>
T read_json_as(const nlohmann::json& from) {
  T value{};
  read_json(from, value);
  return value;
}

/// What `read_json` throws, with the member's name in front.
[[noreturn]] void rethrow_for(std::string_view member);

template <class T>
void read_json_member(const nlohmann::json& object, const char* name, T& into) {
  const auto& member = object.at(name);
  try {
    read_json(member, into);
  } catch (...) {
    rethrow_for(name);
  }
}

} // namespace detail

template <class T>
void read_json(const nlohmann::json& from, T& into) {
  using json = nlohmann::json;
  if constexpr (detail::whole_number<T>) {
    detail::read_whole(from, into);
  } else if constexpr (std::is_enum_v<T>) {
    into = static_cast<T>(detail::read_json_as<std::underlying_type_t<T>>(from));
  } else if constexpr (detail::json_sequence<T>) {
    into.clear();
    for (const auto& x : from.get_ref<const json::array_t&>())
      read_json(x, into.emplace_back());
  } else if constexpr (detail::json_set<T>) {
    into.clear();
    for (const auto& x : from.get_ref<const json::array_t&>())
      into.insert(detail::read_json_as<typename T::value_type>(x));
  } else if constexpr (detail::json_map<T>) {
    using key = typename T::key_type;
    using mapped = typename T::mapped_type;
    into.clear();
    if constexpr (std::constructible_from<std::string, key>)
      for (const auto& [k, x] : from.get_ref<const json::object_t&>())
        into.emplace(k, detail::read_json_as<mapped>(x));
    else // pairs
      for (const auto& x : from.get_ref<const json::array_t&>())
        into.emplace(detail::read_json_as<key>(x.at(0)), detail::read_json_as<mapped>(x.at(1)));
  } else if constexpr (detail::json_tuple<T>) {
    std::size_t at = 0;
    std::apply([&](auto&... members) { (read_json(from.at(at++), members), ...); }, into);
  } else {
    from.get_to(into);
  }
}

} // namespace troupe
