// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/engine/conductor.hpp>
#include <troupe/journal/store.hpp>
#include <troupe/mailbox/quarantine.hpp>
#include <troupe/observe/event.hpp>
#include <troupe/observe/shutdown_report.hpp>
#include <troupe/seams.hpp>
#include <troupe/supervision/tree_check.hpp>
#include <troupe/supervisor.hpp>
#include <troupe/testing/fault_injector.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caf {
class actor_system;
}

namespace troupe {

/// Checked when the system is made: see there. Ranges are given where there are any.
struct system_options {
  /// Worker threads, at most 1,023; 0: as many as the process may use, by affinity and container quota.
  unsigned workers = 0;
  /// How long a worker without work looks for some before it sleeps, 0 or more. 0 costs nothing when idle.
  std::chrono::microseconds spin{0};
  /// Fairness: after so many messages, or so much time, an actor goes behind the others. At least 8 messages, and 1 us.
  unsigned turn_messages = 128;
  std::chrono::microseconds turn_time{500};
  /// Where journaled actors keep their events; null: in memory, to the end of the system.
  std::shared_ptr<journal_store> journals{};
  /// How long a handler may run, where its actor's options do not say, up to 24 h; 0: without limit.
  std::chrono::milliseconds handler_budget{0};
  /// Threads that may run at a time in the place of workers whose handler does not return and was replaced, 0..64.
  unsigned spare_workers = 4;
  /// Whether the options of each child are looked at when it is started, for what runs but not as it reads: see
  /// `tree_finding`. What is found is published as a `questionable` event, of each supervisor's children once for each kind.
  bool check_starts = true;
  /// Messages that the quarantine holds.
  std::size_t quarantine_capacity = 1'000;
  /// How long `shutdown` and `~system` let the shutdown take, 0 or more. After nine tenths of it actors are killed.
  std::chrono::milliseconds shutdown_timeout{10'000};
  /// The world outside: clock, randomness, files, threads.
  seams through{};
  /// Makes handlers fail, for tests; null: they fail by themselves only.
  std::shared_ptr<fault_injector> faults{};
  /// Set: no threads; the system runs when its owner calls `step`, `run_until_idle` or `advance`, on that thread, picking
  /// what runs next by this seed (0: first in, first out). For tests. Needs a `manual_clock`.
  std::optional<std::uint64_t> stepped{};
  /// Stepped systems: who decides instead of the seed. For `troupe::simulation`; outlives the system.
  detail::conductor* conducted = nullptr;
};

/// What one worker thread has done so far, and what waits for it.
struct worker_figures {
  std::uint64_t turns = 0;   ///< Times that it let an actor run.
  std::uint64_t handled = 0; ///< Messages that it gave to handlers.
  std::uint64_t steals = 0;  ///< Times that it took actors from other workers' queues.
  std::uint64_t parks = 0;   ///< Times that it found nothing to do.
  std::size_t queued = 0;    ///< Actors that wait for their turn with it at this moment.
};

/// Where actors live: workers, timers, the root of the supervision tree, and plain CAF's actor system beside it.
///
/// Create one, near the start of main, and let it outlive everybody who sends through refs of it: see any_ref. Threads: any,
/// but for the constructor and destructor.
class system {
public:
  /// Throws request_error for an option out of its range.
  explicit system(system_options options = {});
  system(const system&) = delete;
  system& operator=(const system&) = delete;
  /// Shuts down, if that was not done, and prints the report to standard error if the shutdown was not complete.
  ~system();

  /// Starts a supervisor at the top of the tree.
  supervisor supervise(std::string_view name, const supervisor_options& options = {});

  /// Starts an actor at the top of the tree: restarted when it fails (transient), stopped when it ends itself.
  ///
  /// Errors: as supervisor::start.
  template <class A, class... Args>
  ref<A> spawn(Args&&... args) {
    auto& c = detail::spawn<A>(core(), root_core(), plain_options(), std::forward<Args>(args)...);
    return ref<A>{detail::cell_pointer::taking(c)};
  }

  /// The top of the tree, to start named or differently supervised actors under it.
  const supervisor& root() const noexcept;

  /// The actor of that path ("shop/stock"), if there is one and it is an A.
  template <class A>
  std::optional<ref<A>> find(std::string_view path) const {
    auto found = find_any(path, &detail::actor_type_of<A>);
    return found ? std::optional<ref<A>>{ref<A>{*found->pointer()}} : std::nullopt;
  }
  std::optional<any_ref> find(std::string_view path) const { return find_any(path, nullptr); }

  /// All actors, from the root down, as they are now; `to_string` draws it. Takes time in proportion to their number.
  actor_tree tree() const;
  /// What is questionable about the tree as it is now: to be asked once it is built, and in a test.
  std::vector<tree_finding> check_tree() const;

  event_stream& events() noexcept;
  troupe::quarantine& quarantine() noexcept;
  /// The books of all actors together, from the start.
  ledger books() const;
  /// Restarts so far.
  std::uint64_t restarts() const noexcept;
  /// Replies so far for which nobody waited any more: after their deadline, or after their asker had been restarted.
  std::uint64_t late_replies() const noexcept;
  /// Failures that a supervisor handed up so far.
  std::uint64_t escalations() const noexcept;
  unsigned workers() const noexcept;
  /// Of each worker, then of the spare ones that have stood in for stuck ones.
  std::vector<worker_figures> worker_statistics() const;
  time_point now() const noexcept;
  const seams& through() const noexcept;

  /// Blocks until `request_shutdown` or `shutdown` was called or the top of the tree has given up. Returns false in the
  /// last case. Not to be called by an actor: throws usage_error.
  bool wait();

  /// Lets `wait` return. Safe in a signal handler's thread, not in the handler itself.
  void request_shutdown();

  /// Ends everything, within `timeout`: lets what is queued be handled, for at most half of the time; then takes no new
  /// actors and stops those there are, from the root down; kills what is left. Reports what is still alive. Idempotent: later calls return
  /// the first report. Not to be called by an actor.
  shutdown_report shutdown(std::chrono::milliseconds timeout);
  shutdown_report shutdown();

  /// Blocks until `who` has stopped, at most `timeout`. Not to be called by an actor.
  bool wait_stopped(const any_ref& who, std::chrono::milliseconds timeout);

  /// Plain CAF in the same process, on the same workers. See <troupe/engine/caf.hpp>.
  caf::actor_system& caf();

  // -- stepped systems only --

  /// Runs one turn of one actor. False if none has anything to do now.
  bool step();
  /// Runs turns until nothing is left to do at this time; returns how many. Throws usage_error beyond `limit`.
  std::size_t run_until_idle(std::size_t limit = 1'000'000);
  /// Moves the clock on, firing the timers on the way in order, and runs what they cause.
  void advance(std::chrono::nanoseconds by);

  /// For the runtime.
  detail::system_core& core() const noexcept;

private:
  struct engine_room;
  detail::supervisor_core& root_core() const noexcept;
  /// Of all actors that are spawned without options.
  static std::shared_ptr<const detail::cell_options> plain_options() noexcept;
  std::optional<any_ref> find_any(std::string_view path, const detail::actor_type* type) const;

  std::unique_ptr<engine_room> room_;
};

} // namespace troupe
