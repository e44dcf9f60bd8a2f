// SPDX-License-Identifier: BSD-3-Clause
// Claim: rates are read exactly, answered as of a day, and turned and compared between sources; faults are named with
// their place.
// Observed: small files, and the real ones, if they are at hand (see support/shared_data.hpp).
#include "market_data/rate_files.hpp"
#include "market_data/reconciliation.hpp"
#include "support/shared_data.hpp"
#include "text/csv.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace market_data;
using doctest::Approx;
using std::chrono::days;

namespace {

date day(std::string_view text) { return *parse_date(text); }

/// Calls `use` with the path of a file that holds `text`.
template <class Use>
auto with_file(std::string_view text, Use use) {
  const auto path = (fs::temp_directory_path() / ("troupe_rates_test_" + std::to_string(::getpid()))).string();
  std::ofstream{path} << text;
  struct removal {
    const std::string& path;
    ~removal() { fs::remove(path); }
  } at_end{path};
  return use(path);
}

/// What is said of a file that holds `text`, without its name.
template <class Read>
std::string fault(std::string_view text, Read read) {
  return with_file(text, [&](const std::string& path) -> std::string {
    try {
      read(path);
    } catch (const text::input_error& e) {
      const std::string said = e.what();
      return said.starts_with(path) ? said.substr(path.size()) : said;
    }
    return {};
  });
}

rate_table small_table() {
  return with_file("Date,USD,JPY,SIT,\n2007-01-03,1.2,120,N/A,\n2006-12-29,1.25,N/A,239.64,\n2006-12-28,1.3,130,240,\n",
                   read_ecb);
}

} // namespace

TEST_CASE("rates: the European file is read with its gaps") {
  const auto table = small_table();
  CHECK(table.base() == "EUR");
  CHECK(table.days_of("USD").size() == 3);
  CHECK(table.days_of("JPY").size() == 2);
  CHECK(table.days_of("SIT").size() == 2);
  CHECK(table.days_of("XXX").empty());
}

TEST_CASE("rates: as of a day the last rate holds until it is too old") {
  const auto table = small_table();
  CHECK(table.as_of("USD", day("2006-12-31"), days{4})->rate == 1.25);
  CHECK(table.as_of("USD", day("2006-12-31"), days{4})->day == day("2006-12-29"));
  CHECK(table.as_of("SIT", day("2007-01-02"), days{4})->rate == 239.64);
  CHECK_FALSE(table.as_of("SIT", day("2007-01-03"), days{4})); // ended
  CHECK_FALSE(table.as_of("USD", day("2006-12-27"), days{4}));
  CHECK(table.as_of("EUR", day("1990-01-01"), days{0})->rate == 1);
}

TEST_CASE("rates: a cross takes both rates from the same day") {
  const auto table = small_table();
  const auto cross = table.cross("USD", "JPY", day("2006-12-30"), days{4});
  REQUIRE(cross);
  CHECK(cross->day == day("2006-12-28"));
  CHECK(cross->rate == Approx(100));
  CHECK(table.cross("JPY", "EUR", day("2007-01-03"), days{0})->rate == Approx(1.0 / 120));
  CHECK_FALSE(table.cross("USD", "SIT", day("2007-01-03"), days{2}));
}

TEST_CASE("rates: a fault of a file is named with its line") {
  CHECK(fault("", read_ecb) == ": is empty");
  CHECK(fault("Day,USD,\n", read_ecb) == ":1: the header does not begin with 'Date' and the names of currencies");
  CHECK(fault("Date,USD,\n2007-02-29,1,\n", read_ecb) == ":2: Date: '2007-02-29' is not a day YYYY-MM-DD");
  CHECK(fault("Date,USD,\n2007-02-28,-1,\n", read_ecb) == ":2: USD: '-1' is not a rate above 0");
  CHECK(fault("Date,USD,\n2007-02-28,1,2,\n", read_ecb) == ":2: 3 fields, not 2");
  CHECK(fault("Date,USD,\n2007-02-28,1,\n2007-02-28,1,\n", read_ecb) == ":3: USD: a second rate of 2007-02-28");
  CHECK(fault("Date,Country,Exchange rate\n2007-02-01,Atlantis,1\n", read_fed) ==
        ":2: Country: 'Atlantis' is not known");
  CHECK(fault("Date,Country,Exchange rate\n2007-02-01,Japan,1e\n", read_fed) ==
        ":2: Exchange rate: '1e' is not a rate above 0");
}

TEST_CASE("rates: an inverted quoting is found and turned") {
  rate_table daily{"EUR"};
  rate_table monthly{"USD"};
  for (int i = 0; i < 90; ++i) {
    const date d = day("2001-01-01") + days{i};
    daily.add("USD", d, 0.9);
    daily.add("GBP", d, 0.63);
    daily.add("JPY", d, 99);
    if (month_of(d) == d) {
      monthly.add("GBP", d, 0.7);
      monthly.add("EUR", d, 0.9); // dollars for a euro: inverted
      monthly.add("JPY", d, 55);  // half of what it is
      monthly.add("AUD", d, 2);   // the other source has none
    }
  }
  const auto found = reconcile(monthly, daily);
  REQUIRE(found.size() == 3);
  CHECK(found[0].currency == "EUR");
  CHECK(found[0].how == quoting::inverted);
  CHECK(found[0].worst_difference == Approx(0).epsilon(1e-9));
  CHECK(found[1].how == quoting::same);
  CHECK(found[1].months == 3);
  CHECK(found[2].how == quoting::neither);
}

TEST_CASE("rates: the two real sources agree on every currency that both have") {
  const auto folder = support::shared_data("fx");
  if (folder.empty())
    return;
  const auto ecb = read_ecb((folder / "eurofxref-hist.csv").string());
  const auto fed = read_fed((folder / "fed_monthly.csv").string());
  std::size_t rates = 0;
  for (const auto& c : ecb.currencies())
    rates += ecb.days_of(c).size();
  CHECK(ecb.currencies().size() == 41);
  CHECK(rates == 41 * 6'983 - 68'748);
  const auto found = reconcile(fed, ecb);
  CHECK(found.size() == 20);
  for (const auto& a : found) {
    CAPTURE(a.currency);
    CHECK(a.how == quoting::same); // the euro, too: euros for a dollar, whatever the description says
    CHECK(a.months >= 200);
    CHECK(a.median_difference < 0.002);
    CHECK(a.worst_difference < 0.02);
  }
}
