// SPDX-License-Identifier: BSD-3-Clause
#include "acknowledgements.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace order_simulation {

acknowledgements::acknowledgements(const options& opts) : last_{opts.kill_after} {
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
  if (file_ >= 0) {
    // One call, so that neither a kill nor another thread gets into the middle of a line.
    const std::string whole = std::string{line} + "\n";
    if (::write(file_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
      throw std::runtime_error{std::string{"--acknowledged: cannot be written: "} + std::strerror(errno)};
  }
  if (last_ != 0 && counted_.fetch_add(1, std::memory_order_relaxed) + 1 == last_)
    ::kill(::getpid(), SIGKILL);
}

} // namespace order_simulation
