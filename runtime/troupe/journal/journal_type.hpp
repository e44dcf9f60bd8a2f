// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

namespace troupe {

class json_text;

/// How values of a type are written down, for stores that outlive the process. Threads: any.
struct journal_format {
  std::string_view name; ///< What records of this type are called for ever.
  int version;           ///< What `encode` writes: 1 or more.
  /// Makes `text` the value's JSON. Throws if it has none, such as text that is not UTF-8.
  void (*encode)(const void* value, json_text& text);
  /// From JSON of this or an earlier version. Throws if it cannot be read.
  std::shared_ptr<const void> (*decode)(int version, std::string_view json);
};

/// What records of a type are called in durable stores; empty: values of this type live in memory only. Said by a member of
/// the type, `static constexpr std::string_view journal_name = "reserved";`, or for a type that cannot have one by a
/// specialisation. A type with a name needs <troupe/journal/format.hpp>.
template <class T>
inline constexpr std::string_view journal_name = [] {
  if constexpr (requires { T::journal_name; })
    return std::string_view{T::journal_name};
  else
    return std::string_view{};
}();

/// The version that is written now: `static constexpr int journal_version = 2;` in the type, or a specialisation; 1 if
/// nothing is said.
template <class T>
inline constexpr int journal_version = [] {
  if constexpr (requires { T::journal_version; })
    return T::journal_version;
  else
    return 1;
}();

/// Defined in <troupe/journal/format.hpp>, which whoever names a type for journals must include.
template <class T>
struct json_format;

/// What a store needs to know of a type of event, snapshot or message to keep values of it.
struct journal_type {
  const std::type_info* info;
  /// A copy on the heap. Throws what copying throws.
  std::shared_ptr<const void> (*copy)(const void* value);
  const journal_format* format; ///< Null: in memory only.
};

namespace detail {

template <class T>
constexpr const journal_format* format_of() {
  if constexpr (journal_name<T>.empty())
    return nullptr;
  else
    return &json_format<T>::instance;
}

} // namespace detail

template <class T>
inline constexpr journal_type journal_type_of{&typeid(T),
                                              [](const void* value) -> std::shared_ptr<const void> {
                                                return std::make_shared<const T>(*static_cast<const T*>(value));
                                              },
                                              detail::format_of<T>()};

} // namespace troupe
