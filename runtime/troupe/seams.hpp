// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

/// The seams: everything by which the framework touches the world outside its own memory.
///
/// Code of the framework reads no clock, draws no random number, opens no file and starts no thread but through these
/// interfaces, so that a whole application can run in simulated time, from one seed, with injected faults.

namespace troupe {

/// A point in monotonic time, in nanoseconds. It means nothing outside the process.
using time_point = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// A point in calendar time. It may jump in both directions: for people and records, never for measuring.
using wall_time_point = std::chrono::system_clock::time_point;

/// Tells the time. Threads: any.
class clock {
public:
  virtual ~clock() = default;

  /// Monotonic: never less than what it returned before.
  virtual time_point now() const noexcept = 0;

  virtual wall_time_point wall_now() const noexcept = 0;

  /// A moment that has passed, by at most `recent_lag` in the normal course of things: for those who would rather not
  /// pay for the exact time. Not monotonic together with `now`.
  virtual time_point recent() const noexcept { return now(); }
  virtual std::chrono::nanoseconds recent_lag() const noexcept { return {}; }
};

/// A stream of random numbers. Not for secrets. Threads: any.
class random_source {
public:
  virtual ~random_source() = default;

  /// 64 random bits.
  virtual std::uint64_t next() noexcept = 0;

  /// A number in [0, 1), one of 2^53 equally likely ones.
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// A number in [0, bound), all equally likely. *Requires* `bound > 0`.
  std::uint64_t below(std::uint64_t bound) noexcept;
};

/// An open file. Closes itself; `close` is there for those who must know whether that worked.
///
/// Errors: std::system_error naming the operation and the path. Blocking. Threads: owner only.
class file {
public:
  virtual ~file() = default;

  /// Reads from the current position into `buffer` and returns how many bytes; 0 only at the end of the file (or for
  /// an empty buffer).
  virtual std::size_t read(std::span<std::byte> buffer) = 0;

  /// Writes all of `bytes` at the current position, in mode `append` at the end. After an error some may be written.
  virtual void write(std::span<const std::byte> bytes) = 0;

  /// Returns when everything written is on the disk.
  virtual void sync() = 0;

  /// Bytes in the file.
  virtual std::uint64_t size() = 0;

  /// Cuts the file, or lengthens it with zeros. The position stays.
  virtual void truncate(std::uint64_t size) = 0;

  /// Closes; a second time does nothing. After that, every other call is an error.
  virtual void close() = 0;
};

enum class open_mode : unsigned char {
  /// An existing file, to be read from its start.
  read,
  /// An empty file, to be written: created, or cut to nothing.
  write,
  /// A file written at its end only: created if it does not exist.
  append,
};

/// Files by path. Errors: std::system_error naming the operation and the path. Blocking. Threads: any.
class file_system {
public:
  virtual ~file_system() = default;

  virtual std::unique_ptr<file> open(const std::string& path, open_mode mode) = 0;

  /// Gives a file or directory a new path, atomically replacing a file that has it. Lasts over a power failure only
  /// after `sync_directory` of the directory.
  virtual void rename(const std::string& from, const std::string& to) = 0;

  /// Removes a file or an empty directory. Returns false if there was none.
  virtual bool remove(const std::string& path) = 0;

  virtual bool exists(const std::string& path) = 0;

  /// The names (without the path) in a directory, sorted, without `.` and `..`.
  virtual std::vector<std::string> list(const std::string& directory) = 0;

  /// Creates a directory with its parents. It is not an error if it exists.
  virtual void create_directories(const std::string& directory) = 0;

  /// Returns when names created, renamed or removed in a directory are on the disk.
  virtual void sync_directory(const std::string& directory) = 0;
};

/// Starts threads. Threads: any.
class thread_factory {
public:
  virtual ~thread_factory() = default;

  /// Starts a thread that runs `body`. An exception that leaves `body` ends the process. The returned object joins
  /// when it is destroyed.
  ///
  /// `name` is shown by the system's tools, which cut it to 15 bytes.
  /// Errors: std::system_error if there cannot be one more thread.
  virtual std::jthread start(std::string name, std::function<void()> body) = 0;
};

/// The system's monotonic and calendar clocks. One object for all callers.
std::shared_ptr<clock> production_clock();

/// A source seeded from std::random_device, new at each call.
std::shared_ptr<random_source> production_random();

/// A source that gives the same numbers in every process for the same seed (their distribution over threads that draw
/// at the same time is not determined). SplitMix64.
std::shared_ptr<random_source> seeded_random(std::uint64_t seed);

/// The system's files. One object for all callers.
std::shared_ptr<file_system> production_files();

/// The system's threads. One object for all callers.
std::shared_ptr<thread_factory> production_threads();

/// All seams of a system. `seams{.clock = simulated}` replaces what it names; the rest is the production one.
struct seams {
  std::shared_ptr<troupe::clock> clock = production_clock();
  std::shared_ptr<random_source> random = production_random();
  std::shared_ptr<file_system> files = production_files();
  std::shared_ptr<thread_factory> threads = production_threads();
};

} // namespace troupe
