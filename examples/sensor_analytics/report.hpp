// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "alert_log.hpp"
#include "device.hpp"
#include "monitor.hpp"
#include "text/invariants.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sensor_analytics {

/// What is known at the end of a run.
struct audit {
  const std::vector<recording>& recordings;
  const std::vector<std::shared_ptr<device_book>>& devices;
  const std::vector<std::shared_ptr<monitor_book>>& monitors; ///< Of the devices, in their order.
  const alert_counts& logged;
  double seconds = 0; ///< From the start to the word to stop.
  troupe::time_point now{};
  std::uint64_t lost = 0;     ///< Readings that the system says were given up.
  std::uint64_t failures = 0; ///< Of devices and monitors, as the system's events say.
  bool log_ended = false;     ///< In good order.
  bool at_rest = false;       ///< All that was accepted was done with.
  std::uint64_t unaccounted = 0;
  bool clean_end = false;
};

/// One series in the eyes of all its devices.
struct series_row {
  std::string name;
  std::uint64_t devices = 0;
  std::uint64_t readings = 0;
  std::uint64_t alerts[alert_kinds] = {};
  std::uint64_t expected[alert_kinds] = {}; ///< Of the detectors over the same readings at once: `level` and `pattern`.
};

using text::invariant;

struct report {
  std::uint64_t devices = 0;
  double seconds = 0;
  std::uint64_t accepted = 0; ///< Readings, here and below.
  std::uint64_t processed = 0;
  std::uint64_t lost = 0;
  std::uint64_t refused = 0;     ///< Sent again later.
  std::uint64_t finished = 0;    ///< Devices that have sent all.
  std::uint64_t went_silent = 0; ///< How often devices did.
  std::uint64_t noticed = 0;     ///< How often monitors said so.
  std::uint64_t failures = 0;    ///< Of devices and monitors, here and below.
  std::uint64_t restarts = 0;
  std::vector<series_row> series;
  std::vector<invariant> invariants;

  bool holds() const;
};

/// Runs the detectors once more, over what each device has sent, and compares.
report make_report(const audit& a);

std::string to_text(const report& r, bool color);
std::string to_json(const report& r);

} // namespace sensor_analytics
