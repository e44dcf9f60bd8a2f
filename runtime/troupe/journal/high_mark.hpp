// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe {

/// The highest outbox number that a journal had which was erased. Threads: any.
class high_mark {
public:
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }
  void raise(std::uint64_t to) noexcept {
    auto now = value();
    while (now < to && !value_.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
    }
  }

private:
  // relaxed: who opens a journal again comes after who has erased it, by way of the key's place in the directory.
  std::atomic<std::uint64_t> value_{0};
};

} // namespace troupe
