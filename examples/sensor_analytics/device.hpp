// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>

#include "monitor.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace sensor_analytics {

/// Time for a reading.
struct tick {};

/// What a device remembers: it stays when the device fails and is restarted.
/// Threads: the device's turn; the owner's, once the system was shut down.
struct device_book {
  explicit device_book(stream_plan stream) : plan{stream} {}

  const stream_plan plan;
  troupe::time_point due{};  // of the next reading; of none yet
  std::uint64_t sent = 0;    // readings that the monitor's mailbox has accepted
  std::uint64_t refused = 0; // times that it had no room; such a reading is sent again
  std::uint64_t silences = 0;
  bool mute = false; // silent until `due`
  std::uint32_t incarnations = 0;
};

struct device_options {
  double silence_rate = 0;                       ///< Share of readings before which the device is silent for a while.
  std::chrono::nanoseconds silence{0};           ///< How long then.
  std::shared_ptr<const std::atomic<bool>> over; ///< Set: the device sends nothing any more.
  std::shared_ptr<std::atomic<std::uint64_t>> done; ///< Counts the devices that have sent all.
};

/// A sensor in the field: sends its readings to its monitor, each when it is due.
class device final : public troupe::actor<device, tick> {
public:
  device(std::shared_ptr<device_book> book, device_options options, troupe::ref<monitor> to);

  void on(const tick&);

private:
  bool fall_silent();
  void tick_in(std::chrono::nanoseconds delay) { after("tick", delay, tick{}); }

  std::shared_ptr<device_book> book_;
  device_options options_;
  troupe::ref<monitor> to_;
};

} // namespace sensor_analytics
