// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace troupe::pipeline {

/// What one instance of a source, stage or sink has done so far.
struct stage_figures {
  std::string name;
  std::uint32_t instance = 0;
  std::uint64_t in = 0;      ///< Elements taken and done with.
  std::uint64_t out = 0;     ///< Elements handed on.
  std::uint64_t batches = 0; ///< Taken and done with.
  std::uint64_t skipped = 0; ///< Elements left out because they failed again and again.
  std::uint64_t refused = 0; ///< Elements offered to a full inbox.
  std::uint64_t failures = 0;
  event_time watermark = start_of_time;
};

/// The same, as the stage counts it. Threads: its turn writes, anyone reads; relaxed, for they are figures only.
class stage_counters {
public:
  void note_in(std::uint64_t elements) noexcept {
    add(in_, elements);
    add(batches_, 1);
  }
  void note_out(std::uint64_t elements, event_time watermark) noexcept {
    add(out_, elements);
    watermark_.store(watermark.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void note_skipped() noexcept { add(skipped_, 1); }
  void note_refused() noexcept { add(refused_, 1); }
  void note_failure() noexcept { add(failures_, 1); }

  void read(stage_figures& f) const noexcept {
    f.in = in_.load(std::memory_order_relaxed);
    f.out = out_.load(std::memory_order_relaxed);
    f.batches = batches_.load(std::memory_order_relaxed);
    f.skipped = skipped_.load(std::memory_order_relaxed);
    f.refused = refused_.load(std::memory_order_relaxed);
    f.failures = failures_.load(std::memory_order_relaxed);
    f.watermark = event_time{event_duration{watermark_.load(std::memory_order_relaxed)}};
  }

private:
  /// One writer: a load and a store are enough.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t by) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> in_{0};
  std::atomic<std::uint64_t> out_{0};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> skipped_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::int64_t> watermark_{start_of_time.time_since_epoch().count()};
};

} // namespace troupe::pipeline
