// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/json_value.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// Values straight into JSON text, for records that are written often: no tree of nlohmann::json in between.

namespace troupe {

/// JSON that grows at its end, in room that it keeps. (To a std::string a piece of a few bytes is a call.)
class json_text {
public:
  json_text() = default;
  json_text(json_text&& from) noexcept : bytes_{std::move(from.bytes_)} {
    size_ = std::exchange(from.size_, 0);
    capacity_ = std::exchange(from.capacity_, 0);
  }
  json_text& operator=(json_text&&) = delete;

  json_text& operator+=(char c) {
    *room(1) = c;
    ++size_;
    return *this;
  }
  json_text& operator+=(std::string_view piece) {
    if (!piece.empty())
      std::memcpy(room(piece.size()), piece.data(), piece.size());
    size_ += piece.size();
    return *this;
  }
  template <std::integral T>
  void add_number(T n) {
    constexpr std::size_t longest = 24;
    auto* first = room(longest);
    size_ += static_cast<std::size_t>(std::to_chars(first, first + longest, n).ptr - first);
  }

  std::size_t size() const noexcept { return size_; }
  /// Requires i < size().
  char& operator[](std::size_t i) noexcept { return bytes_[i]; }
  /// Valid until the next piece comes.
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  void clear() noexcept { size_ = 0; }

private:
  char* room(std::size_t n) {
    if (capacity_ - size_ < n) [[unlikely]]
      grow(n);
    return bytes_.get() + size_;
  }
  void grow(std::size_t n);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// T has a `write_json(json_text& out, const T&)` in its namespace, which appends the value. TROUPE_JSON makes one.
template <class T>
concept writes_json = requires(json_text& out, const T& value) {
  write_json(out, value);
};

namespace detail {

void append_json_text(json_text& out, std::string_view text);

/// A range whose elements are written one by one. Not one, such as nlohmann::json, that is made of its own kind.
template <class T>
concept elements_for_json = std::ranges::range<T> && !requires {
  typename T::mapped_type;
}
&&!std::same_as<std::ranges::range_value_t<T>, T>;

/// Appends any value; what has no writer and is neither number, text nor range goes the way through nlohmann::json.
template <class T>
void append_json(json_text& out, const T& value) {
  if constexpr (writes_json<T>) {
    write_json(out, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? std::string_view{"true"} : std::string_view{"false"};
  } else if constexpr (std::is_enum_v<T>) {
    append_json(out, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::integral<T>) {
    out.add_number(value);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    append_json_text(out, value);
  } else if constexpr (elements_for_json<T>) {
    char before = '[';
    for (const auto& x : value) {
      out += before;
      append_json(out, static_cast<const std::ranges::range_value_t<T>&>(x));
      before = ',';
    }
    out += before == '[' ? std::string_view{"[]"} : std::string_view{"]"};
  } else {
    out += text_of(value);
  }
}

} // namespace detail

} // namespace troupe

#define TROUPE_JSON_FIELD(field)                                                                                       \
  out += ",\"" #field "\":";                                                                                           \
  ::troupe::detail::append_json(out, value.field);
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
  write_json(::troupe::json_text& out, const Type& value) {                                                            \
    const auto first = out.size();                                                                                     \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(TROUPE_JSON_FIELD, __VA_ARGS__))                                          \
    out[first] = '{'; /* in place of a comma */                                                                        \
    out += '}';                                                                                                        \
  }
