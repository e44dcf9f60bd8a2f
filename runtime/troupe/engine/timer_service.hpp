// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/timer_queue.hpp>
#include <troupe/seams.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe::engine {

/// Calls timers when they are due: one thread that sleeps until the earliest deadline, and for ever if there is none.
///
/// Timers are kept in shards, so that workers that arm and disarm at the same time do not meet. Arming wakes the thread
/// only if the deadline is earlier than the one it sleeps for; disarming never does (the thread may then wake once for
/// nothing, at the deadline that has gone). After firing it rests for 300 us, so that dense timers share wake-ups; a
/// timer on its own is not delayed. How this works without a lost wake-up is told in the .cpp.
///
/// Stepped mode, for simulation: no thread and one shard; time passes when `run_due` is called.
///
/// Threads: `arm` and `disarm` any; the rest as said there. Two calls for one node are to be ordered by its owner,
/// except `disarm` against `disarm` and against the node becoming due.
/// Limits: none of its own; 16 bytes per armed node beside the node. Out of memory in `arm` ends the process.
class timer_service {
public:
  struct stepped_t {};
  static constexpr stepped_t stepped{};

  /// The threaded mode, with `shards` (1..65'535) shards: one per worker and one for other threads is a good number.
  /// `time` is used as long as the thread runs, and must run as real time does.
  /// Errors: std::system_error if the thread cannot be started.
  timer_service(const clock& time, thread_factory& threads, unsigned shards);

  /// The stepped mode.
  explicit timer_service(stepped_t);

  timer_service(const timer_service&) = delete;
  timer_service& operator=(const timer_service&) = delete;

  /// Stops.
  ~timer_service();

  /// Lets `node.fire` be called at `at`, or as soon as possible if that has passed. *Requires*: `node` is not armed.
  ///
  /// `shard_hint` is any number; callers that use different numbers do not wait for each other (if there are enough
  /// shards). After `stop`, the node is taken and never fired.
  void arm(timer_node& node, time_point at, unsigned shard_hint) noexcept {
    shard& s = shards_[node.shard = shard_of(shard_hint)];
    bool earlier;
    {
      const std::lock_guard guard{s.mutex};
      s.queue.push(node, at);
      earlier = at < next_wake_.load(std::memory_order_relaxed); // relaxed: ordered by the shard's lock, see the .cpp
    }
    if (earlier) [[unlikely]]
      wake();
  }

  /// Takes the node back. True: it will not fire. False: it has been fired, or it is about to be, or its callback is
  /// running at this moment; or it was not armed.
  ///
  /// Does not wait for a callback, so that it can be called by one and under locks. An owner that gets false and wants
  /// to destroy the node must learn from the callback itself that it is over.
  bool disarm(timer_node& node) noexcept {
    shard& s = shards_[node.shard];
    const std::lock_guard guard{s.mutex};
    return s.queue.erase(node);
  }

  /// Ends the thread and waits for the callback that is running, if any. Timers that are still armed do not fire any
  /// more and can be disarmed. A second call does nothing. Threads: owner only, never a callback.
  void stop() noexcept;

  /// The earliest deadline of all armed timers, or time_point::max(). Threads: any.
  time_point next_deadline() const noexcept;

  /// Armed timers. Threads: any.
  std::size_t size() const noexcept;

  /// Calls `see(node)` for every armed node, under its shard's lock: `see` must not come back here. Threads: any.
  template <class See>
  void for_each(See see) const {
    for (unsigned i = 0; i < shard_count_; ++i) {
      const std::lock_guard guard{shards_[i].mutex};
      shards_[i].queue.for_each(see);
    }
  }

  /// Fires all timers due at `now` in the order of deadline, then of arming, those included that callbacks arm
  /// meanwhile. Returns how many. Stepped mode only. Threads: one at a time.
  std::size_t run_due(time_point now) noexcept;

private:
  struct alignas(64) shard {
    mutable std::mutex mutex; // leaf lock: nothing but the queue is touched under it
    timer_queue queue;
  };

  std::uint16_t shard_of(unsigned hint) const noexcept {
    return static_cast<std::uint16_t>(hint < shard_count_ ? hint : hint % shard_count_);
  }

  void wake() noexcept;
  void run() noexcept;

  /// Fires at most `most` due timers of `s`, counts them in `fired` and returns the earliest deadline left.
  static time_point fire_due(shard& s, time_point now, std::size_t most, std::size_t& fired) noexcept;

  void sleep_until(time_point at) noexcept;

  // -- immutable after construction --
  const unsigned shard_count_;
  const std::unique_ptr<shard[]> shards_;
  const clock* const time_; // null in stepped mode

  // -- atomic --
  alignas(64) std::atomic<time_point> next_wake_; // what the thread sleeps for; min: it is not to be woken
  alignas(64) std::atomic<std::uint32_t> doorbell_{0};
  std::atomic<bool> stopping_{false};

  // -- owner only --
  std::jthread thread_; // last: the others outlive it
};

} // namespace troupe::engine
