// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/json_value.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>

/// Values straight into JSON text, for records that are written often: no tree of nlohmann::json in between.

namespace troupe {

/// T has a `write_json(std::string& out, const T&)` in its namespace, which appends the value. TROUPE_JSON makes one.
template <class T>
concept writes_json = requires(std::string& out, const T& value) {
  write_json(out, value);
};

namespace detail {

void append_json_text(std::string& out, std::string_view text);

/// Appends any value; what has no writer and is neither number, text nor range goes the way through nlohmann::json.
template <class T>
void append_json(std::string& out, const T& value) {
  if constexpr (writes_json<T>) {
    write_json(out, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    append_json(out, static_cast<std::int64_t>(value));
  } else if constexpr (std::integral<T>) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    append_json_text(out, value);
  } else if constexpr (std::ranges::range<T> && !requires { typename T::mapped_type; }) {
    char before = '[';
    for (const auto& x : value) {
      out += before;
      append_json(out, static_cast<const std::ranges::range_value_t<T>&>(x));
      before = ',';
    }
    out += before == '[' ? "[]" : "]";
  } else {
    out += nlohmann::json(value).dump();
  }
}

template <class T>
void append_json_field(std::string& out, char& before, std::string_view quoted_name, const T& value) {
  out += before;
  before = ',';
  out += quoted_name;
  append_json(out, value);
}

} // namespace detail

} // namespace troupe

#define TROUPE_JSON_FIELD(field) ::troupe::detail::append_json_field(out, before, "\"" #field "\":", value.field);
#define TROUPE_JSON_PUT(field) json[#field] = value.field;
#define TROUPE_JSON_GET(field) ::troupe::detail::read_json_member(json, #field, value.field);

/// In a class: reads and writes these members as a JSON object, as NLOHMANN_DEFINE_TYPE_INTRUSIVE does, appends it as text,
/// and refuses numbers that do not fit, see `read_json`. An enumeration is written as its number. At least one member, at
/// most 64.
#define TROUPE_JSON(Type, ...) TROUPE_JSON_FUNCTIONS(friend, Type, __VA_ARGS__)

/// The same, outside of the class, in its namespace.
#define TROUPE_JSON_OUTSIDE(Type, ...) TROUPE_JSON_FUNCTIONS(inline, Type, __VA_ARGS__)

#define TROUPE_JSON_FUNCTIONS(Linkage, Type, ...)                                                                      \
  Linkage void to_json(nlohmann::json& json, const Type& value){                                                       \
      NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(TROUPE_JSON_PUT, __VA_ARGS__))} Linkage void                            \
  from_json(const nlohmann::json& json,                                                                                \
            Type& value){NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(TROUPE_JSON_GET, __VA_ARGS__))} Linkage void         \
  write_json(std::string& out, const Type& value) {                                                                    \
    char before = '{';                                                                                                 \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(TROUPE_JSON_FIELD, __VA_ARGS__))                                          \
    out += '}';                                                                                                        \
  }
