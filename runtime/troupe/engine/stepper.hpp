// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/conductor.hpp>
#include <troupe/engine/executor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace troupe::engine {

/// Runs runnables one by one on the calling thread, in an order that a seed decides: an executor for tests and
/// simulations. Equal seeds and equal submissions give equal orders, on every platform.
///
/// Threads: owner thread only.
class stepper final : public executor {
public:
  /// Seed 0: first in, first out. Any other: each step draws one of the queued runnables.
  explicit stepper(std::uint64_t seed = 0) : seed_{seed}, draw_{seed} {}

  /// The order that `c` decides.
  explicit stepper(detail::conductor& c) : seed_{0}, conductor_{&c} {}

  void submit(runnable& r) noexcept override {
    if (conductor_ == nullptr || conductor_->admit(r))
      queue_.push_back(&r);
  }
  void submit_fair(runnable& r) noexcept override { submit(r); }

  /// As `submit`, without asking the conductor.
  void submit_now(runnable& r) noexcept { queue_.push_back(&r); }

  /// Runs one turn of one queued runnable. False, and nothing is run, if there is none.
  bool step() {
    if (queue_.empty())
      return false;
    if (conductor_ != nullptr)
      take_out(conductor_->choose(queue_));
    else if (seed_ !=
             0) // the remainder's bias is of no interest; std::uniform_int_distribution differs between libraries
      std::swap(queue_.front(), queue_[draw_() % queue_.size()]);
    auto& chosen = *queue_.front();
    queue_.pop_front();
    ++turns_;
    if (chosen.run() == run_result::again)
      submit_fair(chosen);
    if (conductor_ != nullptr)
      conductor_->turn_over();
    return true;
  }

  /// Steps until nothing is queued, `limit` times at most. Returns the number of turns.
  std::size_t run_until_idle(std::size_t limit) {
    std::size_t turns = 0;
    while (turns < limit && step())
      ++turns;
    return turns;
  }

  std::size_t queued() const noexcept { return queue_.size(); }
  std::uint64_t turns() const noexcept { return turns_; }

  /// Hands out what is queued.
  std::vector<runnable*> drain() {
    std::vector<runnable*> rest{queue_.begin(), queue_.end()};
    queue_.clear();
    return rest;
  }

private:
  /// Puts the runnable at `index` first. The others keep their order, as long as that is cheap.
  void take_out(std::size_t index) noexcept {
    const auto chosen = queue_.begin() + static_cast<std::ptrdiff_t>(index);
    if (index < 64)
      std::rotate(queue_.begin(), chosen, chosen + 1);
    else
      std::iter_swap(queue_.begin(), chosen);
  }

  // -- owner thread only --
  const std::uint64_t seed_;
  detail::conductor* const conductor_ = nullptr;
  std::mt19937_64 draw_;
  std::deque<runnable*> queue_;
  std::uint64_t turns_ = 0;
};

} // namespace troupe::engine
