// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cmath>

namespace troupe::analytics {

/// One value of a stream. The time is the sender's, of whatever zone; detectors use its time of day and day of week.
struct observation {
  std::chrono::sys_seconds time;
  double value = 0;
};

/// Says of each value of a stream, as it comes, how unusual it is.
///
/// A score is in [0, 1] and depends on this value and those before it alone, so a prefix of a stream gets the same
/// scores as the whole. Equal streams get equal scores: what is random in a detector has a fixed seed. A detector
/// serves one stream; its memory does not grow with the stream.
/// Threads: owner only.
class anomaly_detector {
public:
  virtual ~anomaly_detector() = default;

  /// Beyond it, sums of squares would overflow.
  static constexpr double value_most = 1e150;

  /// Scores a value, then learns it. A value that is not finite, or beyond `value_most`, is a gap: its score is 0 and nothing
  /// is learnt. Times need not ascend.
  virtual double score(const observation& o) = 0;

protected:
  static bool is_gap(double value) noexcept { return !(std::abs(value) <= value_most); }
};

} // namespace troupe::analytics
