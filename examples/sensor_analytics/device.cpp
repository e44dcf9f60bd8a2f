// SPDX-License-Identifier: BSD-3-Clause
#include "device.hpp"

#include <algorithm>
#include <utility>

namespace sensor_analytics {

namespace {

using namespace std::chrono_literals;

constexpr int readings_most = 32; // at a tick: others want to send too
constexpr auto no_room_pause = 2ms;

} // namespace

device::device(std::shared_ptr<device_book> book, device_options options, troupe::ref<monitor> to)
    : book_{std::move(book)}, options_{std::move(options)}, to_{std::move(to)} {
  ++book_->incarnations;
  if (book_->due == troupe::time_point{})
    book_->due = now() + book_->plan.offset();
  tick_in(0ns); // also after a failure, which has ended the timer
}

void device::on(const tick&) {
  auto& b = *book_;
  if (options_.over->load(std::memory_order_relaxed) || b.sent == b.plan.readings()) {
    cancel_timer("tick"); // one may still run, if somebody else has sent this message
    return;
  }
  const auto interval = b.plan.source().interval;
  for (int i = 0; i < readings_most && b.due <= now(); ++i) {
    fault_point();
    if (fall_silent())
      break;
    if (to_.tell(reading{b.sent, b.plan[b.sent]}) != troupe::delivery::accepted) {
      ++b.refused;
      tick_in(no_room_pause);
      return;
    }
    ++b.sent;
    b.due += interval;
    if (b.sent == b.plan.readings()) {
      options_.done->fetch_add(1, std::memory_order_relaxed); // a figure for the owner
      return;
    }
  }
  tick_in(std::max<std::chrono::nanoseconds>(b.due - now(), 0ns));
}

/// Before a reading that is due: whether the device is silent from now on. It goes on where it was.
bool device::fall_silent() {
  auto& b = *book_;
  if (std::exchange(b.mute, false) || b.sent == 0 || options_.silence_rate == 0 ||
      random().unit() >= options_.silence_rate)
    return false;
  b.mute = true;
  ++b.silences;
  b.due = now() + options_.silence;
  return true;
}

} // namespace sensor_analytics
