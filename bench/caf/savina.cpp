// SPDX-License-Identifier: BSD-3-Clause
#include "bench/caf/rows.hpp"

namespace bench {

void add_savina_rows(row_table&) {}

} // namespace bench
