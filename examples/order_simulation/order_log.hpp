// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace order_simulation {

/// One line of an order log: a sale (`quantity` > 0) or a return (`quantity` < 0), never zero.
struct order_row {
  std::uint32_t invoice = 0;         ///< Index into `order_log::invoices()`.
  std::uint32_t stock_code = 0;      ///< Index into `order_log::stock_codes()`.
  std::int32_t quantity = 0;         ///< Units; -2147483647 to 2147483647.
  std::uint32_t line = 0;            ///< Line in the file, the header being line 1.
  std::int64_t unit_price_milli = 0; ///< Thousandths of the currency unit; may be zero or negative.
  std::chrono::sys_seconds date{};   ///< Of the invoice.
  std::uint16_t country = 0;         ///< Index into `order_log::countries()`.

  bool is_sale() const { return quantity > 0; }
  /// Quantity times unit price, in thousandths. Cannot overflow: the parser refuses rows for which it would.
  std::int64_t amount_milli() const { return quantity * unit_price_milli; }
};

/// A log that cannot be read or a row that is malformed. `what()` is one line that names file, line and field:
/// `FILE:LINE: field Quantity: 'abc' is not a whole number`.
class order_log_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What to do with malformed rows.
enum class bad_rows {
  fail, ///< The first one ends the reading with an `order_log_error`.
  skip, ///< They are left out as if the file did not hold them, and counted.
};

/// An order log in the Online Retail format, read whole.
///
/// The format: the header line `order_log::header`, then one row per line, LF or CRLF, a byte order mark allowed.
/// Fields may be quoted, with quotes inside doubled, and never hold a line break or a NUL byte. Quantity is a whole
/// number other than zero, UnitPrice a decimal number with up to three decimals, InvoiceDate `YYYY-MM-DD hh:mm:ss`,
/// CustomerID digits with an optional `.0`, or empty. Codes and invoice numbers are compared bytewise and hold neither
/// commas nor quotes nor control characters.
///
/// Limits: 2^31 - 1 lines, 4,000,000 stock codes, 65,536 countries, and amounts whose absolute sum fits in 63 bits; so no sum over a log
/// that was read can overflow, with an opening stock of up to 10^12 per code.
/// Threads: immutable after construction.
class order_log {
public:
  static constexpr std::string_view header =
      "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
  static constexpr std::size_t lines_max = std::numeric_limits<std::int32_t>::max();
  static constexpr std::size_t stock_codes_max = 4'000'000;
  static constexpr std::size_t countries_max = 65'536;

  /// Reads the file at `path`.
  ///
  /// Errors: throws `order_log_error` if the file cannot be read, is a directory, is empty or has another header, and
  /// for the first malformed row unless these are skipped.
  static order_log load(const std::string& path, bad_rows policy = bad_rows::fail);

  /// Throws what `load` would if there is no such file, or none that can be opened. Does not read it.
  static void require(const std::string& path);

  /// Reads a log from memory; `name` stands for the file in messages. Errors: as `load`.
  static order_log parse(std::string_view text, const std::string& name, bad_rows policy = bad_rows::fail);

  /// All rows in the order of the file.
  std::span<const order_row> rows() const { return rows_; }
  /// Distinct stock codes in the order of their first row.
  std::span<const std::string_view> stock_codes() const { return stock_codes_; }
  /// Distinct invoice numbers in the order of their first row.
  std::span<const std::string_view> invoices() const { return invoices_; }
  /// Distinct countries in the order of their first row, as they are written.
  std::span<const std::string_view> countries() const { return countries_; }

  /// Malformed rows left out; always 0 under `bad_rows::fail`.
  std::size_t skipped_rows() const { return skipped_rows_; }
  /// The message of the first row left out; empty if there is none.
  const std::string& first_skipped() const { return first_skipped_; }

private:
  class reader;

  order_log() = default;

  std::unique_ptr<char[]> text_; // what the views below point into
  std::vector<order_row> rows_;
  std::vector<std::string_view> stock_codes_;
  std::vector<std::string_view> invoices_;
  std::vector<std::string_view> countries_;
  std::size_t skipped_rows_ = 0;
  std::string first_skipped_;
};

/// The first order in `rows`: the longest run from the front with one invoice number. Empty if `rows` is.
std::span<const order_row> leading_order(std::span<const order_row> rows);

} // namespace order_simulation
