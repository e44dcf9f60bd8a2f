// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>

#include "alert_log.hpp"
#include "bedside.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace patient_monitor {

/// A recorded lead, and how fast it is replayed.
struct recording {
  std::vector<double> samples;
  double rate = 0;  ///< Samples per second.
  double speed = 1; ///< Times that; 0: as fast as possible.

  /// How long so many samples take at that speed; 0 at full speed.
  std::chrono::nanoseconds time_of(std::uint64_t count) const noexcept {
    return std::chrono::nanoseconds{
        speed == 0 ? 0 : static_cast<std::int64_t>(static_cast<double>(count) / (rate * speed) * 1e9)};
  }
};

/// A ward as the live table sees it. Threads: patients write, the owner reads; relaxed, for each figure stands alone.
struct ward_figures {
  std::atomic<std::uint64_t> samples{0};
  std::atomic<std::uint64_t> beats{0};
  std::atomic<std::uint64_t> alerts[alert_kinds]{};
};

/// What is known of a patient: it stays when the actor fails and is restarted.
/// Threads: the actor's turn; the owner's, once the system was shut down.
struct chart {
  chart(std::uint64_t id, std::uint32_t in_ward, std::uint64_t first_sample, std::uint64_t sample_count,
        const recording& source, std::shared_ptr<const rhythm_model> model, ward_figures& shown)
      : patient{id}, ward{in_ward}, first{first_sample}, length{sample_count}, watch{source.rate, std::move(model)},
        figures{shown} {}

  const std::uint64_t patient;
  const std::uint32_t ward;
  const std::uint64_t first;  // sample of the record, at which this patient's stream begins
  const std::uint64_t length; // samples of the stream

  troupe::time_point start{};
  bool started = false;
  bedside watch;
  std::uint32_t incarnations = 0;
  std::vector<finding> found;
  std::deque<alert> unsent; // that the log had no room for
  ward_figures& figures;
};

struct patient_options {
  std::shared_ptr<const std::atomic<bool>> over;    ///< Set: nothing more is taken in.
  std::shared_ptr<std::atomic<std::uint64_t>> done; ///< Counts the patients whose streams have ended.
};

/// Time for the next samples.
struct packet_due {};

/// One patient: takes in what its lead has measured since the last time, twice a second of the stream.
class patient final : public troupe::actor<patient, packet_due> {
public:
  static constexpr double packet = 0.5; ///< Seconds of the stream.

  patient(std::shared_ptr<chart> book, const recording* source, patient_options options,
          troupe::pipeline::inbox<alert> to);

  void on(const packet_due&);

private:
  void take_packet(std::uint64_t samples);
  void send_alerts();

  std::shared_ptr<chart> chart_;
  const recording* source_; // outlives the system
  patient_options options_;
  troupe::pipeline::inbox<alert> to_;
};

} // namespace patient_monitor
