// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/testing/schedule.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace troupe {

/// Who has the next turn.
enum class exploration_strategy : std::uint8_t {
  /// The one that has been ready for longest.
  first_in_first_out,
  /// Any of the ready ones, all equally likely.
  uniform,
  /// The ready one of the highest priority; priorities are random, and at `depth - 1` random turns the one that has its
  /// turn falls behind all others. With n actors and k turns it finds a bug that needs d ordering constraints with
  /// probability at least 1 / (n * k^(d-1)) per seed: S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte, "A
  /// randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010.
  priorities,
  /// Each seed draws one of the three, and a depth of 1..4.
  mixed,
};

/// Faults, each with the probability (0..1) that it strikes at one occasion.
struct simulation_faults {
  /// A handling of a message fails: before the handler begins, at a `fault_point()`, or at a send.
  double crash = 0;
  /// Without it a handler fails at its beginning and at fault points only, as with a `fault_injector`.
  bool crash_at_sends = true;
  /// Before a handler sends, 1 to 4 turns of other actors go in between, as if they ran on other cores.
  double preempt = 0;
  /// A turn is held back for up to `slow_by`.
  double slow = 0;
  std::chrono::nanoseconds slow_by = std::chrono::milliseconds{100};
  /// A mailbox looks full to a message of another actor.
  double full = 0;
  /// Calendar time jumps by up to an hour in either direction; looked at whenever time passes.
  double clock_step = 0;
  /// The process ends, at most `process_crashes_max` times a run; looked at after each turn.
  double process_crash = 0;
  unsigned process_crashes_max = 1;
  /// A write of the simulated disk fails as if it were full; a part may be written.
  double disk_full = 0;
  /// A sync of the simulated disk fails; what it should have kept is lost at the next crash.
  double sync_failure = 0;
  /// One bit of what is read from the simulated disk is another.
  double bit_rot = 0;

  /// A write of a journal takes up to `slow_by`, and those after it wait: what is not written is lost when the process ends.
  double disk_slow = 0;

  /// A message that passes a link (see `simulation::node`) is up to `link_delay_by` late; those behind it wait.
  double link_delay = 0;
  std::chrono::nanoseconds link_delay_by = std::chrono::milliseconds{200};
  /// A message that passes a link, or the reply to a request that does, is lost.
  double link_loss = 0;
  /// The link that a message is about to pass is down for up to `link_down_for`, in that direction or in both: what is on
  /// its way, and what is sent meanwhile, is lost.
  double link_down = 0;
  std::chrono::nanoseconds link_down_for = std::chrono::seconds{10};

  friend bool operator==(const simulation_faults&, const simulation_faults&) = default;
};

struct simulation_options {
  /// Decides everything that `replay` does not.
  std::uint64_t seed = 1;
  exploration_strategy strategy = exploration_strategy::uniform;
  /// Strategy `priorities`: d, at least 1.
  unsigned depth = 3;
  /// Strategy `priorities`: k, an estimate of the turns of a run.
  std::uint32_t turns_expected = 1'000;
  simulation_faults faults{};
  /// Faults of all kinds in one run, preemptions included.
  unsigned faults_max = 1'000'000;
  /// Instead of the strategy and the probabilities: these choices, and the default for all others.
  std::optional<schedule> replay{};
  /// Simulated time after which a run is over though timers are left.
  std::chrono::nanoseconds run_for = std::chrono::hours{1};
  /// Turns after which a run that is not over is a violation.
  std::size_t turns_max = 1'000'000;
  /// An ask that times out while it is part of a circle of asks is a violation.
  bool deadlock_is_violation = true;
  /// Messages that the quarantine holds.
  std::size_t quarantine_capacity = 1'000;
  /// Entries that the trace keeps, the latest; 0: no trace, only its hash.
  std::size_t trace_capacity = 0;
};

} // namespace troupe
