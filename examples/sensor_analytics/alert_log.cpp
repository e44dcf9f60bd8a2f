// SPDX-License-Identifier: BSD-3-Clause
#include "alert_log.hpp"

#include "text/output_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace sensor_analytics {

namespace {

// Beyond what devices and monitors of any run have on their way; monitors keep what is refused.
constexpr std::size_t waiting_most = 1'000'000;

[[noreturn]] void fail(const std::string& path) {
  throw text::output_error{fmt::format("{}: cannot be written: {}", path, std::generic_category().message(errno))};
}

} // namespace

std::string to_line(const alert& a, const std::string& series) {
  return fmt::format("{},{},{},{},{},{:.6f}", nab::to_text(a.time), a.device, series, name_of(a.what), a.value,
                     a.score);
}

alert_log::alert_log(troupe::system& system, const std::vector<recording>& recordings, const std::string& path)
    : path_{path}, inbox_{{.capacity = waiting_most}} {
  if (!path.empty()) {
    file_.reset(std::fopen(path.c_str(), "w"));
    if (file_ == nullptr || std::fputs("time,device,series,what,value,score\n", file_.get()) < 0)
      fail(path);
  }
  const auto write = [this, &recordings](const alert& a) {
    if (file_ != nullptr)
      std::fputs((to_line(a, recordings[a.series].data.name) + "\n").c_str(), file_.get());
  };
  const auto count = [](alert_counts& all, const alert& a) { ++all[a.series][static_cast<std::size_t>(a.what)]; };
  const auto alerts = troupe::pipeline::from(inbox_).boundary("alerts");
  running_ = alerts.for_each(write).with(alerts.fold(counts_, alert_counts{}, count)).start(system, "alert log");
}

alert_counts alert_log::finish() {
  alert_counts all;
  for (const auto& counts : counts_.take())
    for (const auto& [series, kinds] : counts)
      for (std::size_t k = 0; k < alert_kinds; ++k)
        all[series][k] += kinds[k];
  if (auto* file = file_.release(); file != nullptr) {
    const bool wrong = std::ferror(file) != 0;
    if (std::fclose(file) != 0 || wrong)
      fail(path_);
  }
  return all;
}

} // namespace sensor_analytics
