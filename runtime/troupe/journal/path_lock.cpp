// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/path_lock.hpp>
#include <troupe/journal/store.hpp>

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace troupe {

namespace {

std::string text_in(int descriptor) {
  char text[32];
  const auto n = ::pread(descriptor, text, sizeof text, 0);
  std::string_view line{text, n > 0 ? static_cast<std::size_t>(n) : 0};
  return std::string{line.substr(0, line.find('\n'))};
}

} // namespace

path_lock::path_lock(const std::string& path) {
  const auto file = path + ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    throw journal_error{path + " cannot be locked: " + file + ": " + std::generic_category().message(errno)};
  // Not fcntl locks: those let a second store in the same process in.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) < 0) {
    const auto error = errno;
    auto holder = text_in(descriptor_);
    if (holder == std::to_string(::getpid()))
      holder += " (this one)";
    ::close(descriptor_);
    throw journal_error{error == EWOULDBLOCK
                            ? path + " is in use by process " + (holder.empty() ? "(unknown)" : holder) +
                                  "; a journal has one writer"
                            : path + " cannot be locked: flock: " + std::generic_category().message(error)};
  }
  const auto own = std::to_string(::getpid()) + '\n';
  // What is written is for people; the lock holds without it, as on a full disk.
  if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
    const auto n = ::pwrite(descriptor_, own.data(), own.size(), 0);
}

path_lock::~path_lock() { ::close(descriptor_); }

} // namespace troupe
