// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace bench {

using steady = std::chrono::steady_clock;

inline std::int64_t now_ns() noexcept { return steady::now().time_since_epoch().count(); }

/// What a program prints for one figure: `row unit value check`. The driver compares `check` with what must come out.
inline void print_figure(const char* row, const char* unit, double value, std::int64_t check) {
  std::printf("%s %s %.6g %lld\n", row, unit, value, static_cast<long long>(check));
}

/// Time between a start outside and the end of the last handler. Threads: `start`, `wait` one; `arrive` any.
class stopwatch {
public:
  void start() noexcept { start_ = now_ns(); }

  /// The last of all handlers calls this, once.
  void arrive() noexcept {
    end_ = now_ns();
    done_.store(true);
    done_.notify_all();
  }

  void wait() const noexcept { done_.wait(false); }
  double ns() const noexcept { return static_cast<double>(end_ - start_); }

  void print(const char* row, std::uint64_t operations, std::int64_t check) const {
    print_figure(row, "ns", ns() / static_cast<double>(operations), check);
  }

private:
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::atomic<bool> done_{false};
};

/// The `q` quantile (0..1) of `samples`, which it sorts; 0 for none.
inline double quantile(std::vector<std::int64_t>& samples, double q) {
  if (samples.empty())
    return 0;
  std::sort(samples.begin(), samples.end());
  const auto last = samples.size() - 1;
  return static_cast<double>(
      samples[std::min(last, static_cast<std::size_t>(q * static_cast<double>(samples.size())))]);
}

/// Savina's generator: the same sequence in every peer.
class savina_random {
public:
  explicit savina_random(std::int64_t seed = 74755) noexcept : value_{seed} {}
  std::int64_t next() noexcept { return value_ = (value_ * 1309 + 13849) & 65535; }

private:
  std::int64_t value_;
};

/// Work of a fixed size that no compiler removes: `steps` steps of Savina's generator.
inline std::int64_t burn(std::int64_t seed, int steps) noexcept {
  auto value = seed;
  for (int i = 0; i < steps; ++i)
    value = (value * 1309 + 13849) & 65535;
  return value;
}

inline void sleep_ns(std::int64_t ns) noexcept {
  if (ns <= 0)
    return;
  timespec pause{ns / 1'000'000'000, ns % 1'000'000'000};
  nanosleep(&pause, nullptr);
}

/// CPU time and context switches of this process.
struct process_usage {
  double cpu_seconds;
  std::int64_t switches;

  static process_usage now() noexcept {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return {seconds(u.ru_utime) + seconds(u.ru_stime), u.ru_nvcsw + u.ru_nivcsw};
  }
};

/// Resident memory of this process in bytes.
inline std::int64_t resident_bytes() {
  long long total = 0;
  long long resident = 0;
  if (auto* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%lld %lld", &total, &resident) != 2)
      resident = 0;
    std::fclose(f);
  }
  return resident * sysconf(_SC_PAGESIZE);
}

} // namespace bench
