// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "text/csv.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace order_simulation {

/// The fields of a row of the Online Retail format, in the order of the file.
enum class order_field : std::size_t {
  invoice_no,
  stock_code,
  description,
  quantity,
  invoice_date,
  unit_price,
  customer_id,
  country,
};

inline constexpr std::array<std::string_view, 8> order_field_names{
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"};

/// What is wrong with one row, without file and line: `field Quantity: 'abc' is not a whole number`. All functions of
/// this file throw it.
struct row_fault {
  std::string text;
};

/// Ends the reading of a row because of one of its fields.
[[noreturn]] void fail_field(order_field which, std::string_view problem);
[[noreturn]] void fail_value(order_field which, std::string_view value, std::string_view problem);

using text::shown;

/// The eight fields of a line, as views into it. Outer quotes are gone, doubled quotes inside are left as they are.
class order_fields {
public:
  /// Faults: other than eight fields, a quote that is not closed or stands in the middle of a field.
  explicit order_fields(std::string_view line);

  std::string_view operator[](order_field which) const { return values_[static_cast<std::size_t>(which)]; }

private:
  std::array<std::string_view, order_field_names.size()> values_;
};

/// Checks an invoice number or a stock code: not empty, no comma, quote or control character.
void check_key(order_field which, std::string_view value);

/// A time of the calendar, `YYYY-MM-DD hh:mm:ss`, in whatever zone the log is.
std::chrono::sys_seconds parse_date(std::string_view value);

/// Checks a customer number: digits, perhaps with `.0` behind them, or nothing.
void check_customer(std::string_view value);

/// A whole number from -2147483647 to 2147483647 other than zero.
std::int32_t parse_quantity(std::string_view value);

/// A decimal number with at most three decimals, in thousandths.
std::int64_t parse_price_milli(std::string_view value);

} // namespace order_simulation
