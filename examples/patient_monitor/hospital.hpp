// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "alert_log.hpp"
#include "patient.hpp"
#include "report.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace patient_monitor {

struct hospital_options {
  std::uint64_t patients = 1'000;
  std::uint32_t wards = 8;
  double length = 0;     ///< Seconds of each patient's stream; 0: without end, or the record once if it has no pace.
  double crash_rate = 0; ///< Share of all handlings of messages that fail.
  std::uint64_t seed = 1;
  std::chrono::milliseconds reaching_most{
      1'000};           ///< Of an alert, from its sample to the log; for a stream with a pace.
  std::string alerts{}; ///< File of the log; empty for none.
};

/// A row of the live table.
struct ward_row {
  std::uint64_t patients = 0;
  std::uint64_t samples = 0;
  std::uint64_t beats = 0;
  std::uint64_t alerts[alert_kinds] = {};
};

/// The run as it stands.
struct hospital_figures {
  std::chrono::nanoseconds elapsed{0};
  double rate = 0; ///< Samples per second of a stream.
  std::vector<ward_row> wards;
  std::uint64_t failures = 0;
  std::uint64_t restarts = 0;
  std::uint64_t done = 0; ///< Patients whose streams have ended.
};

/// Wards of patients, each ward a supervisor, and the log of their alerts. Threads: the owner's.
class hospital {
public:
  /// `source` outlives the hospital. With `system_options::stepped`, time is simulated and passes in `pass` alone.
  /// Errors: `text::output_error` if the log cannot be opened.
  hospital(const recording& source, std::shared_ptr<const rhythm_model> model, const hospital_options& options,
           troupe::system_options how);

  /// Lets time go by.
  void pass(std::chrono::nanoseconds time);

  hospital_figures figures() const;
  bool finished() const { return done_->load(std::memory_order_relaxed) == options_.patients; }

  /// Takes nothing more in, waits until the log has every alert, ends the system, and checks everything.
  /// Errors: `text::output_error` if the log could not be written.
  report finish();

private:
  struct ward {
    std::uint64_t patients = 0;
    ward_figures figures;
    troupe::supervisor supervisor;
  };

  void admit();
  void note(const troupe::event& e);
  bool come_to_rest();

  const recording& source_;
  const std::shared_ptr<const rhythm_model> model_;
  const hospital_options options_;
  const bool stepped_;
  std::shared_ptr<troupe::fault_injector> faults_;

  std::vector<std::unique_ptr<ward>> wards_;
  std::vector<std::shared_ptr<chart>> charts_;
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<std::uint64_t>> done_ = std::make_shared<std::atomic<std::uint64_t>>(0);

  // -- guarded by mutex_: events come on any thread --
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t> failures_; // by the patient's name

  troupe::system system_; // below what its actors use
  troupe::event_stream::subscription events_;
  std::unique_ptr<alert_log> log_;
  std::vector<troupe::ref<patient>> patients_;
  troupe::time_point start_;
};

} // namespace patient_monitor
