// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/latency_histogram.hpp>

#include <troupe/pipeline/pipeline.hpp>

#include "bedside.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace patient_monitor {

/// A finding on its way to the log.
struct alert {
  std::uint64_t patient = 0;
  std::uint32_t ward = 0;
  finding what{};
  troupe::time_point due{}; ///< When the sample came with which it was known; at full speed, when that was worked on.
};

/// Where patients send their alerts: a pipeline that writes each to a file once, and measures how long that took.
///
/// Threads: `inbox` any; the rest the owner's.
class alert_log {
public:
  /// Writes to `path`, CSV, as alerts come; with an empty path it measures only. `rate`: samples per second.
  /// Errors: `text::output_error` if the file cannot be opened.
  alert_log(troupe::system& system, double rate, const std::string& path);

  const troupe::pipeline::inbox<alert>& inbox() const noexcept { return inbox_; }

  /// No alerts will come any more. Then wait for `running().outcome()`.
  void close() { inbox_.close(); }
  const troupe::pipeline::running& running() const noexcept { return running_; }

  /// What was logged, by kind, and with which delays.
  struct summary {
    std::array<std::uint64_t, alert_kinds> alerts{};
    troupe::analytics::latency_histogram
        knowing; ///< From what an alert is about to the sample that tells: time of the stream.
    troupe::analytics::latency_histogram reaching; ///< From that sample to the log: real time.
  };

  /// After its end. Throws `text::output_error` if not all could be written.
  summary finish();

private:
  struct closer {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, closer> file_; // the sink's, while the pipeline runs, as is the summary
  summary summary_;
  troupe::pipeline::inbox<alert> inbox_;
  troupe::pipeline::running running_;
};

/// One line of the log, without its end: `seconds,patient,ward,what,value,knowing_ms,reaching_ms`.
std::string to_line(const alert& a, double rate, std::chrono::nanoseconds knowing, std::chrono::nanoseconds reaching);

} // namespace patient_monitor
