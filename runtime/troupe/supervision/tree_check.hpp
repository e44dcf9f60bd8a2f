// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/observe/actor_tree.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace troupe {

/// Something about a tree that does not do what it seems to say.
struct tree_finding {
  enum class grade : unsigned char {
    error,   ///< It cannot be started like that.
    warning, ///< It runs, but not as somebody who reads the options expects.
  };
  grade how{};
  std::string where; ///< Name of the actor or supervisor.
  std::string what;

  friend bool operator==(const tree_finding&, const tree_finding&) = default;
};

/// Looks for what can be known of a tree without running it, from the top down:
///
/// - error: options out of their range; two children of one name;
/// - warning: the intensities along a path multiply to more than 1,000 restarts of a leaf before the top gives up;
/// - warning: a back-off so long that its budget can never be exceeded: the restarts go on for ever;
/// - warning: a tree that may take longer to stop than `time_to_stop` leaves it, so that the shutdown kills.
std::vector<tree_finding> check_tree(const actor_tree& root, std::chrono::milliseconds time_to_stop);

/// "warning: shop/stock: ...".
std::string to_string(const tree_finding& f);

} // namespace troupe
