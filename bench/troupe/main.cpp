// SPDX-License-Identifier: BSD-3-Clause
#include "bench/troupe/rows.hpp"

int main(int argc, char** argv) {
  bench::row_table rows;
  bench::add_messaging_rows(rows);
  bench::add_flood_rows(rows);
  bench::add_birth_rows(rows);
  bench::add_savina_rows(rows);
  bench::add_exchange_rows(rows);
  bench::add_latency_rows(rows);
  bench::add_footprint_rows(rows);
  bench::add_journal_rows(rows);
  bench::add_marketplace_rows(rows);
  return bench::run_row(argc, argv, rows);
}
