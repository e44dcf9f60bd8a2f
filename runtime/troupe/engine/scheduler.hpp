// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/executor.hpp>
#include <troupe/engine/worker.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::engine {

struct scheduler_options {
  unsigned spare_workers = 0;              ///< that `compensate` may start
  unsigned workers = 0;                    ///< 0: as many as the CPU quota allows; at most `parking::workers_max`
  std::chrono::microseconds spin{0};       ///< search this long before parking; 0: one round
  std::chrono::microseconds nap{25};       ///< first nap of the worker on watch
  std::chrono::microseconds nap_max{1000}; ///< its naps double up to this while all turns make progress
  unsigned hot_turns_max = 64;             ///< hot partners in a row before the queue is served; at least 1
  unsigned injector_interval = 61;         ///< turns between two looks at the injector while there is other work
  std::uint64_t seed = 0x9e3779b97f4a7c15; ///< of the order in which victims are visited
};

/// Runs runnables on a fixed number of worker threads that steal from each other.
///
/// Idle workers sleep without a time limit: an idle scheduler makes no system call. While some worker runs a turn and
/// another has nothing to do, one of the latter keeps watch (see `parking`): what a long turn has submitted runs
/// elsewhere within about 50 us.
///
/// Order: none between runnables, except that `submit_fair` goes behind what is queued on this worker. Nothing waits
/// for ever: each queued runnable gets its turn while turns end.
///
/// Threads: any. `start`, `stop` and `drain` not on a worker.
class scheduler final : public executor {
public:
  /// An empty factory makes plain named threads.
  explicit scheduler(scheduler_options options = {}, thread_starter threads = {});

  /// Stops. What is still queued is forgotten: `drain` first if it owns something.
  ~scheduler();

  /// Starts the workers. Idempotent; has no effect after `stop`.
  ///
  /// Errors: what the thread factory throws; the threads that were started are stopped first.
  void start();

  /// Lets each worker finish its current turn and joins it. Idempotent. What is queued stays queued; what is submitted
  /// later is queued too.
  void stop();

  /// As `stop`, but gives up on workers that are still in a turn when `timeout` has passed: false. Their threads go on
  /// by themselves, and everything that they may touch, this scheduler included, must never be destroyed.
  bool stop_within(std::chrono::nanoseconds timeout);

  /// Hands out what is queued after `stop`, each runnable once, in no useful order. Requires: stopped.
  std::vector<runnable*> drain();

  /// On one of the workers: into its slot for the hot partner. Elsewhere: to the injector, and wakes a worker.
  void submit(runnable& r) noexcept override;

  /// Behind the others: at the back of the worker's queue, or of the injector.
  void submit_fair(runnable& r) noexcept override;

  /// Worker `stuck` is in a turn that may never end: starts a spare worker in its place. When that turn ends after all,
  /// its worker hands over what is queued with it and ends, to be a spare one. True too if it has its successor already.
  /// False: no spare is left, or no thread could be started, or the scheduler is stopping.
  bool compensate(unsigned stuck);

  /// At work, those included that were compensated for and not those that do so.
  unsigned workers() const noexcept { return workers_; }
  /// `workers()` and the spare ones.
  unsigned seats() const noexcept { return static_cast<unsigned>(crew_.workers.size()); }

  /// Worker `index`, to be observed. Requires: `index < seats()`.
  const worker& at(unsigned index) const noexcept { return *crew_.workers[index]; }

  std::vector<worker_statistics> statistics() const;

  /// Workers that are asleep or on watch at this moment.
  unsigned parked() const noexcept { return crew_.lot.parked(); }

private:
  void start_thread(worker& w);
  void join_ended();
  void give_back(unsigned seat);

  // -- immutable after construction --
  const thread_starter thread_starter_;
  const unsigned workers_;

  // -- has its own rules --
  crew crew_;

  // -- guarded by mutex_ --
  std::mutex mutex_; // held while threads are started and joined; workers never take it
  std::vector<std::jthread> threads_;
  std::condition_variable ended_changed_;
  std::mutex spare_mutex_;             // a leaf: for the line below
  std::vector<unsigned> spare_;        // seats without a thread
  std::mutex ended_mutex_;             // a leaf: for the line below
  std::vector<std::thread::id> ended_; // of threads_, those whose body has ended
  bool started_ = false;
};

/// Starts a thread whose system name is the first 15 characters of `name`.
std::jthread make_thread(std::string name, std::function<void()> body);

} // namespace troupe::engine
