// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rate_table.hpp"

#include <string>

namespace market_data {

/// Reads the euro reference rates of the European Central Bank (`eurofxref-hist.csv`): a line `Date,USD,JPY,...,` and one
/// line for each day, newest first, with the units of each currency for one euro, or `N/A` where there is none.
rate_table read_ecb(const std::string& path);

/// Reads the monthly rates of the US Federal Reserve (`fed_monthly.csv`): a line `Date,Country,Exchange rate`, then the
/// mean over a month, dated by its first day.
///
/// All are units of the country's currency for one US dollar. The description beside the file says the opposite of some,
/// the euro among them, but the numbers are not: the euro's is 1.05 in June 2000, when it stood at 0.95 dollars;
/// `quoting_of` tells. Countries become codes (`Germany` DEM, `Euro` EUR); an unknown one is an error.
rate_table read_fed(const std::string& path);

} // namespace market_data
