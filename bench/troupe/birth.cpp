// SPDX-License-Identifier: BSD-3-Clause
#include "bench/troupe/rows.hpp"

namespace bench {

void add_birth_rows(row_table&) {}

} // namespace bench
