// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "alert_log.hpp"
#include "device.hpp"
#include "monitor.hpp"
#include "report.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sensor_analytics {

struct field_options {
  std::size_t devices = 1'000;
  double crash_rate = 0;   ///< Share of all handlings of messages that fail.
  double silence_rate = 0; ///< Share of readings before which a device is silent for a while.
  std::uint64_t seed = 1;
  std::string alerts{}; ///< File of the log; empty for none.
};

/// A row of the live table.
struct group_row {
  std::string name;
  std::uint64_t devices = 0;
  std::uint64_t readings = 0;
  std::uint64_t alerts[alert_kinds] = {};
  std::uint64_t silent = 0; ///< Now.
};

/// The run as it stands.
struct field_figures {
  std::chrono::nanoseconds elapsed{0};
  std::vector<group_row> groups;
  std::uint64_t readings = 0;
  std::uint64_t failures = 0;
  std::uint64_t restarts = 0;
  std::uint64_t done = 0; ///< Devices that have sent all.
};

/// Thousands of devices and their monitors, under two supervisors of each group of series, and the log of their alerts.
///
/// Threads: the owner's.
class field {
public:
  /// `recordings` outlive the field. With `system_options::stepped`, time is simulated and passes in `pass` alone.
  /// Errors: `text::output_error` if the log cannot be opened.
  field(const std::vector<recording>& recordings, const field_options& options, troupe::system_options how);

  /// Lets time go by.
  void pass(std::chrono::nanoseconds time);

  field_figures figures() const;
  bool finished() const { return done_->load(std::memory_order_relaxed) == options_.devices; }

  /// Stops the devices, waits until all that was accepted is done with, ends the system, and checks everything.
  /// Errors: `text::output_error` if the log could not be written.
  report finish();

private:
  struct site {
    std::string name;
    std::uint64_t devices = 0;
    group_figures figures;
    troupe::supervisor monitors;
    troupe::supervisor sensors;
  };

  void build();
  site& site_of(const std::string& group);
  bool come_to_rest();
  void drain_log();

  const std::vector<recording>& recordings_;
  const field_options options_;
  const bool stepped_;
  std::shared_ptr<troupe::fault_injector> faults_;

  std::map<std::string, std::unique_ptr<site>> sites_; // by group
  std::vector<std::shared_ptr<device_book>> device_books_;
  std::vector<std::shared_ptr<monitor_book>> monitor_books_;
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<std::uint64_t>> done_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  // As the system's events say; relaxed: read when nothing happens any more.
  std::atomic<std::uint64_t> lost_{0};     // readings
  std::atomic<std::uint64_t> failures_{0}; // of devices and monitors

  troupe::system system_; // below what its actors use
  troupe::event_stream::subscription events_;
  std::unique_ptr<alert_log> log_;
  std::vector<troupe::ref<monitor>> monitors_;
  std::vector<troupe::ref<device>> devices_;
  troupe::time_point start_;
};

} // namespace sensor_analytics
