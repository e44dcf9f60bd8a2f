// SPDX-License-Identifier: BSD-3-Clause

// Claim: an order log is read exactly or refused with one line that names file, line and field. Observed on small logs
// in memory, one defect each, on files for what only files can be, and on the sample log that ships with the example.
#include "order_simulation/order_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

using order_simulation::bad_rows;
using order_simulation::leading_order;
using order_simulation::order_log;
using order_simulation::order_log_error;
using order_simulation::order_row;

namespace fs = std::filesystem;

namespace {

const std::string header_line = std::string{order_log::header} + "\n";
const std::string good_row = "536365,85123A,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n";

order_log log_of(const std::string& rows, bad_rows policy = bad_rows::fail) {
  return order_log::parse(header_line + rows, "log.csv", policy);
}

/// The message that a call ends with; empty if it succeeds.
template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const order_log_error& error) {
    return error.what();
  }
  return {};
}

std::string row_with(std::string_view field, std::string_view value) {
  std::map<std::string_view, std::string_view> v{
      {"InvoiceNo", "1"}, {"StockCode", "A"}, {"Quantity", "1"},   {"InvoiceDate", "2010-12-01 08:26:00"},
      {"UnitPrice", "1"}, {"CustomerID", ""}, {"Description", "x"}};
  v[field] = value;
  std::string row;
  for (const char* name :
       {"InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"})
    row += std::string{v[name]} + ",";
  return row + "France\n";
}

