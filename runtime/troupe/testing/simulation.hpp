// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>
#include <troupe/testing/schedule.hpp>
#include <troupe/testing/simulated_disk.hpp>
#include <troupe/testing/simulation_options.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

namespace detail {
class search_path;
class simulation_core;
} // namespace detail

/// Thrown by `simulation::run`: something that must hold did not.
class violation : public std::runtime_error {
public:
  violation(std::string what, std::string details);

  /// Which rule: the name given to `invariant` and so on, or "deadlock", "accounting", "shutdown", "turns_max", "program".
  const std::string& rule() const noexcept { return rule_; }

private:
  std::string rule_;
};

/// What a run has done.
struct simulation_figures {
  std::uint64_t hash = 0;         ///< Of everything that happened, in order: equal runs have equal hashes.
  std::uint64_t interleaving = 0; ///< Of what each actor handled in which order, whatever the order between actors.
  std::uint64_t turns = 0;
  std::uint64_t messages = 0; ///< Handled.
  std::uint64_t faults = 0;   ///< Preemptions included.
  std::uint64_t restarts = 0;
  bool redundant = false; ///< Broken off by an exhaustive search: another run is this one in a different order.
  unsigned boots = 0;     ///< How often the process was started.
  std::chrono::nanoseconds time{0}; ///< Simulated.
};

/// Runs a whole application on the calling thread, in simulated time, in an order and with faults that a seed decides.
///
///     simulation sim{{.seed = 7, .faults = {.crash = 0.01}}};
///     sim.invariant("stock is never negative", [&] { return sold <= 10; });
///     sim.run([&](troupe::system& sys) { ... });
///
/// The application's code does not change. One message is one turn; with `faults.preempt` a handler is also interrupted
/// where it sends. Equal seeds give equal runs, in every build of the same code, as long as the code takes time, random
/// numbers, files and threads from the system's seams and nothing from addresses of memory.
///
/// `run` calls the program to start its actors and to send its first messages; it may also ask and wait for replies, and
/// move time on. Then it goes on until nothing is left to do or `run_for` has passed, checks what must hold in the end,
/// and shuts the system down, in a simulated order too. If the process crashes, whatever the disk had not synced is lost,
/// what the actors were is destroyed without a goodbye, and the program is called again with a new system.
///
/// Threads: one. Destructors of actors do run at a simulated crash of the process; what they do to the world outside
/// the system and its disk is not undone. A handler must not hold a lock while it sends, if there are preemptions.
class simulation {
public:
  using condition = std::function<bool()>;
  using program = std::function<void(system&)>;

  explicit simulation(const simulation_options& options = {});
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  ~simulation();

  /// Must hold after every turn. Throwing counts as not holding, here and below, with what was thrown.
  void invariant(std::string name, condition holds);
  /// Must hold when nothing is left to do.
  void eventually(std::string name, condition holds);
  /// Something that is compared between runs: what it is when nothing is left to do. See `exploration_options`.
  void outcome(std::string name, std::function<std::string()> value);

  /// Journals are kept by what `open` makes at each start of the process, before the program is called, instead of in
  /// memory: for instance by `open_sqlite_store` of simulated_sqlite.hpp. Its writes must be done before `append` returns.
  void journals(std::function<std::shared_ptr<journal_store>()> open);

  /// The actor of that path, such as "east" or "shops/east", and those below it are on a node of their own, or on one with
  /// others that are given the same `name`. Messages and requests between nodes pass links, which fail as
  /// `simulation_faults::link_delay` and so on say; `tell` cannot know it, and an `ask` times out. Of several paths the
  /// longest counts. Orders, watches, supervision and what outboxes acknowledge pass undisturbed, and a crash of the
  /// process is one of all nodes.
  void node(std::string path, std::string name);
  void node(const std::string& path) { node(path, path); }

  /// The process ends when the turn under way is over, as in a crash, and is started again: for a program that gives up
  /// when its disk has failed it. To be called by the program or by an actor.
  void crash();

  /// Throws `violation`, or what the program throws of its own.
  void run(const program& p);

  /// The clock, random numbers and disk of all boots.
  manual_clock& time() const noexcept;
  simulated_disk& disk() const noexcept;
  /// Turns so far: the time of the logical clock, for histories.
  std::uint64_t now() const noexcept;
  /// 0 for the first start of the process, 1 after its first crash.
  unsigned boot() const noexcept;
  const simulation_options& options() const noexcept;
  simulation_figures figures() const;
  /// By name; after the run.
  const std::map<std::string, std::string>& outcomes() const noexcept;
  /// The choices that were not the default: with it as `simulation_options::replay` the run is the same.
  schedule taken() const;
  /// What happened, a line each, if there is a `trace_capacity`.
  std::string trace_text() const;
  /// Adds a line to the trace.
  void note(std::string text);

  // -- for `explore` --
  simulation(const simulation_options& options, detail::search_path* path, bool record);
  /// Bits: which message was handled right after which other by which kind of actor. Two may share one.
  std::span<const std::uint64_t> neighbours() const noexcept;

private:
  std::unique_ptr<detail::simulation_core> core_;
};

} // namespace troupe
