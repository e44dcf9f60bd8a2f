// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/mix.hpp>
#include <troupe/seams.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <pthread.h>
#include <random>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace troupe {

namespace {

class steady_and_system_clock final : public clock {
public:
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }

  wall_time_point wall_now() const noexcept override { return std::chrono::system_clock::now(); }

  /// The time of the kernel's last tick, a quarter of the price of the exact time.
  time_point recent() const noexcept override {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return time_point{std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}};
  }

  /// A tick is 1 to 10 ms, and may be late.
  std::chrono::nanoseconds recent_lag() const noexcept override { return std::chrono::milliseconds{20}; }
};

/// SplitMix64, chosen because its state is a counter: one atomic addition makes it safe for all threads.
class splitmix64 final : public random_source {
public:
  explicit splitmix64(std::uint64_t seed) noexcept : state_{seed} {}

  std::uint64_t next() noexcept override {
    constexpr std::uint64_t gamma = 0x9e3779b97f4a7c15;
    // relaxed: each caller needs a number of its own, nothing else is published.
    return mix(state_.fetch_add(gamma, std::memory_order_relaxed) + gamma);
  }

private:
  std::atomic<std::uint64_t> state_;
};

[[noreturn]] void fail(int error, const char* operation, const std::string& path) {
  throw std::system_error{error, std::generic_category(), std::string{operation} + ' ' + path};
}

void check(const std::error_code& error, const char* operation, const std::string& path) {
  if (error)
    throw std::system_error{error, std::string{operation} + ' ' + path};
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto again(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

class posix_file final : public file {
public:
  posix_file(const std::string& path, int flags)
      : path_{path}, descriptor_{again([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); })} {
    if (descriptor_ < 0)
      fail(errno, "open", path_);
  }

  ~posix_file() override {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  posix_file(const posix_file&) = delete;
  posix_file& operator=(const posix_file&) = delete;

  std::size_t read(std::span<std::byte> buffer) override {
    const auto n = again([&] { return ::read(descriptor_, buffer.data(), buffer.size()); });
    if (n < 0)
      fail(errno, "read", path_);
    return static_cast<std::size_t>(n);
  }

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto n = again([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
      if (n < 0)
        fail(errno, "write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  void sync() override {
    // Not repeated after an error: the kernel may have dropped the dirty pages, and a second fsync would then succeed.
    if (again([&] { return ::fsync(descriptor_); }) < 0)
      fail(errno, "sync", path_);
  }

  std::uint64_t size() override {
    struct stat status {};
    if (::fstat(descriptor_, &status) < 0)
      fail(errno, "size", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  void truncate(std::uint64_t size) override {
    if (again([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) < 0)
      fail(errno, "truncate", path_);
  }

  void close() override {
    const int descriptor = std::exchange(descriptor_, -1);
    // On Linux the descriptor is gone even after EINTR, so closing must not be repeated.
    if (descriptor >= 0 && ::close(descriptor) < 0 && errno != EINTR)
      fail(errno, "close", path_);
  }

private:
  const std::string path_;
  int descriptor_;
};

class posix_file_system final : public file_system {
public:
  std::unique_ptr<file> open(const std::string& path, open_mode mode) override {
    switch (mode) {
      case open_mode::read: return std::make_unique<posix_file>(path, O_RDONLY);
      case open_mode::write: return std::make_unique<posix_file>(path, O_WRONLY | O_CREAT | O_TRUNC);
      case open_mode::append: return std::make_unique<posix_file>(path, O_WRONLY | O_CREAT | O_APPEND);
    }
    fail(EINVAL, "open", path);
  }

  void rename(const std::string& from, const std::string& to) override {
    std::error_code error;
    std::filesystem::rename(from, to, error);
    check(error, "rename", from + " to " + to);
  }

  bool remove(const std::string& path) override {
    std::error_code error;
    const bool removed = std::filesystem::remove(path, error);
    check(error, "remove", path);
    return removed;
  }

  bool exists(const std::string& path) override {
    std::error_code error;
    const bool found = std::filesystem::exists(path, error);
    check(error, "exists", path);
    return found;
  }

  std::vector<std::string> list(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry{directory, error};
    check(error, "list", directory);
    while (entry != std::filesystem::directory_iterator{}) {
      names.push_back(entry->path().filename().string());
      entry.increment(error);
      check(error, "list", directory);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void create_directories(const std::string& directory) override {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    check(error, "create_directories", directory);
  }

  void sync_directory(const std::string& directory) override { posix_file{directory, O_RDONLY | O_DIRECTORY}.sync(); }
};

class posix_threads final : public thread_factory {
public:
  std::jthread start(std::string name, std::function<void()> body) override {
    return std::jthread{[name = std::move(name), run = std::move(body)] {
      constexpr std::size_t name_max = 15; // Linux: 16 bytes with the terminator, longer ones are refused
      pthread_setname_np(pthread_self(), name.substr(0, name_max).c_str());
      run();
    }};
  }
};

} // namespace

std::uint64_t random_source::below(std::uint64_t bound) noexcept {
  // The lowest 2^64 mod bound numbers are drawn again, so that each remainder is equally likely: the method of
  // OpenBSD's arc4random_uniform. At most one draw in two is repeated.
  const std::uint64_t least = (0 - bound) % bound;
  auto drawn = next();
  while (drawn < least)
    drawn = next();
  return drawn % bound;
}

std::shared_ptr<clock> production_clock() {
  static const auto only = std::make_shared<steady_and_system_clock>();
  return only;
}

std::shared_ptr<random_source> production_random() {
  std::random_device device;
  const std::uint64_t high = device();
  return seeded_random(high << 32 | device());
}

std::shared_ptr<random_source> seeded_random(std::uint64_t seed) { return std::make_shared<splitmix64>(seed); }

std::shared_ptr<file_system> production_files() {
  static const auto only = std::make_shared<posix_file_system>();
  return only;
}

std::shared_ptr<thread_factory> production_threads() {
  static const auto only = std::make_shared<posix_threads>();
  return only;
}

} // namespace troupe