/// A file or directory name in a directory of its own, which goes with it.
class temporary_path {
public:
  temporary_path() {
    std::string name = (fs::temp_directory_path() / "order_log_test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~temporary_path() { fs::remove_all(directory_); }

  std::string directory() const { return directory_; }

  std::string file(const std::string& content) const {
    std::string path = directory_ + "/log.csv";
    std::ofstream{path, std::ios::binary} << content;
    return path;
  }

private:
  std::string directory_;
};

} // namespace

TEST_CASE("order_log: a row becomes numbers and indices") {
  const auto log = log_of("536365,85123A,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
                          "C536366,85123a,,-12,2011-02-28 23:59:59,0.001,,EIRE\n"
                          "536365,85123A,LAMP,1,2012-02-29 00:00:00,-11062,7,France\n");
  REQUIRE(log.rows().size() == 3);
  CHECK(std::vector<std::string_view>{log.invoices().begin(), log.invoices().end()} ==
        std::vector<std::string_view>{"536365", "C536366"});
  CHECK(std::vector<std::string_view>{log.stock_codes().begin(), log.stock_codes().end()} ==
        std::vector<std::string_view>{"85123A", "85123a"});
  const order_row& sale = log.rows()[0];
  CHECK(sale.line == 2);
  CHECK(sale.quantity == 6);
  CHECK(sale.unit_price_milli == 2550);
  CHECK(sale.amount_milli() == 15300);
  CHECK(sale.is_sale());
  const order_row& back = log.rows()[1];
  CHECK(back.invoice == 1);
  CHECK(back.stock_code == 1);
  CHECK(back.quantity == -12);
  CHECK(back.unit_price_milli == 1);
  CHECK_FALSE(back.is_sale());
  CHECK(log.rows()[2].invoice == 0);
  CHECK(log.rows()[2].stock_code == 0);
  CHECK(log.rows()[2].unit_price_milli == -11'062'000);
}

TEST_CASE("order_log: prices are exact thousandths") {
  const std::vector<std::pair<std::string, std::int64_t>> prices{{"0", 0},
                                                                 {"0.0", 0},
                                                                 {"-0", 0},
                                                                 {"2.5", 2500},
                                                                 {"2.55", 2550},
                                                                 {"2.555", 2555},
                                                                 {"0.07", 70},
                                                                 {"-0.5", -500},
                                                                 {"00012.10", 12100},
                                                                 {"38970.0", 38970000},
                                                                 {"9223372036854775.807", INT64_MAX},
                                                                 {"-9223372036854775.807", -INT64_MAX}};
  for (const auto& price : prices) {
    CAPTURE(price.first);
    CHECK(log_of(row_with("UnitPrice", price.first)).rows().front().unit_price_milli == price.second);
  }
}

TEST_CASE("order_log: every malformed field is named with its line") {
  struct {
    std::string_view field;
    std::string_view value;
    std::string_view problem;
  } const defects[]{
      {"Quantity", "abc", "'abc' is not a whole number"},
      {"Quantity", "", "'' is not a whole number"},
      {"Quantity", "-", "'-' is not a whole number"},
      {"Quantity", "+1", "'+1' is not a whole number"},
      {"Quantity", "1.0", "'1.0' is not a whole number"},
      {"Quantity", " 1", "' 1' is not a whole number"},
      {"Quantity", "0", "'0' is neither a sale nor a return"},
      {"Quantity", "2147483648", "'2147483648' is out of range (-2147483647 to 2147483647)"},
      {"Quantity", "-2147483648", "'-2147483648' is out of range (-2147483647 to 2147483647)"},
      {"Quantity", "99999999999999999999999", "'99999999999999999999999' is out of range (-2147483647 to 2147483647)"},
      {"UnitPrice", "", "'' is not a decimal number"},
      {"UnitPrice", ".5", "'.5' is not a decimal number"},
      {"UnitPrice", "5.", "'5.' is not a decimal number"},
      {"UnitPrice", "1.2.3", "'1.2.3' is not a decimal number"},
      {"UnitPrice", "1e3", "'1e3' is not a decimal number"},
      {"UnitPrice", "nan", "'nan' is not a decimal number"},
      {"UnitPrice", "1.2345", "'1.2345' has more than three decimals"},
      {"UnitPrice", "9223372036854775.808", "'9223372036854775.808' is too large"},
      {"UnitPrice", "99999999999999999999999", "'99999999999999999999999' is too large"},
      {"InvoiceDate", "", "'' is not of the form YYYY-MM-DD hh:mm:ss"},
      {"InvoiceDate", "12/1/2010 8:26", "'12/1/2010 8:26' is not of the form YYYY-MM-DD hh:mm:ss"},
      {"InvoiceDate", "2010-13-01 08:26:00", "'2010-13-01 08:26:00' is not a date and time of the calendar"},
      {"InvoiceDate", "2011-02-29 08:26:00", "'2011-02-29 08:26:00' is not a date and time of the calendar"},
      {"InvoiceDate", "2010-12-01 24:00:00", "'2010-12-01 24:00:00' is not a date and time of the calendar"},
      {"CustomerID", "x", "'x' is not a customer number"},
      {"CustomerID", ".0", "'.0' is not a customer number"},
      {"CustomerID", "17850.5", "'17850.5' is not a customer number"},
      {"InvoiceNo", "", "is empty"},
      {"StockCode", "", "is empty"},
      {"StockCode", "\"a,b\"", "'a,b' holds a comma, a quote or a control character"},
      {"StockCode", "a\tb", "'a?b' holds a comma, a quote or a control character"},
      {"Description", "\"x", "the quote is not closed on this line"},
      {"Description", "\"x\"\"", "the quote is not closed on this line"},
      {"Description", "\"x\"y", "text follows the closing quote"},
      {"Description", "7\" disc", "a quote in a field that is not quoted"},
      {"Description", std::string_view{"a\0b", 3}, "holds a NUL byte"},
      {"StockCode", std::string_view{"a\0b", 3}, "holds a NUL byte"},
  };
  for (const auto& defect : defects) {
    const std::string expected = "log.csv:3: field " + std::string{defect.field} + ": " + std::string{defect.problem};
    CHECK(message_of([&] { log_of(good_row + row_with(defect.field, defect.value)); }) == expected);
  }
}

TEST_CASE("order_log: rows of too few or too many fields say where they end") {
  CHECK(message_of([] { log_of("1,A,x,1\n"); }) == "log.csv:2: the row ends after field Quantity: 4 fields of 8");
  CHECK(message_of([] { log_of("1,A,x,1,2010-12-01 08:26:00,1,,France,more\n"); }) ==
        "log.csv:2: the row goes on after field Country: 8 fields expected");
  CHECK(message_of([] { log_of(good_row + "\n" + good_row); }) == "log.csv:3: the line is empty");
}

TEST_CASE("order_log: amounts that no sum could hold are refused at the row that goes too far") {
  CHECK(message_of([] { log_of("1,A,x,2,2010-12-01 08:26:00,9223372036854775.807,,France\n"); }) ==
        "log.csv:2: field UnitPrice: '9223372036854775.807' makes the amounts of the log too large");
  CHECK(message_of([] {
          log_of("1,A,x,1,2010-12-01 08:26:00,9223372036854775.806,,France\n"
                 "1,A,x,-1,2010-12-01 08:26:00,0.001,,France\n"
                 "1,A,x,1,2010-12-01 08:26:00,-0.001,,France\n");
        }) == "log.csv:4: field UnitPrice: '-0.001' makes the amounts of the log too large");
}

TEST_CASE("order_log: quoted fields may hold commas and doubled quotes") {
  const auto log = log_of("1,\"A\",\"TRAY, \"\"PARTY\"\", 7\"\"\",\"3\",2010-12-01 08:26:00,\"1.5\",\"\",\"\"\n");
  CHECK(log.stock_codes().front() == "A");
  CHECK(log.rows().front().quantity == 3);
  CHECK(log.rows().front().unit_price_milli == 1500);
}

TEST_CASE("order_log: line ends of both kinds and a byte order mark are accepted") {
  const std::string unix_text = header_line + good_row + good_row;
  std::string dos_text = "\xef\xbb\xbf";
  for (const char c : unix_text)
    dos_text += c == '\n' ? std::string{"\r\n"} : std::string{c};
  const auto dos = order_log::parse(dos_text, "dos.csv");
  CHECK(dos.rows().size() == 2);
  CHECK(dos.rows().back().line == 3);
  CHECK(order_log::parse(unix_text.substr(0, unix_text.size() - 1), "cut.csv").rows().size() == 2);
  CHECK(order_log::parse(header_line, "none.csv").rows().empty());
}

TEST_CASE("order_log: another header is refused") {
  CHECK(message_of([] { order_log::parse("Invoice,Code\n1,2\n", "log.csv"); }) ==
        "log.csv:1: header is 'Invoice,Code', not '" + std::string{order_log::header} + "'");
  CHECK(message_of([] { order_log::parse("\n", "log.csv"); }).starts_with("log.csv:1: header is ''"));
}

TEST_CASE("order_log: bad rows can be skipped and leave nothing behind") {
  const auto log = log_of(good_row + row_with("UnitPrice", "?") + "8,NEW,x,oops\n" +
                              "9,NEWER,x,1,2010-12-01 08:26:00,99999999999999999,,France\n" + "7,LAST,\"x\n" + good_row,
                          bad_rows::skip);
  CHECK(log.rows().size() == 2);
  CHECK(log.rows().back().line == 7);
  CHECK(log.skipped_rows() == 4);
  CHECK(log.first_skipped() == "log.csv:3: field UnitPrice: '?' is not a decimal number");
  CHECK(log.stock_codes().size() == 1);
  CHECK(log.invoices().size() == 1);
  CHECK(message_of([] { order_log::parse("wrong\n", "log.csv", bad_rows::skip); }) != "");
}

TEST_CASE("order_log: files that are no logs are named with the reason") {
  const temporary_path place;
  const std::string missing = place.directory() + "/missing.csv";
  CHECK(message_of([&] { order_log::load(missing); }) == missing + ": cannot be opened: No such file or directory");
  CHECK(message_of([&] { order_log::load(place.directory()); }) ==
        place.directory() + ": is a directory, not an order log");
  const std::string empty = place.file("");
  CHECK(message_of([&] { order_log::load(empty); }) == empty + ": is empty, not an order log");
  const std::string broken = place.file(header_line + good_row + "1,A,x,abc,2010-12-01 08:26:00,1,,France\n");
  CHECK(message_of([&] { order_log::load(broken); }) == broken + ":3: field Quantity: 'abc' is not a whole number");
}

TEST_CASE("order_log: a file reads as the same text does and a moved log keeps its names") {
  const temporary_path place;
  auto read = order_log::load(place.file(header_line + good_row));
  const order_log moved = std::move(read);
  CHECK(moved.rows().size() == 1);
  CHECK(moved.stock_codes().front() == "85123A");
  CHECK(moved.invoices().front() == "536365");
}

TEST_CASE("order_log: an order is a run of rows with one invoice number") {
  const auto row = [](const std::string& invoice) { return invoice + ",A,x,1,2010-12-01 08:26:00,1,,France\n"; };
  const auto log = log_of(row("1") + row("1") + row("2") + row("1"));
  CHECK(leading_order(log.rows()).size() == 2);
  CHECK(leading_order(log.rows().subspan(2)).size() == 1);
  CHECK(leading_order(log.rows().subspan(3)).size() == 1);
  CHECK(leading_order({}).empty());
}

TEST_CASE("order_log: the sample log holds the traps of the real one") {
#ifdef TROUPE_SOURCE_DIR
  const fs::path source = TROUPE_SOURCE_DIR;
#else
  const fs::path source = fs::path{__FILE__}.parent_path() / "../../..";
#endif
  const auto log = order_log::load((source / "examples/order_simulation/sample_orders.csv").string());
  const auto rows = log.rows();
  CHECK(rows.size() > 1500);
  std::set<std::string_view> codes{log.stock_codes().begin(), log.stock_codes().end()};
  CHECK(codes.contains("85123A"));
  CHECK(codes.contains("85123a"));
  const auto any = [&](auto&& claim) { return std::any_of(rows.begin(), rows.end(), claim); };
  CHECK(any([](const order_row& r) { return !r.is_sale(); }));
  CHECK(any([](const order_row& r) { return r.unit_price_milli == 0; }));
  CHECK(any([](const order_row& r) { return r.unit_price_milli < 0; }));
  CHECK(any([](const order_row& r) { return r.unit_price_milli % 10 != 0; }));
  std::size_t runs = 0;
  for (auto rest = rows; !rest.empty(); rest = rest.subspan(leading_order(rest).size()))
    ++runs;
  CHECK(runs > log.invoices().size());
}
