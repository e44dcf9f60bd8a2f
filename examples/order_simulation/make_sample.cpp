// SPDX-License-Identifier: BSD-3-Clause

// Prints the order log that ships with this example:
//
//     make_sample > sample_orders.csv
//
// The log has the Online Retail format and, in about 2,000 rows, all its traps: orders split in two by another order,
// returns with and without a sale before them, doubled rows, stock codes that differ only in case, codes that are no
// goods, quoted descriptions with commas and doubled quotes, prices of three decimals, of zero and below zero, rows
// without a customer. The same numbers come out on every machine.

#include "key_distribution.hpp"
#include "order_log.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t orders_wanted = 215;

struct item {
  std::string code;
  std::string description; // as it stands in the file, quoted if need be
  std::string price;
};

class sample {
public:
  sample() {
    constexpr std::array<std::string_view, 6> colors{"RED", "WHITE", "BLUE", "GREEN", "PINK", "IVORY"};
    constexpr std::array<std::string_view, 8> things{"TEAPOT", "LANTERN", "CANDLE", "DOORMAT",
                                                     "CLOCK",  "JAM JAR", "RUG",    "KITE"};
    for (const std::string_view color : colors)
      for (const std::string_view thing : things) {
        const std::uint64_t whole = pick(12); // one draw per statement: arguments have no order of evaluation
        const std::uint64_t decimals = pick(99);
        catalog_.push_back({fmt::format("{}", 20000 + 37 * catalog_.size()), fmt::format("{} {}", color, thing),
                            fmt::format("{}.{}", whole, decimals)});
      }
    catalog_.push_back({"85123A", "HANGING HEART, SMALL", "2.55"});
    catalog_.push_back({"85123a", "HANGING HEART, LARGE", "4.25"});
    catalog_.push_back({"15056BL", "EDWARDIAN PARASOL", "5.95"});
    catalog_.push_back({"15056bl", "EDWARDIAN PARASOL", "5.95"});
    catalog_.push_back({"22900", "FRAME 7\" SQUARE", "2.1"});
    catalog_.push_back({"22901", "TRAY, \"PARTY\", 12\" WIDE", "6"});
    catalog_.push_back({"POST", "POSTAGE", "18.0"});
    catalog_.push_back({"BANK CHARGES", "Bank Charges", "0.001"});
    catalog_.push_back({"gift_0001_20", "Gift Voucher 20.00", "16.667"});
    catalog_.push_back({"PADS", "PADS TO MATCH ALL CUSHIONS", "0.001"});
  }

  std::string text() {
    text_ = fmt::format("{}\n", order_simulation::order_log::header);
    while (order_ < orders_wanted)
      append_order();
    append_row("A563185", {"B", "Adjust bad debt", "11062.06"}, 1, "");
    append_row("A563186", {"B", "Adjust bad debt", "-11062.06"}, 1, "");
    return std::move(text_);
  }

private:
  std::uint64_t pick(std::uint64_t most) { return order_simulation::key_distribution::uniform(most)(random_); }

  /// Every other order or so is unusual in one way.
  void append_order() {
    const std::string invoice = next_invoice("");
    const bool known = pick(4) != 1;
    const std::string customer = known ? fmt::format("{}.0", 12000 + pick(300)) : "";
    const std::uint64_t lines = pick(10) == 1 ? 30 + pick(30) : pick(14);
    const std::uint64_t kind = pick(15);
    for (std::uint64_t i = 0; i < lines; ++i) {
      if (kind == 1 && i == lines / 2 && i > 0)
        append_row(next_invoice(""), catalog_.front(), 1, customer); // splits this order in two
      const item& bought = any_item();
      const int quantity = static_cast<int>(pick(20) == 1 ? 100 + pick(400) : pick(24));
      append_row(invoice, bought, quantity, customer);
      if (kind == 2 && i == 0)
        append_row(invoice, bought, quantity, customer); // a doubled row
      if (kind == 3 && i == 0)
        append_row(invoice, bought, -quantity, customer); // a return and sales in one order
    }
    const item& other = any_item();
    const int few = static_cast<int>(pick(30));
    if (kind == 4 || kind == 5)
      append_row(next_invoice("C"), other, -few, customer); // a cancellation
    if (kind == 6)
      append_row(next_invoice(""), {other.code, "", "0.0"}, -few, ""); // a write-off
    if (kind == 7)
      append_row(invoice, {other.code, "FREE SAMPLE", "0.0"}, 1, customer);
  }

  const item& any_item() { return catalog_[pick(catalog_.size()) - 1]; }

  std::string next_invoice(std::string_view prefix) {
    ++order_;
    return fmt::format("{}{}", prefix, 536364 + order_);
  }

  void append_row(std::string_view invoice, const item& what, int quantity, std::string_view customer) {
    constexpr std::size_t opening_minute = 480;
    constexpr std::size_t open_minutes = 600;
    const std::size_t minute = opening_minute + order_ % open_minutes;
    text_ += fmt::format("{},{},{},{},2010-12-{:02} {:02}:{:02}:00,{},{},{}\n", invoice, what.code,
                         quoted(what.description), quantity, 1 + order_ / 20, minute / 60, minute % 60, what.price,
                         customer, customer.empty() ? "EIRE" : "United Kingdom");
  }

  static std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"") == std::string::npos)
      return text;
    std::string result = "\"";
    for (const char c : text)
      result += c == '"' ? std::string{"\"\""} : std::string{c};
    return result + "\"";
  }

  std::mt19937_64 random_{20101201};
  std::vector<item> catalog_;
  std::size_t order_ = 0;
  std::string text_;
};

} // namespace

int main() {
  const std::string text = sample{}.text();
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? 0 : 1;
}
