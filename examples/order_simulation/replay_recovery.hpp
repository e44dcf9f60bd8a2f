// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "replay_staff.hpp"

namespace order_simulation {

/// Finds out from what the stock actors have kept how far earlier processes of the run came, and fills in the book: the
/// answers so far, and what is to be fed again. Requires that the clerk does not work.
void recover(replay_staff& staff);

} // namespace order_simulation
