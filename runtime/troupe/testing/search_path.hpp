// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace troupe::detail {

/// What one turn has touched: the actor itself, and those to whom it has sent anything. Two turns of different actors that
/// touch nothing in common can change places, and nobody can tell.
struct footprint {
  std::uint64_t actor = 0;
  std::vector<std::uint64_t> touched{}; ///< Sorted, `actor` among them.
  bool everything = false;              ///< It has started or failed: better not to move it.

  void touch(std::uint64_t id);
  void merge(const footprint& other);
  bool independent_of(const footprint& other) const noexcept;
};

/// A path through the tree of all runs of a program: for each choice what was chosen, and what else could be.
///
/// With `reduce`, of all orders that differ only in turns that can change places one is run: the sleep sets of P.
/// Godefroid, "Partial-order methods for the verification of concurrent systems", 1996. A run that turns out to be another
/// in a different order is `redundant` and can be broken off.
/// Threads: one.
class search_path {
public:
  explicit search_path(bool reduce) : reduce_{reduce} {}

  /// Back to the root, to run along the path again.
  void restart() noexcept;

  /// The place of the one that has the next turn.
  std::uint32_t next_turn(const std::deque<engine::runnable*>& ready);
  /// The next choice of another kind, among `n`.
  std::uint32_t next(std::uint32_t n);
  /// The turn that `next_turn` has chosen is over.
  void turn_over(const footprint& f);

  bool redundant() const noexcept { return redundant_; }

  /// To the next run in depth-first order. False: there is none, all have been made.
  bool advance();

private:
  struct step {
    std::uint32_t chosen = 0;
    std::uint32_t among = 0;
    // Of turns only.
    std::vector<std::uint64_t> ready{};
    std::vector<footprint> asleep{}; // turns that need not be tried here: another order has had them
    footprint made{};                // by the chosen turn, in any of the runs so far
  };

  static bool sleeps(const step& s, std::uint64_t actor) noexcept;
  bool choose_awake(step& s, std::uint32_t from) noexcept;

  const bool reduce_;
  std::vector<step> steps_;
  std::size_t at_ = 0;
  std::size_t last_turn_ = 0;     // the step of the turn under way, counted from 1; 0: none yet
  std::vector<footprint> asleep_; // where the run is
  bool redundant_ = false;
};

} // namespace troupe::detail
