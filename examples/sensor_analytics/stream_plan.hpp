// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nab/series.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sensor_analytics {

/// A series that devices replay, and how fast.
struct recording {
  nab::series data;
  std::string group;                    ///< The first folder of its name.
  std::chrono::nanoseconds interval{0}; ///< Between two readings of a device; 0: as fast as they are taken.
};

/// All series below `<folder>/data`, in order of name, each read at `speed` times the pace at which it was recorded: that of
/// the median of its intervals. 0: as fast as possible. A `text::input_error` names the file and line at fault.
std::vector<recording> read_recordings(const std::string& folder, double speed);

/// What one device replays: its series once, from a row of its own to the end and then from the start up to that row.
///
/// Series are dealt out to the devices in turn; those with the same series start at one of `phases` rows, so that they
/// show different parts of it at the same time. Immutable; the recording outlives it.
class stream_plan {
public:
  static constexpr std::size_t phases = 4;

  stream_plan(const std::vector<recording>& recordings, std::size_t device);

  const recording& source() const noexcept { return *source_; }
  std::size_t series() const noexcept { return series_; }
  std::size_t first_row() const noexcept { return first_; }
  std::size_t readings() const noexcept { return source_->data.rows.size(); }

  /// The `number`-th reading of the device, from 0 to `readings()` - 1.
  const nab::observation& operator[](std::size_t number) const {
    return source_->data.rows[(first_ + number) % readings()];
  }

  /// How long after the start the first reading is due: spreads the devices over the interval.
  std::chrono::nanoseconds offset() const noexcept { return offset_; }

private:
  const recording* source_;
  std::size_t series_;
  std::size_t first_;
  std::chrono::nanoseconds offset_;
};

} // namespace sensor_analytics
