// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../report.hpp"

#include <string>

namespace order_simulation {

/// The analytics of a run as one HTML page that needs nothing else: revenue by period and country, the best products, the
/// order rate with its anomalies, sellers, and whether everything was found to be exact.
///
/// *Requires*: `r.analytics`.
std::string to_html(const report& r);

} // namespace order_simulation
