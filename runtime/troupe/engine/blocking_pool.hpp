// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/executor.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace troupe::engine {

struct blocking_pool_options {
  unsigned threads_max = 16;              ///< at least 1
  std::size_t queue_max = 1000;           ///< tasks that wait for a thread; 0: refuse unless a thread is free
  std::chrono::milliseconds idle{10'000}; ///< a thread without work leaves after this
};

/// Threads for work that blocks, so that no worker does.
///
/// A task goes to an idle thread, else to a new one up to `threads_max`, else into a bounded queue, in order.
///
/// Threads: any.
class blocking_pool {
public:
  /// An empty factory makes plain named threads.
  explicit blocking_pool(blocking_pool_options options = {}, thread_starter threads = {});

  /// The stepped mode, for simulation: no threads; a task is a turn of `steps`, which outlives the pool's use. Whatever
  /// has not had its turn when the pool ends is destroyed unrun.
  explicit blocking_pool(executor& steps);

  /// Stops and waits for running tasks without a limit, unless a `stop` with a deadline came first.
  ~blocking_pool();

  /// Queues `task`. False, and the task is destroyed, when the queue is full, after `stop`, or when the first thread
  /// cannot be started.
  ///
  /// Requires: the task throws nothing; an exception that leaves it ends the process.
  bool submit(std::function<void()> task);

  /// Refuses new tasks, destroys the queued ones unrun, and waits for the running ones until `deadline`. Returns how
  /// many are still running: those threads are left to themselves and end after their task. Idempotent.
  std::size_t stop(std::chrono::steady_clock::time_point deadline);

  std::size_t queued() const;
  std::size_t running() const;
  std::size_t threads() const;

private:
  struct state; // shared with the threads: one that outlives `stop` must not touch a destroyed pool

  const std::shared_ptr<state> state_;
};

} // namespace troupe::engine
