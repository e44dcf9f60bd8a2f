// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>

#include "alert_log.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace sensor_analytics {

/// What a device sends.
struct reading {
  std::uint64_t number; ///< From 0 up, without gaps.
  nab::observation value;
};

/// Time to see whether the device is still there.
struct look {};

/// A group of series as the live table sees it. Threads: monitors and devices write, the owner reads; relaxed, for each
/// figure stands alone.
struct group_figures {
  std::atomic<std::uint64_t> readings{0};
  std::atomic<std::uint64_t> alerts[alert_kinds]{};
  std::atomic<std::int64_t> silent{0}; ///< Devices.
};

/// What a monitor knows of its device: it stays when the monitor fails and is restarted.
/// Threads: the monitor's turn; the owner's, once the system was shut down.
struct monitor_book {
  monitor_book(stream_plan stream, std::uint64_t id, group_figures& shown) : plan{stream}, device{id}, figures{shown} {}

  const stream_plan plan;
  const std::uint64_t device;
  group_figures& figures;

  stream_watch watch;
  std::uint64_t next = 0;      // the reading that is expected
  std::uint64_t processed = 0; // readings
  std::uint64_t repeated = 0;  // readings that came again: always 0, or something is wrong
  std::vector<std::uint64_t> lost;
  std::vector<located_finding> found;
  std::uint64_t alerts[alert_kinds] = {};
  std::deque<alert> unsent; // alerts that the log had no room for

  nab::observation last{};
  troupe::time_point last_at{};
  bool silent = false;
  std::uint32_t incarnations = 0;

  void take(const reading& r, troupe::time_point now);
  /// Whether the device has just fallen silent.
  void check(troupe::time_point now, std::chrono::nanoseconds timeout);

private:
  void raise(alert_kind what, double score);
};

struct monitor_options {
  std::chrono::nanoseconds silence{0};           ///< Without a reading before the device is silent; 0: never.
  std::shared_ptr<const std::atomic<bool>> over; ///< Set: no looking any more.
};

/// Watches one device: its readings with detectors, its silence with a timer.
class monitor final : public troupe::actor<monitor, reading, look> {
public:
  monitor(std::shared_ptr<monitor_book> book, monitor_options options, troupe::pipeline::inbox<alert> to);

  void on(const reading& r);
  void on(const look&);

private:
  void send_alerts();
  void look_again();

  std::shared_ptr<monitor_book> book_;
  monitor_options options_;
  troupe::pipeline::inbox<alert> to_;
};

} // namespace sensor_analytics
