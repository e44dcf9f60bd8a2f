// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bench/support/measurement.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// Times that one actor notes and one thread waits for.
class samples {
public:
  explicit samples(std::uint64_t expected = 0) { expect(expected); }

  void expect(std::uint64_t n) {
    times_.clear();
    times_.reserve(n);
    expected_ = n;
    added_.store(0);
  }

  void add(std::int64_t ns) {
    times_.push_back(ns);
    added_.store(times_.size()); // publishes the sample
  }

  std::uint64_t added() const noexcept { return added_.load(); }

  void wait() const {
    while (added_.load() < expected_)
      sleep_ns(100'000);
  }

  void print(const std::string& row, double q) {
    print_figure(row.c_str(), "us", quantile(times_, q) / 1'000, static_cast<std::int64_t>(times_.size()));
  }

private:
  std::vector<std::int64_t> times_;
  std::uint64_t expected_ = 0;
  std::atomic<std::uint64_t> added_{0};
};

inline constexpr int server_count = 8;
inline constexpr int request_cost = 8'000; ///< steps of `burn`: a few ten microseconds

/// Finds out how many requests a second the system takes when some are always waiting, then offers `percent` of that
/// with exponential gaps, and prints p50, p99 (the row itself) and p99.9 of the time from due to done.
template <class Send>
void measure_latency(int percent, std::uint64_t n, samples& all, Send send) {
  constexpr std::uint64_t calibration = 6'000;
  constexpr std::uint64_t waiting = 64;
  all.expect(calibration);
  const auto begun = now_ns();
  for (std::uint64_t i = 0; i < calibration; ++i) {
    while (i - all.added() >= waiting)
      sleep_ns(50'000);
    send(now_ns());
  }
  all.wait();
  const auto gap = static_cast<double>(now_ns() - begun) / static_cast<double>(calibration) * 100.0 / percent;

  // At low load fewer requests, so that the run takes at most about two seconds.
  const auto requests = std::max<std::uint64_t>(300, std::min(n, static_cast<std::uint64_t>(2e9 / gap)));
  all.expect(requests);
  savina_random dice;
  auto due = static_cast<double>(now_ns() + 5'000'000);
  for (std::uint64_t i = 0; i < requests; ++i) {
    sleep_ns(static_cast<std::int64_t>(due) - now_ns());
    send(static_cast<std::int64_t>(due));
    due -= gap * std::log((static_cast<double>(dice.next()) + 1.0) / 65536.0);
  }
  all.wait();
  const auto row = "latency-" + std::to_string(percent);
  all.print(row, 0.99);
  all.print(row + "-p50", 0.5);
  all.print(row + "-p999", 0.999);
}

} // namespace bench
