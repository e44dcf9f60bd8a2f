// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/json_text.hpp>

#include <algorithm>

namespace troupe::detail {

/// What needs no escape is copied; the rest, and the check that it is UTF-8, is nlohmann's.
void append_json_text(std::string& out, std::string_view text) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(text, plain)) {
    out += nlohmann::json(text).dump();
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

} // namespace troupe::detail
