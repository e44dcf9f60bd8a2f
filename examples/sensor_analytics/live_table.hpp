// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "field.hpp"
#include "text/terminal.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace sensor_analytics {

/// Shows how a run goes on: on a terminal as a table that is redrawn in place, elsewhere as one line a second.
/// Threads: owner only.
class live_table {
public:
  /// `stream` stays the caller's and must outlive the table.
  live_table(std::FILE* stream, bool quiet);

  /// How often `show` should be called.
  std::chrono::milliseconds interval() const noexcept;

  void show(const field_figures& now);

private:
  std::FILE* stream_;
  bool quiet_;
  bool terminal_;
  bool color_;
  text::drawn_block block_;
  field_figures before_;
};

/// One line, not terminated, about what has come since `before`.
std::string plain_line(const field_figures& now, const field_figures& before);

/// The table, of at most `columns` columns, without line ends.
std::vector<std::string> table_lines(const field_figures& now, const field_figures& before, std::size_t columns,
                                     bool color);

} // namespace sensor_analytics
