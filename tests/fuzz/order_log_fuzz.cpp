// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as an order log: read, or refused with one line that names the place; and what the two policies read agrees.
#include "order_simulation/order_log.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

using order_simulation::bad_rows;
using order_simulation::order_log;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

std::optional<order_log> read(std::string_view text, bad_rows policy) {
  try {
    return order_log::parse(text, "log", policy);
  } catch (const order_simulation::order_log_error& e) {
    const std::string_view what{e.what()};
    require(what.starts_with("log:") && what.find('\n') == what.npos);
    return std::nullopt;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto strict = read(text, bad_rows::fail);
  const auto lenient = read(text, bad_rows::skip);
  if (strict) {
    require(lenient && lenient->skipped_rows() == 0 && lenient->rows().size() == strict->rows().size());
    for (std::size_t i = 0; i < strict->rows().size(); ++i) {
      const auto& row = strict->rows()[i];
      require(row.quantity != 0 && row.stock_code < strict->stock_codes().size() &&
              row.invoice < strict->invoices().size());
      require(row.amount_milli() == lenient->rows()[i].amount_milli());
    }
  }
  return 0;
}
