// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace nexmark {

/// What the command line asks for.
struct run_options {
  std::string query;                    ///< Empty: all, for a measurement; none, to write events.
  std::string input;                    ///< A file or folder of events. Empty: generated ones.
  std::uint64_t generate = 0;           ///< So many events instead of an input.
  std::uint64_t seed = 1;               ///< Of the generator, and of injected failures.
  std::size_t disorder = 1;             ///< Events come out of order within groups of so many.
  unsigned workers = 1;                 ///< Threads, and partitions of keyed stages.
  double crash_rate = 0;                ///< Of handled batches and other messages, by chance, that fail. 0..0.9.
  std::string out;                      ///< Empty: standard output.
  std::optional<std::int64_t> bound_ms; ///< Disorder that the watermarks allow for. Default: what the input has.
  std::size_t batch = 512;              ///< Elements in a batch.
  unsigned rounds = 5;                  ///< Of a measurement.
  bool cpu_time = false;                ///< Measure processors, not the clock.
  bool stream = false;                  ///< Generated events are made while they flow, not beforehand.
};

/// Runs one query and writes its answer. Returns the exit status.
int run_query(const run_options& o);

/// Writes generated events. Returns the exit status.
int write_events(const run_options& o);

/// Measures queries beside their loops. Returns the exit status: 1 if an answer differs.
int measure(const run_options& o);

} // namespace nexmark
