// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mix.hpp>

#include <atomic>
#include <cstdint>
#include <stdexcept>

namespace troupe {

/// What an injected failure throws.
class injected_failure : public std::runtime_error {
public:
  injected_failure() : std::runtime_error{"injected failure"} {}
};

/// Makes handlers fail: each handling of a message throws with probability `rate`, half of the time before the handler
/// begins, half of the time at the first `actor_base::fault_point()` that it reaches (not at all if it reaches none). So does
/// each record of a journaled actor, once it is kept: before its events are applied, and before anything leaves.
///
/// Pass one in `system_options::faults`. With one worker, or stepped, the same seed gives the same failures.
/// Threads: any.
class fault_injector {
public:
  /// `rate` 0..1.
  fault_injector(double rate, std::uint64_t seed) noexcept
      : threshold_{rate >= 1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(rate * 0x1p64)}, state_{seed} {}

  /// A message's handling begins. May throw injected_failure.
  void begin() {
    doomed_ = nullptr;
    const auto draw = next();
    if (draw >= threshold_) [[likely]]
      return;
    if ((next() & 1) == 0)
      strike();
    doomed_ = this;
  }

  /// The middle of a handler. May throw injected_failure.
  void middle() {
    if (doomed_ == this)
      strike();
  }

  /// A record is kept, and nobody knows of it yet. May throw injected_failure.
  void recorded() {
    if (next() < threshold_) [[unlikely]]
      strike();
  }

  /// A handler that had been suspended goes on, or another one begins: the doom was not its own.
  static void forget() noexcept { doomed_ = nullptr; }

  std::uint64_t injected() const noexcept { return injected_.load(std::memory_order_relaxed); }

private:
  [[noreturn]] void strike() {
    doomed_ = nullptr;
    injected_.fetch_add(1, std::memory_order_relaxed);
    throw injected_failure{};
  }

  /// SplitMix64: a counter as state suits many threads.
  std::uint64_t next() noexcept {
    constexpr std::uint64_t gamma = 0x9e3779b97f4a7c15;
    return mix(state_.fetch_add(gamma, std::memory_order_relaxed) + gamma);
  }

  static inline constinit thread_local const fault_injector* doomed_ = nullptr;

  // -- immutable --
  const std::uint64_t threshold_;

  // -- any thread; relaxed: each draw stands alone --
  std::atomic<std::uint64_t> state_;
  std::atomic<std::uint64_t> injected_{0};
};

} // namespace troupe
