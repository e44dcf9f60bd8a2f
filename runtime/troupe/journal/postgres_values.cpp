// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_values.hpp>

#include <charconv>
#include <libpq-fe.h>

namespace troupe {

std::vector<const char*> postgres_parameters::pointers() const {
  std::vector<const char*> all;
  all.reserve(values_.size());
  for (const auto& v : values_)
    all.push_back(v ? v->c_str() : nullptr);
  return all;
}

std::size_t postgres_parameters::bytes() const noexcept {
  std::size_t n = 0;
  for (const auto& v : values_)
    n += v ? v->size() : 0;
  return n;
}

// Numbers travel with their most significant byte first. An array's header: dimensions, whether there are nulls, the type,
// how many, and the index of the first.
postgres_array::postgres_array(type elements) : bytes_(20, '\0') {
  put(1, 0);
  put(static_cast<std::int32_t>(elements), 8);
  put(1, 16);
}

void postgres_array::put(std::int32_t n, std::size_t at) {
  const auto bits = static_cast<std::uint32_t>(n);
  for (std::size_t i = 0; i < 4; ++i)
    bytes_[at + i] = static_cast<char>(bits >> (24 - 8 * i) & 0xff);
}

void postgres_array::begin_element(std::size_t bytes) {
  put(++count_, 12);
  const auto at = bytes_.size();
  bytes_.resize(at + 4);
  put(static_cast<std::int32_t>(bytes), at);
}

void postgres_array::add(std::int64_t bigint) {
  begin_element(8);
  const auto bits = static_cast<std::uint64_t>(bigint);
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes_ += static_cast<char>(bits >> shift & 0xff);
}

void postgres_array::add(std::int32_t integer) {
  begin_element(4);
  const auto at = bytes_.size();
  bytes_.resize(at + 4);
  put(integer, at);
}

void postgres_array::add(std::string_view text_or_json) {
  begin_element(text_or_json.size());
  bytes_ += text_or_json;
}

void postgres_array::clear() {
  bytes_.resize(20);
  put(count_ = 0, 12);
}

std::string_view postgres_row::text(int column) const noexcept {
  return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::int64_t postgres_row::number(int column) const noexcept {
  const auto digits = text(column);
  std::int64_t n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return n;
}

bool postgres_row::null(int column) const noexcept { return PQgetisnull(result_, row_, column) != 0; }

} // namespace troupe
