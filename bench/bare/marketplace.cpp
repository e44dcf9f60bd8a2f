// SPDX-License-Identifier: BSD-3-Clause
// The same actors with a journal that does not outlive the process: what the disk costs.
#include "bench/bare/journal.hpp"
#include "bench/support/journal_rows.hpp"
#include "bench/support/marketplace_run.hpp"

namespace bench {

void add_marketplace_rows(row_table& rows) {
  if (!has_marketplace)
    return;
  rows["marketplace"] = [](const run_size& size) {
    const journal_file file;
    run_marketplace(size, "memory", file.directory());
  };
}

} // namespace bench
