// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace order_simulation {

/// Why the value of an option, or several options together, cannot be; names the option. All functions of this file
/// throw it, and take the name of the option first.
struct option_fault {
  std::string text;
};

[[noreturn]] inline void fail(const std::string& option, std::string_view problem) {
  throw option_fault{fmt::format("{}: {}", option, problem)};
}

/// Whether all of `text` is one number, which is put into `value`. Independent of the locale; no signs but a minus, no
/// blanks, no hexadecimal.
template <class Number>
bool read_number(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end && !text.empty();
}

/// A whole number from `least` to `most`.
template <class Integer>
Integer parse_whole(const std::string& option, const std::string& text, Integer least, Integer most) {
  Integer value{};
  if (!read_number(text, value) || value < least || value > most)
    fail(option, fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
  return value;
}

/// A finite number.
inline double parse_real(const std::string& option, const std::string& text) {
  double value = 0;
  if (!read_number(text, value) || !std::isfinite(value))
    fail(option, fmt::format("'{}' is not a number", text));
  return value;
}

/// A whole number with a unit, from 1ms to 24h.
inline std::chrono::milliseconds parse_duration(const std::string& option, const std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr std::int64_t longest_ms = std::int64_t{24} * 3'600'000;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const auto& u) { return u.first == text.substr(digits); });
  std::int64_t count = 0;
  if (unit == units.end() || !read_number(text.substr(0, digits), count))
    fail(option, fmt::format("'{}' is not a duration such as 500ms, 10s, 2m or 1h", text));
  if (count < 1 || count > longest_ms / unit->second)
    fail(option, fmt::format("'{}' is not between 1ms and 24h", text));
  return std::chrono::milliseconds{count * unit->second};
}

/// The one of `choices` whose `name_of` is `text`.
template <class Enum>
Enum parse_choice(const std::string& option, const std::string& text, std::initializer_list<Enum> choices) {
  std::string names;
  for (const Enum choice : choices) {
    if (text == name_of(choice))
      return choice;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(choice));
  }
  fail(option, fmt::format("'{}' is not one of {}", text, names));
}

} // namespace order_simulation
