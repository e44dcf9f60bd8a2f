// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::detail {

/// A lock for critical sections of some ten nanoseconds: a waiter tries again for a few microseconds before it sleeps.
///
/// Two cores that use a std::mutex in turn put each other to sleep and wake each other, which costs a hundred times what
/// they do under it. (The states are those of U. Drepper, "Futexes are tricky", 2011, mutex2.)
///
/// Threads: any. Not recursive.
class brief_lock {
public:
  void lock() noexcept {
    for (int tries = 0; tries < 64; ++tries) {
      auto expected = unlocked;
      // acquire: what was done under the lock before
      if (state_.load(std::memory_order_relaxed) == unlocked &&
          state_.compare_exchange_weak(expected, locked, std::memory_order_acquire, std::memory_order_relaxed))
        return;
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#endif
    }
    while (state_.exchange(contended, std::memory_order_acquire) != unlocked)
      state_.wait(contended, std::memory_order_relaxed);
  }

  void unlock() noexcept {
    if (state_.exchange(unlocked, std::memory_order_release) == contended)
      state_.notify_one();
  }

private:
  static constexpr std::uint32_t unlocked = 0;
  static constexpr std::uint32_t locked = 1;
  static constexpr std::uint32_t contended = 2; // somebody sleeps, perhaps

  std::atomic<std::uint32_t> state_{unlocked};
};

} // namespace troupe::detail
