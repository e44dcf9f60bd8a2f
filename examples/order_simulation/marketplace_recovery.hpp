// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "marketplace_traffic.hpp"

#include <memory>
#include <vector>

namespace order_simulation {

/// What earlier processes of the run have left: gives the drivers their sums, and as `recovered` every transaction that
/// has begun to change the shop and is not known to have ended. A delivery or a look at a dashboard that was cut off is
/// forgotten: nobody was told anything.
///
/// Asks all carts, products, sellers and diaries. Requires that no driver works.
void recover(marketplace_plan& plan, const std::vector<std::shared_ptr<driver_book>>& books);

} // namespace order_simulation
