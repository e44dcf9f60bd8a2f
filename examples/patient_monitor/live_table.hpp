// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hospital.hpp"
#include "text/terminal.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace patient_monitor {

/// Shows how a run goes on: on a terminal as a table of the wards that is redrawn in place, elsewhere as one line a second.
/// Threads: owner only.
class live_table {
public:
  /// `stream` stays the caller's and must outlive the table.
  live_table(std::FILE* stream, bool quiet);

  /// How often `show` should be called.
  std::chrono::milliseconds interval() const noexcept;

  void show(const hospital_figures& now);

private:
  std::FILE* stream_;
  bool quiet_;
  bool terminal_;
  bool color_;
  text::drawn_block block_;
};

/// One line, not terminated.
std::string plain_line(const hospital_figures& now);

/// The table, of at most `columns` columns where these are 60 or more, without line ends. At most twenty wards.
std::vector<std::string> table_lines(const hospital_figures& now, std::size_t columns, bool color);

} // namespace patient_monitor
