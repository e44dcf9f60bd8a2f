// SPDX-License-Identifier: BSD-3-Clause
// Sums by key and second over the lines of <directory>/in, with checkpoints in <directory>/journal, into <directory>/out. In
// all lives but the later ones it kills itself somewhere. For checkpoint_test.cpp.
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/pipeline/pipeline.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
namespace pl = troupe::pipeline;

namespace {

struct reading {
  int key = 0;
  long ms = 0;
  long value = 0;
  pl::event_time time() const { return pl::event_time{std::chrono::milliseconds{ms}}; }
};

reading parse(std::string_view line) {
  reading r;
  if (std::sscanf(std::string{line}.c_str(), "%d %ld %ld", &r.key, &r.ms, &r.value) != 3)
    throw std::runtime_error{"not three numbers"};
  return r;
}

long value_of(const reading& r) { return r.value; }

} // namespace

int main(int, char** argv) try {
  const std::string directory = argv[1];
  const auto life = std::stoul(argv[2]);
  // The lives get longer, so that the run ends; the last ones are not cut off.
  auto left = std::make_shared<std::atomic<long>>(
      life < 12 ? static_cast<long>(1'000 + troupe::seeded_random(life)->below(6'000)) : 1'000'000'000);
  const auto die_in_time = [left](const reading& r) {
    if (left->fetch_sub(1, std::memory_order_relaxed) == 0)
      ::kill(::getpid(), SIGKILL);
    return r;
  };
  troupe::system sys{{.workers = 2}};
  pl::options o;
  o.stages.batch_size = 32;
  o.demand = {4, 2};
  o.partitions = 2;
  o.checkpoints = {.store = troupe::open_sqlite_store(directory + "/journal"), .every = 2ms};
  const auto plan = pl::from_lines(directory + "/in", parse)
                        .map(die_in_time)
                        .event_times(100ms)
                        .key_by(&reading::key)
                        .window(pl::tumbling{1s}, pl::sum_of<long (*)(const reading&), long>{value_of})
                        .write_lines(directory + "/out", [](const auto& w) {
                          return std::to_string(w.key) + ' ' + std::to_string(w.window.start.time_since_epoch() / 1s) +
                                 ' ' + std::to_string(w.value);
                        });
  const auto end = plan.start(sys, "sums", o).wait(60s);
  if (!end) {
    std::fprintf(stderr, "%s\n", end.error().what.c_str());
    return 1;
  }
  return sys.shutdown().exit_code();
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
