// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/pipeline.hpp>

#include "stream_watch.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

namespace sensor_analytics {

/// Something that people should know about a device.
struct alert {
  nab::time_point time; ///< Of the reading; of the last one, for a device that is silent.
  std::uint64_t device = 0;
  std::size_t series = 0;
  double value = 0;
  double score = 0; ///< 1 for `silent` and `back`.
  alert_kind what{};
};

/// Alerts by kind, of each series.
using alert_counts = std::map<std::size_t, std::array<std::uint64_t, alert_kinds>>;

/// Where monitors send their alerts: a pipeline that writes each to a file once, and counts them by series.
///
/// Threads: `inbox` any; the rest the owner's.
class alert_log {
public:
  /// Writes to `path`, CSV, as alerts come; with an empty path it counts only.
  /// Errors: `text::output_error` if the file cannot be opened.
  alert_log(troupe::system& system, const std::vector<recording>& recordings, const std::string& path);

  const troupe::pipeline::inbox<alert>& inbox() const noexcept { return inbox_; }

  /// No alerts will come any more. Then wait for `running().outcome()`.
  void close() { inbox_.close(); }
  const troupe::pipeline::running& running() const noexcept { return running_; }

  /// After its end: what was counted. Throws `text::output_error` if not all could be written.
  alert_counts finish();

private:
  struct closer {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, closer> file_; // the sink's, while the pipeline runs
  troupe::pipeline::inbox<alert> inbox_;
  troupe::pipeline::collection<alert_counts> counts_;
  troupe::pipeline::running running_;
};

/// One line of the log, without its end: `time,device,series,what,value,score`.
std::string to_line(const alert& a, const std::string& series);

} // namespace sensor_analytics
