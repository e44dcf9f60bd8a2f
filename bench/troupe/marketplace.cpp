// SPDX-License-Identifier: BSD-3-Clause
#include "bench/support/journal_rows.hpp"
#include "bench/support/marketplace_run.hpp"
#include "bench/troupe/rows.hpp"

namespace bench {

void add_marketplace_rows(row_table& rows) {
  if (!has_marketplace)
    return;
  rows["marketplace"] = [](const run_size& size) {
    const journal_file file;
    run_marketplace(size, file.directory() + "/shop", file.directory());
  };
}

} // namespace bench
