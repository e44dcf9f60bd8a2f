// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace text {

/// Whether `stream` is a terminal that can move its cursor.
bool is_terminal(std::FILE* stream);

/// Whether output to `stream` should be colored: a terminal, and the user has not set NO_COLOR.
bool wants_color(std::FILE* stream);

/// A block of lines at the end of a terminal that is drawn again in its place. Threads: owner only.
class drawn_block {
public:
  /// `stream` stays the caller's and must outlive the block.
  explicit drawn_block(std::FILE* stream) : stream_{stream} {}

  /// The longest line that does not wrap, in columns.
  std::size_t columns() const;

  /// Draws the lines, none terminated, over those drawn before; escape sequences in them take no columns. Errors of the
  /// stream are ignored: a view that nobody can see must not end a run.
  void draw(const std::vector<std::string>& lines);

private:
  std::FILE* stream_;
  std::size_t drawn_ = 0; // lines on the screen
};

} // namespace text
