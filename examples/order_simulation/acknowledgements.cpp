// SPDX-License-Identifier: BSD-3-Clause
#include "acknowledgements.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>

namespace order_simulation {

acknowledgements::acknowledgements(const options& opts) : path_{opts.acknowledged}, last_{opts.kill_after} {
  if (opts.acknowledged.empty())
    return;
  file_ = ::open(opts.acknowledged.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0)
    throw std::runtime_error{"--acknowledged: " + opts.acknowledged + ": " + std::strerror(errno)};
}

acknowledgements::~acknowledgements() {
  if (file_ >= 0)
    ::close(file_);
}

void acknowledgements::add(std::string_view line) {
  if (file_ >= 0)
    write(std::string{line} + "\n");
  if (last_ != 0 && counted_.fetch_add(1, std::memory_order_relaxed) + 1 == last_)
    ::kill(::getpid(), SIGKILL);
}

/// In one call, so that no kill gets into the middle of a line.
void acknowledgements::write(const std::string& line) {
  const std::lock_guard lock{writing_};
  const auto n = ::write(file_, line.data(), line.size());
  if (n == static_cast<ssize_t>(line.size()))
    return;
  const int reason = n < 0 ? errno : ENOSPC;
  if (n > 0)
    (void)!::ftruncate(file_, ::lseek(file_, 0, SEEK_CUR) - n); // the next process begins with a whole line
  std::fprintf(stderr, "order_simulation: --acknowledged: %s: cannot be written: %s\n", path_.c_str(),
               std::generic_category().message(reason).c_str());
  ::_exit(1);
}

} // namespace order_simulation
