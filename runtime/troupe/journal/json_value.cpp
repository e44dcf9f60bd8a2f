// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/json_value.hpp>
#include <troupe/journal/store.hpp>

#include <cmath>

namespace troupe::detail {

namespace {

/// nlohmann::json writes null for what is no number or infinite, which is then not read as a number.
void check_numbers(const nlohmann::json& json) {
  if (const auto* n = json.get_ptr<const nlohmann::json::number_float_t*>(); n != nullptr && !std::isfinite(*n))
    throw journal_error{std::to_string(*n) + " cannot be written as JSON"};
  if (json.is_structured())
    for (const auto& x : json)
      check_numbers(x);
}

} // namespace

nlohmann::json json_of(std::string_view text) { return nlohmann::json::parse(text); }
std::string text_of(const nlohmann::json& json) {
  check_numbers(json);
  return json.dump();
}

whole whole_of(const nlohmann::json& j) noexcept {
  if (const auto* n = j.get_ptr<const nlohmann::json::number_unsigned_t*>())
    return {.fits = true, .value = *n};
  if (const auto* n = j.get_ptr<const nlohmann::json::number_integer_t*>())
    return *n < 0 ? whole{.fits = true, .negative = true, .below_zero = *n}
                  : whole{.fits = true, .value = static_cast<std::uint64_t>(*n)};
  const auto f = *j.get_ptr<const nlohmann::json::number_float_t*>();
  if (std::trunc(f) != f || f < -0x1p63 || f >= 0x1p64)
    return {};
  return f < 0 ? whole{.fits = true, .negative = true, .below_zero = static_cast<std::int64_t>(f)}
               : whole{.fits = true, .value = static_cast<std::uint64_t>(f)};
}

void refuse_number(const nlohmann::json& j, std::int64_t least, std::uint64_t most) {
  throw journal_error{j.dump() + " is not a whole number from " + std::to_string(least) + " to " +
                      std::to_string(most)};
}

void rethrow_for(std::string_view member) {
  try {
    throw;
  } catch (const journal_error& e) {
    throw journal_error{std::string{member} + ": " + e.what()};
  }
}

} // namespace troupe::detail
