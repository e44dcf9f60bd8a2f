// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/testing/simulation.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct exploration;

/// A program that one run executes from its beginning: it says what must hold, and calls `simulation::run`.
using simulated_program = std::function<void(simulation&)>;

struct exploration_options {
  /// Names the program in what is printed, and in `TROUPE_SIMULATION`. Without blanks.
  std::string name = "program";
  std::uint64_t first_seed = 1;
  /// Runs, one per seed.
  std::uint64_t seeds = 1'000;
  exploration_strategy strategy = exploration_strategy::mixed;
  /// Strategy `priorities`.
  unsigned depth = 3;
  simulation_faults faults{};
  unsigned faults_max = 1'000'000;
  /// Each seed uses a random half of the faults, each with the given probability, a quarter, or a sixteenth of it: faults
  /// hide each other. A. Groce, C. Zhang, E. Eide, Y. Chen, J. Regehr, "Swarm testing", ISSTA 2012.
  bool swarm = true;
  /// Instead of seeds: every order, and every place for up to `faults_max` faults, depth first. At most `seeds` runs.
  bool exhaustive = false;
  /// Exhaustive: of all orders that differ only in turns that have nothing to do with each other, run one. An invariant
  /// over the states of several actors may then see fewer combinations of them than there are.
  bool reduce = true;
  /// Outcomes (see `simulation::outcome`) must be those of a run without faults, first in, first out.
  bool same_outcome = false;
  /// One run in so many is made twice, and must be the same; 0: none.
  std::uint64_t repeat_every = 50;
  /// Runs spent on making a schedule smaller.
  std::uint64_t shrink_runs = 2'000;
  std::size_t trace_capacity = 2'000;
  std::chrono::nanoseconds run_for = std::chrono::hours{1};
  std::size_t turns_max = 1'000'000;
  bool deadlock_is_violation = true;
  /// What follows the executable in the command that reproduces a finding, such as `-tc="a test case"`.
  std::string arguments{};
  /// Called after each run; false ends the exploration.
  std::function<bool(const exploration&)> progress{};
};

/// A run in which something that must hold did not, and the smallest schedule known that leads there.
struct finding {
  std::string program;
  std::string rule;         ///< See `violation::rule`.
  std::string what;         ///< The rule and the circumstances.
  std::uint64_t seed = 0;   ///< Of the run that found it.
  std::uint64_t runs = 0;   ///< Until then, that one included.
  std::size_t choices = 0;  ///< Of that run, other than the default.
  schedule smallest{};      ///< Fewer choices, same rule.
  std::string trace;        ///< Of the smallest.
  std::string command;      ///< Reproduces the smallest, with its trace.
  std::string seed_command; ///< Reproduces the run that found it.
  std::string settings;     ///< What else `smallest` needs, as designated initialisers of `simulation_options`.
  std::optional<std::string> expected; ///< If the rule is an outcome's: what it is without faults.

  /// All of it, for people.
  std::string text() const;

  /// A doctest case that fails as long as the bug is there. `call`: a function that takes a `troupe::simulation&`.
  std::string test_case(std::string_view call) const;
};

/// What an exploration came to.
struct exploration {
  std::optional<finding> found{};
  std::uint64_t runs = 0;
  std::uint64_t redundant = 0;     ///< Of them broken off, because they were others in a different order.
  std::uint64_t interleavings = 0; ///< Different ones, as `simulation_figures::interleaving` tells them apart.
  /// An estimate of the probability that one more run has an interleaving that none had so far: the share of runs whose
  /// interleaving no other had. I. J. Good, "The population frequencies of species ...", Biometrika 40, 1953.
  double unseen = 1;
  /// Different pairs of messages of which a kind of actor has handled one right after the other, up to 65,536; a few less
  /// than there were, because some look alike. It stops growing when the orders that matter to single actors are known.
  std::uint64_t neighbours = 0;
  std::uint64_t last_new = 0; ///< The run that has added to them last, counted from 1.
  std::uint64_t hash = 0;     ///< Of all runs, in order: equal for equal explorations, in every build of the same code.
  std::uint64_t turns = 0;
  std::uint64_t messages = 0;
  std::uint64_t faults = 0;
  std::uint64_t restarts = 0;
  std::uint64_t process_crashes = 0;
  bool complete = false; ///< Exhaustive: every run was made.

  /// Figures in one line.
  std::string text() const;
};

/// Runs `program` with seed after seed, until something does not hold or the seeds are over.
///
/// The environment variable `TROUPE_SIMULATION="NAME SEED"` or `"NAME SCHEDULE"` makes it run only that, if the name is
/// this one's, and print the trace to standard error.
///
/// Errors: what `program` throws other than `violation`; std::invalid_argument for a variable that cannot be read.
exploration explore(const exploration_options& options, const simulated_program& program);

/// The faults that a seed draws from `faults`, as swarm testing does.
simulation_faults drawn_faults(const simulation_faults& faults, std::uint64_t seed) noexcept;

} // namespace troupe
