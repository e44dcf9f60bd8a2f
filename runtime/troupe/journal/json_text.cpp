// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/json_text.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

void json_text::grow(std::size_t n) {
  constexpr std::size_t least = 256;
  const auto capacity = std::max({least, 2 * capacity_, size_ + n});
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0)
    std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

namespace detail {

/// What needs no escape is copied; the rest, and the check that it is UTF-8, is nlohmann's.
void append_json_text(json_text& out, std::string_view text) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(text, plain)) {
    out += text_of(text);
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

} // namespace detail

} // namespace troupe
