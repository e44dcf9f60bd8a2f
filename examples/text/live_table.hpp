// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "terminal.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace text {

/// Shows how a run goes on: on a terminal as a table that is redrawn in place, elsewhere as one line a second.
/// Threads: owner only.
class live_table {
public:
  /// `stream` stays the caller's and must outlive the table.
  live_table(std::FILE* stream, bool quiet);

  /// How often `show` should be called.
  std::chrono::milliseconds interval() const noexcept;

  /// `table(columns, color)` gives the lines of the table, `line()` the one line elsewhere; neither is terminated.
  template <class Table, class Line>
  void show(Table table, Line line) {
    if (quiet_)
      return;
    if (terminal_)
      block_.draw(table(block_.columns(), color_));
    else
      write(line());
  }

private:
  void write(const std::string& line);

  std::FILE* stream_;
  bool quiet_;
  bool terminal_;
  bool color_;
  drawn_block block_;
};

/// A number of `width` columns, in `color`, an escape sequence, unless it is 0 or there is none.
std::string cell(std::uint64_t value, int width, const char* color);

} // namespace text
