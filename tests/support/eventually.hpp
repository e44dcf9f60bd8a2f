// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <thread>

namespace support {

/// Waits for something that another thread does, at most so long that only a hang takes longer.
template <class Condition>
bool eventually(Condition holds) {
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20}; !holds();) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace support
