// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace fuzz {

/// A file in memory with a path, for parsers that open what they read.
class memory_file {
public:
  memory_file(const std::uint8_t* data, std::size_t size) : descriptor_{::memfd_create("input", MFD_CLOEXEC)} {
    while (size > 0) {
      const auto n = ::write(descriptor_, data, size);
      if (n <= 0)
        std::abort();
      data += n;
      size -= static_cast<std::size_t>(n);
    }
  }
  ~memory_file() { ::close(descriptor_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
  const int descriptor_;
};

inline void require(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace fuzz
