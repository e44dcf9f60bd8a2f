// SPDX-License-Identifier: BSD-3-Clause
// Shows: a pipeline from readings to averages per sensor and second, of which stages fail now and then.
//
// Run:   build/release/bin/10_pipeline
//
// Output:
//   source "source": event_times
//   stage "stage" x 2: window <- "source" by_key
//   sink "sink": for_each <- "stage" forward
//   12:00:00 sensor 1: 20 of 4
//   12:00:00 sensor 2: 7 of 2
//   12:00:01 sensor 1: 30 of 1
//   over: yes, failures: yes

#include <troupe/pipeline/pipeline.hpp>
#include <troupe/system.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace pipeline = troupe::pipeline;

// [snippet element]
struct reading {
  int sensor;
  int value;
  pipeline::event_time time; // when it was taken, not when it arrives
};
// [end]

// [snippet accumulator]
struct average {
  void add(const reading& r) {
    sum += r.value;
    ++n;
  }
  average result() const { return *this; }

  int sum = 0;
  int n = 0;
};
// [end]

int main() {
  const auto noon = pipeline::event_time{std::chrono::sys_days{std::chrono::March / 20 / 2026}} + 12h;
  const std::vector<reading> readings{{1, 10, noon},          {1, 30, noon + 700ms}, {2, 5, noon + 200ms},
                                      {1, 30, noon + 1100ms}, {1, 20, noon + 400ms}, // late, but not too late
                                      {2, 9, noon + 900ms},   {1, 20, noon + 999ms}};

  // [snippet plan]
  std::set<std::string> lines;
  const auto plan = pipeline::from_values(readings)
                        .event_times(1s) // out of order by at most a second
                        .key_by(&reading::sensor, 2)
                        .window(pipeline::tumbling{1s}, average{})
                        .for_each([&](const pipeline::windowed<int, average>& w) {
                          const auto second = (w.window.start.time_since_epoch() / 1s) % 60;
                          lines.insert("12:00:0" + std::to_string(second) + " sensor " + std::to_string(w.key) + ": " +
                                       std::to_string(w.value.sum / w.value.n) + " of " + std::to_string(w.value.n));
                        });
  // [end]
  std::printf("%s", plan.to_text().c_str());

  // [snippet start]
  troupe::system_options options;
  options.faults = std::make_shared<troupe::fault_injector>(0.3, 1); // to show that it does not matter
  troupe::system sys{options};
  const auto running = plan.start(sys, "averages", {.stages = {.batch_size = 1}});
  const troupe::result<void> end = running.wait(10s);
  // [end]

  for (const auto& line : lines)
    std::printf("%s\n", line.c_str());
  std::printf("over: %s, failures: %s\n", end ? "yes" : end.error().what.c_str(), sys.restarts() > 0 ? "yes" : "no");
  return sys.shutdown().exit_code();
}
