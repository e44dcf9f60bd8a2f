// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "options.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace order_simulation {

/// What customers have been told: a line for each answer, in the file of `--acknowledged` before anything follows from the
/// answer. And the end of the process for `--kill-after`.
///
/// Threads: any.
class acknowledgements {
public:
  /// Throws std::runtime_error naming the file if it cannot be opened. Adds to a file that is there.
  explicit acknowledgements(const options& opts);
  ~acknowledgements();
  acknowledgements(const acknowledgements&) = delete;
  acknowledgements& operator=(const acknowledgements&) = delete;

  /// Takes down `line` (without its end) and counts it; the last one that `--kill-after` allows ends the process. So does one
  /// that cannot be written, with exit status 1, as if by a kill: nobody may go on from an answer that is not taken down, and
  /// another attempt would not help.
  void add(std::string_view line);

private:
  void write(const std::string& line);

  const std::string path_;
  int file_ = -1;
  std::mutex writing_;
  const std::uint64_t last_;              // 0: there is none
  std::atomic<std::uint64_t> counted_{0}; // relaxed: each counts itself
};

} // namespace order_simulation
