// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "text/terminal.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace order_simulation {

struct queue_depth {
  std::string name;
  std::uint64_t messages = 0;
};

/// A run as it stands at one moment.
struct snapshot {
  std::chrono::milliseconds elapsed{0};
  double progress = 0;         ///< 0 to 1.
  std::uint64_t done = 0;      ///< Transactions ended.
  std::uint64_t in_flight = 0; ///< Transactions begun and not ended.
  double per_s = 0;            ///< Transactions per second of late.
  double p50_ms = 0;           ///< Latency of late.
  double p99_ms = 0;           ///< Latency of late.
  std::uint64_t restarts = 0;  ///< Since the start.
  std::vector<queue_depth> queues;
  std::vector<std::string> notices{}; ///< Further lines of the block; elsewhere the first one goes behind the others.
};

using text::is_terminal;
using text::wants_color;

/// Shows how a run goes on: on a terminal as a block that is redrawn in place, elsewhere as one line per second.
///
/// Threads: owner only. It starts none: call `show` as often as the block should move, some ten times per second; the
/// lines elsewhere are thinned out here.
class live_view {
public:
  enum class style { block, lines, silent };

  /// The style for a stream: `silent` if `quiet`, else by whether it is a terminal.
  static style style_for(std::FILE* stream, bool quiet);

  /// `stream` stays the caller's and must outlive the view.
  live_view(std::FILE* stream, style look) : stream_{stream}, style_{look}, block_{stream} {}

  /// Shows that the run is about to begin: so many of its actors are there.
  void show_opening(std::chrono::milliseconds elapsed, std::uint64_t opened, std::uint64_t all);

  /// Shows `now`. Errors of the stream are ignored: a view that nobody can see must not end a run.
  void show(const snapshot& now);

private:
  bool line_due(std::chrono::milliseconds elapsed);
  void write_line(const std::string& text);

  std::FILE* stream_;
  style style_;
  text::drawn_block block_;
  std::optional<std::chrono::milliseconds> last_line_at_{}; // elapsed time of the last plain line
};

/// One line, not terminated: `12.0 s   34 %   56,789 done   ...`.
std::string plain_line(const snapshot& now);

/// The same before there is anything to do.
std::string opening_line(std::chrono::milliseconds elapsed, std::uint64_t opened, std::uint64_t all);

/// The block as lines of at most `columns` characters, none terminated. At most four queues are shown, deepest first.
std::vector<std::string> block_lines(const snapshot& now, std::size_t columns);

} // namespace order_simulation
