// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/executor.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/execution_unit.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace troupe::detail {

/// Tells CAF which executor its actors are to run on.
class caf_config : public caf::actor_system_config {
public:
  caf_config(engine::executor& where, unsigned workers);

  engine::executor& where;
  const unsigned workers;
};

/// CAF's scheduler module: gives plain CAF actors their turns on Troupe's workers, and keeps CAF's clock.
///
/// It sets no logger on the workers, which is half of what CAF's own worker loop costs per message.
/// Threads: `enqueue` any; start and stop the system's owner.
class caf_module final : public caf::scheduler::abstract_coordinator {
public:
  /// CAF's factory for modules.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  explicit caf_module(caf::actor_system& system);

  void enqueue(caf::resumable* what) override;
  caf::actor_clock& clock() noexcept override { return clock_; }
  void start() override;
  void stop() override;

  /// Lets CAF actors that have something to do go on for a second; whoever has a turn after that is ended instead. False: one
  /// has been in its handler for a second more, so that what it may touch must not be destroyed. Before `stop`.
  bool leave() noexcept;

  /// The execution unit of the calling thread.
  caf::execution_unit& unit() noexcept;
  bool leaving() const noexcept { return leaving_.load(std::memory_order_relaxed); } // relaxed: it may be a turn late
  void job_ended() noexcept { jobs_.fetch_sub(1, std::memory_order_release); }

private:
  struct worker_unit;
  bool jobs_end_in_time() const noexcept;

  // -- immutable after construction --
  engine::executor& where_;
  std::vector<std::unique_ptr<worker_unit>> units_; // one per worker, and one for other threads

  // -- with rules of their own --
  caf::detail::thread_safe_actor_clock clock_;

  // -- any thread --
  std::atomic<std::size_t> jobs_{0}; // CAF actors that are queued or running
  std::atomic<bool> leaving_{false};
  std::thread clock_thread_;
};

} // namespace troupe::detail
