// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/blocking_pool.hpp>
#include <troupe/engine/conductor.hpp>
#include <troupe/engine/executor.hpp>
#include <troupe/engine/handler_watch.hpp>
#include <troupe/engine/timer_service.hpp>
#include <troupe/journal/store.hpp>
#include <troupe/mailbox/quarantine.hpp>
#include <troupe/observe/event.hpp>
#include <troupe/seams.hpp>
#include <troupe/testing/fault_injector.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace troupe {
class system;
}

namespace troupe::detail {

class cell;
class durable_directory;
class supervisor_core;
struct envelope;

/// Names of actors: unique, and the way to find one. Threads: any.
class name_registry {
public:
  /// False if the name is taken.
  bool add(const std::string& path, cell& c);
  void remove(const std::string& path, const cell& c);
  /// With a new count, or null.
  cell* find(const std::string& path) const;
  /// The path of the actor with that id, if it has a name; looks at all of them.
  std::string path_of(std::uint64_t id) const;

private:
  mutable std::mutex mutex_; // leaf lock
  std::unordered_map<std::string, cell*> cells_;
};

/// What all cells of a system share. Threads: any; each member by its own rules.
struct system_core {
  // -- immutable once the system runs --
  troupe::system* owner = nullptr;
  seams through;
  engine::executor* executor = nullptr;
  std::unique_ptr<engine::timer_service> timers;
  std::unique_ptr<engine::blocking_pool> blocking;
  std::shared_ptr<journal_store> journals;
  std::shared_ptr<durable_directory> durable;              ///< Who works on which journal.
  std::shared_ptr<fault_injector> faults;                  ///< Null but in tests.
  conductor* conducted = nullptr;                          ///< Null but in simulations.
  bool meddled = false;                                    ///< There are faults, or a conductor.
  unsigned turn_begins_at = 0;                             ///< Messages that a turn counts before its first.
  unsigned turn_messages_max = 0;                          ///< Fairness: messages of one turn.
  std::chrono::nanoseconds turn_time_max{};                ///< Fairness: time of one turn, looked at between messages.
  std::int64_t recent_lag = 0;                             ///< Of the clock, in ns.
  std::function<void(const std::function<bool()>&)> drive; ///< Stepped systems: runs until the condition holds.
  supervisor_core* root = nullptr;
  std::unique_ptr<handler_watch> watch;       ///< For handlers with time budgets.
  std::chrono::milliseconds handler_budget{}; ///< Of children that name none; 0: none.
  bool check_starts = true;                   ///< What is questionable about a child's options is reported.
  std::chrono::milliseconds stop_time{};      ///< What a shutdown leaves for the stop of one child at most.
  /// A worker is stuck: runs a spare one in its place until it returns. False if there is none left.
  std::function<bool(unsigned worker)> compensate;
  std::function<void(const std::string& why)> gave_up; ///< The root's last resort.

  // -- with rules of their own --
  event_stream events;
  troupe::quarantine quarantine;
  name_registry names;
  alignas(64) std::atomic<std::uint64_t> last_id{0};
  std::atomic<std::uint64_t> restarts{0};
  std::atomic<std::uint64_t> escalations{0};
  std::atomic<std::uint64_t> refused_stopped{0}; ///< Messages to actors that had stopped.
  std::atomic<std::uint64_t> late_replies{0};    ///< Replies for which nobody waited any more.
  /// Messages that an actor had accepted and could not account for when it stopped. Always 0, or there is a bug.
  std::atomic<std::uint64_t> unaccounted{0};

  time_point now() const noexcept { return through.clock->now(); }
  std::int64_t now_ns() const noexcept { return now().time_since_epoch().count(); }
  std::int64_t recent_ns() const noexcept { return through.clock->recent().time_since_epoch().count(); }
  /// Exact, but the exact time is read only when it may matter.
  bool has_passed(std::int64_t deadline) const noexcept {
    return recent_ns() >= deadline - recent_lag && now_ns() >= deadline;
  }

  // Called if `meddled`. The first two may throw.
  void before_handling(cell& by, envelope& e);
  void at_fault_point(cell& by);
  bool before_resuming(cell& by, envelope& e) noexcept; ///< False: it must not go on.

  /// Spreads timers over the service's shards: one per worker.
  static unsigned shard_hint() noexcept;
};

} // namespace troupe::detail
