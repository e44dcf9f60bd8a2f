// SPDX-License-Identifier: BSD-3-Clause
#include "alert_log.hpp"

#include "text/output_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace patient_monitor {

namespace {

constexpr std::size_t waiting_most = 1'000'000; // patients keep what is refused

[[noreturn]] void fail(const std::string& path) {
  throw text::output_error{fmt::format("{}: cannot be written: {}", path, std::generic_category().message(errno))};
}

double in_ms(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

} // namespace

std::string to_line(const alert& a, double rate, std::chrono::nanoseconds knowing, std::chrono::nanoseconds reaching) {
  return fmt::format("{:.3f},{},{},{},{:.4f},{:.0f},{:.1f}", static_cast<double>(a.what.about) / rate, a.patient,
                     a.ward, name_of(a.what.what), a.what.value, in_ms(knowing), in_ms(reaching));
}

alert_log::alert_log(troupe::system& system, double rate, const std::string& path)
    : path_{path}, inbox_{{.capacity = waiting_most}} {
  if (!path.empty()) {
    file_.reset(std::fopen(path.c_str(), "w"));
    if (file_ == nullptr || std::fputs("seconds,patient,ward,what,value,knowing_ms,reaching_ms\n", file_.get()) < 0)
      fail(path);
  }
  const auto log = [this, &system, rate](const alert& a) {
    const auto knowing = std::chrono::nanoseconds{
        static_cast<std::int64_t>(static_cast<double>(a.what.decided - a.what.about) / rate * 1e9)};
    const auto reaching = system.now() - a.due;
    summary_.knowing.record(knowing);
    summary_.reaching.record(reaching);
    ++summary_.alerts[static_cast<std::size_t>(a.what.what)];
    if (file_ != nullptr)
      std::fputs((to_line(a, rate, knowing, reaching) + "\n").c_str(), file_.get());
  };
  running_ = troupe::pipeline::from(inbox_).for_each(log).start(system, "alert log");
}

alert_log::summary alert_log::finish() {
  if (auto* file = file_.release(); file != nullptr) {
    const bool wrong = std::ferror(file) != 0;
    if (std::fclose(file) != 0 || wrong)
      fail(path_);
  }
  return summary_;
}

} // namespace patient_monitor
