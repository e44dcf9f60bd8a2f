// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/observe/actor_tree.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Something about a tree that does not do what it seems to say.
struct tree_finding {
  enum class grade : unsigned char {
    error,   ///< It cannot be started like that.
    warning, ///< It runs, but not as somebody who reads the options expects.
  };
  enum class topic : unsigned char {
    options,       ///< Out of their range, or they contradict each other.
    name,          ///< There twice.
    endless,       ///< Pauses so long that the budget can never be exceeded: restarts go on for ever.
    product,       ///< The intensities along the path multiply to more than 1,000 restarts of a leaf.
    shutdown_time, ///< More time to stop than there is, so that the shutdown kills.
    no_effect,     ///< An option that does nothing where it is.
  };
  grade how{};
  topic about{};
  std::string where; ///< Name of the actor or supervisor.
  std::string what;

  friend bool operator==(const tree_finding&, const tree_finding&) = default;
};

/// One child as it is started: its own options, and what is above it.
struct child_place {
  std::string_view name;
  const child_options& options;
  const supervisor_options& above;
  double lives_above = 1; ///< Of its supervisor: the product of `lives` from the top down to it.
  bool supervises = false;
};

/// How often a child may live before its supervisor gives up: the tolerated restarts and one; 1 if it never gives up.
double lives(const child_options& child, const supervisor_options& above) noexcept;

/// The warnings that can be given when a child is started, without a look at its siblings; usually none, and then without
/// an allocation. `shutdown_time`: what a shutdown of the system leaves for its stop at most.
std::vector<tree_finding> check_child(const child_place& child, std::chrono::milliseconds shutdown_time);

/// Looks for what can be known of a tree without running it, from the top down: what `check_child` finds, and
///
/// - error: options out of their range; two children of one name;
/// - warning: a tree that may take longer to stop than `time_to_stop` leaves it.
std::vector<tree_finding> check_tree(const actor_tree& root, std::chrono::milliseconds time_to_stop);

/// "warning: shop/stock: ...".
std::string to_string(const tree_finding& f);

} // namespace troupe
