// SPDX-License-Identifier: BSD-3-Clause
#include "output_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace text {

namespace {

std::string problem(std::string_view what, int code) {
  return fmt::format("{}: {}", what, std::generic_category().message(code));
}

/// An open file that is closed, and removed if it is a leftover.
class scratch_file {
public:
  scratch_file(int descriptor, std::string leftover) : descriptor_{descriptor}, leftover_{std::move(leftover)} {}
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  ~scratch_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
    if (!leftover_.empty())
      ::unlink(leftover_.c_str());
  }

  /// Errors: 0 or an errno value, here and below.
  int write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno != EINTR)
        return errno;
      text.remove_prefix(static_cast<std::size_t>(written > 0 ? written : 0));
    }
    return 0;
  }

  int sync() const { return ::fsync(descriptor_) == 0 ? 0 : errno; }
  int set_mode(mode_t mode) const { return ::fchmod(descriptor_, mode) == 0 ? 0 : errno; }

  /// Some file systems report a full disk only here.
  int close() { return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno; }

  int rename_to(const std::string& path) {
    if (::rename(leftover_.c_str(), path.c_str()) != 0)
      return errno;
    leftover_.clear();
    return 0;
  }

  bool is_open() const { return descriptor_ >= 0; }

private:
  int descriptor_;
  std::string leftover_;
};

/// What stands at a path now, links followed.
struct target {
  std::string path; // behind all links
  struct stat status {};
  bool exists = false;

  explicit target(const std::string& given) : path{given} {
    std::error_code ignored;
    if (const auto real = std::filesystem::weakly_canonical(given, ignored); !ignored)
      path = real.string();
    exists = ::stat(path.c_str(), &status) == 0;
  }

  bool is_directory() const { return exists && S_ISDIR(status.st_mode); }
  /// A pipe, a terminal, /dev/null: nothing that a rename may replace.
  bool is_special() const { return exists && !S_ISREG(status.st_mode); }
};

/// A new file in the directory of `path`, with the mode that the umask gives.
scratch_file open_beside(const std::string& path) {
  for (int attempt = 0;; ++attempt) {
    std::string name = path + ".new-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0)
      return {descriptor, std::move(name)};
    if (errno != EEXIST || attempt == 100)
      return {-1, {}};
  }
}

} // namespace

std::optional<std::string> output_obstacle(const std::string& path) {
  if (path.empty())
    return "the file name is empty";
  const target place{path};
  if (place.is_directory())
    return "is a directory";
  if (place.exists && ::access(place.path.c_str(), W_OK) != 0)
    return problem("cannot be written", errno);
  if (!place.is_special() && !open_beside(place.path).is_open())
    return problem("cannot be written", errno);
  return std::nullopt;
}

void write_output(const std::string& path, std::string_view text) {
  const target place{path};
  const auto require = [&](int code) {
    if (code != 0)
      throw output_error{path + ": " + problem("cannot be written", code)};
  };
  if (place.is_special()) {
    scratch_file device{::open(place.path.c_str(), O_WRONLY | O_CLOEXEC), {}};
    require(device.is_open() ? 0 : errno);
    require(device.write(text));
    require(device.close());
    return;
  }
  scratch_file draft = open_beside(place.path);
  require(draft.is_open() ? 0 : errno);
  require(draft.write(text));
  if (place.exists)
    require(draft.set_mode(place.status.st_mode & 07777));
  require(draft.sync());
  require(draft.close());
  require(draft.rename_to(place.path));
}

} // namespace text
