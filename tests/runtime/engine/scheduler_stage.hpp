// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/scheduler.hpp>

#include "support/eventually.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

/// What the tests of the scheduler run on it, and how they wait. Where "never" or "nothing happens" is claimed, they watch a
/// window of time; everywhere else they wait for an event, with a generous limit.
namespace scheduler_stage {

using namespace troupe::engine;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using support::eventually;

struct job final : runnable {
  job() = default;
  explicit job(std::function<run_result()> f) : body{std::move(f)} {}
  run_result run() noexcept override { return body(); }
  std::function<run_result()> body;
};

inline bool goes_idle(const scheduler& s) {
  return eventually([&] { return s.parked() == s.workers(); });
}

template <class Member>
std::uint64_t total(const scheduler& s, Member member) {
  std::uint64_t sum = 0;
  for (auto& w : s.statistics())
    sum += w.*member;
  return sum;
}

} // namespace scheduler_stage
