// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/error.hpp>
#include <troupe/journal/row_codec.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace troupe {

namespace {

row_time micros(wall_time_point t) {
  return std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count();
}

template <class Row>
std::string fault_of_row(std::string_view key, const Row& r) {
  return checksum_of(key, r) == r.checksum ? std::string{} : std::string{"its checksum is wrong: it was damaged"};
}

/// Bytes of the UTF-8 sequence at the start of `s`, 0 if there is none. Unicode 15, table 3-7.
std::size_t utf8_length(std::string_view s) noexcept {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  const auto b = at(0);
  if (b < 0x80)
    return 1;
  if (b >= 0xc2 && b <= 0xdf)
    return follows(1) ? 2 : 0;
  if (b >= 0xe0 && b <= 0xef)
    return follows(1, b == 0xe0 ? 0xa0 : 0x80, b == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  if (b >= 0xf0 && b <= 0xf4)
    return follows(1, b == 0xf0 ? 0x90 : 0x80, b == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

bool is_text(std::string_view s) noexcept {
  while (!s.empty()) {
    const auto n = s.front() == '\0' ? 0 : utf8_length(s);
    if (n == 0)
      return false;
    s.remove_prefix(n);
  }
  return true;
}

} // namespace

std::string fault_of(std::string_view key, const record_row& r) { return fault_of_row(key, r); }
std::string fault_of(std::string_view key, const handled_row& r) { return fault_of_row(key, r); }
std::string fault_of(std::string_view key, const outbox_row& r) { return fault_of_row(key, r); }
std::string fault_of(std::string_view key, const journal_head& h) {
  return checksum_of_head(key, h.last_sent) == h.checksum ? std::string{} : "its checksum is wrong: it was damaged";
}

void check_key(std::string_view what, std::string_view key) {
  constexpr std::size_t longest = 1'000;
  if (key.empty() || key.size() > longest || !is_text(key))
    throw usage_error{std::string{what} + " '" + std::string{key.substr(0, 80)} +
                      "' cannot be kept: it must be 1 to 1000 bytes of UTF-8 without a zero byte"};
}

row_codec::row_codec(std::string place, std::string key, std::span<const journal_type* const> types)
    : key_{std::move(key)}, place_{std::move(place)}, types_{types} {
  check_key("the journal's key", key_);
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const auto name_of = [&](std::size_t t) { return type_name(*types_[t]->info); };
    if (types_[i]->format == nullptr)
      throw usage_error{where() + ": the type " + name_of(i) +
                        " has no journal_name, so it can be kept in memory only; see <troupe/journal/format.hpp>"};
    for (std::size_t k = 0; k < i; ++k)
      if (types_[k]->format->name == types_[i]->format->name && *types_[k]->info != *types_[i]->info)
        throw usage_error{where() + ": the types " + name_of(k) + " and " + name_of(i) + " are both called '" +
                          std::string{types_[i]->format->name} + "'"};
  }
}

record_row row_codec::encode(const journal_record& r, std::uint64_t sequence, row_time time, json_text& text) const {
  if (r.type->format == nullptr)
    throw rejected_record{where() + ": the type " + type_name(*r.type->info) + " has no journal_name"};
  record_row row{sequence, time, r.type->format->name, r.type->format->version, {}};
  try {
    r.type->format->encode(r.value, text);
  } catch (const std::exception& e) {
    throw rejected_record{where() + ": a value of the type '" + std::string{row.type} +
                          "' cannot be written down: " + e.what()};
  }
  row.data = text.view();
  row.checksum = checksum_of(key_, row);
  return row;
}

outbox_row row_codec::encode(const outbound& o, row_time time, json_text& text) const {
  check_key("the target", o.target);
  if (!o.timer.empty())
    check_key("the timer's name", o.timer);
  outbox_row row{encode(o.message, o.sequence, time, text), o.target, {}, o.timer};
  row.message.checksum = 0;
  if (o.due)
    row.due = micros(*o.due);
  row.checksum = checksum_of(key_, row);
  return row;
}

handled_row row_codec::encode(const inbound& i) const {
  check_key("the sender", i.sender);
  handled_row row{i.sender, i.sequence};
  row.checksum = checksum_of(key_, row);
  return row;
}

row_codec::decoded row_codec::decode(std::string_view what, const record_row& r) const {
  if (const auto fault = fault_of(key_, r); !fault.empty())
    refuse(what, r, fault);
  return value_of(what, r);
}

row_codec::decoded row_codec::decode(const outbox_row& r) const {
  if (const auto fault = fault_of(key_, r); !fault.empty())
    refuse("outbox entry", r.message, fault);
  const bool known = std::ranges::any_of(types_, [&](const auto* t) { return t->format->name == r.message.type; });
  return known ? value_of("outbox entry", r.message) : decoded{nullptr, nullptr};
}

row_codec::decoded row_codec::value_of(std::string_view what, const record_row& r) const {
  for (const auto* t : types_)
    if (t->format->name == r.type) {
      try {
        return {t, t->format->decode(r.version, r.data)};
      } catch (const std::exception& e) {
        refuse(what, r, e.what());
      }
    }
  refuse(what, r, "the actor knows no such type");
}

void row_codec::refuse(std::string_view what, const record_row& r, const std::string& why) const {
  throw recovery_error{where() + ", " + std::string{what} + ' ' + std::to_string(r.sequence) + ", type '" +
                       std::string{r.type} + "' version " + std::to_string(r.version) + ": " + why};
}

} // namespace troupe
