// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journal_type.hpp>
#include <troupe/journal/json_text.hpp>
#include <troupe/journal/store.hpp>

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace troupe {

/// Writes a type as JSON by its `to_json` and `from_json`, as TROUPE_JSON makes them:
///
///     struct reserved {
///       std::uint32_t quantity = 0;
///       std::string unit;
///       static constexpr std::string_view journal_name = "reserved";
///       static constexpr int journal_version = 2;
///       static void upcast(int from, nlohmann::json& j) {
///         if (from == 1)
///           j["unit"] = "piece"; // version 1 knew no units
///       }
///       TROUPE_JSON(reserved, quantity, unit)
///     };
///
/// Those that nlohmann::json's own macros make will do, too: they write several times slower, and read a number that does
/// not fit, such as 300 for a std::uint8_t, as some other. Functions written by hand read integers by `read_json`.
///
/// A record of an earlier version goes through `upcast(from, json)` once for each version from its own to the last but
/// one; a type with a version above 1 must have one. A record of a later version is an error.
template <class T>
struct json_format {
  static void encode(const void* value, json_text& text) {
    const auto& v = *static_cast<const T*>(value);
    text.clear();
    if constexpr (writes_json<T>)
      write_json(text, v);
    else
      text += detail::text_of(v);
  }

  static std::shared_ptr<const void> decode(int version, std::string_view text) {
    if (version < 1 || version > journal_version<T>)
      throw journal_error{"this program knows versions 1 to " + std::to_string(journal_version<T>)};
    auto json = detail::json_of(text);
    if constexpr (journal_version < T >> 1)
      for (; version < journal_version<T>; ++version)
        T::upcast(version, json);
    auto value = std::make_shared<T>();
    read_json(json, *value);
    return value;
  }

  static_assert(journal_version<T> >= 1);
  static constexpr journal_format instance{journal_name<T>, journal_version<T>, &encode, &decode};
};

} // namespace troupe
