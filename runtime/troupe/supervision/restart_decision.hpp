// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/supervision/child_spec.hpp>
#include <troupe/supervision/exit_reason.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

/// What a supervisor does when a child fails or ends: the rules alone, without clock, actor or thread.
///
/// Order of use: ask `needs_restart`; if so, charge the budgets and ask the back-off for the delay; `decide`; for a
/// restart, `plan_restart` says which children go down and come back; otherwise, if the child has ended by itself,
/// `ends_supervisor` says whether the supervisor goes with it.

namespace troupe {

/// What the supervisor does.
enum class decision : unsigned char {
  /// Nothing: the child has ended and stays so; a temporary one is forgotten.
  none,
  /// Goes on with the state it has, without the failing message.
  resume,
  /// Restart now.
  restart,
  /// Restart after the delay.
  restart_after_delay,
  /// Stop the suspended child for good; a temporary one is forgotten then.
  stop_child,
  /// Give up: stop all children and fail.
  escalate,
};

/// What is known about one child that has failed or ended.
struct child_exit {
  restart_type restart = permanent;

  /// `failure`: an exception left a handler, and the child is suspended in the state that the handler left. Otherwise
  /// it has ended: by itself, told by somebody other than its supervisor, or killed.
  exit_reason reason = exit_reason::failure;

  /// What the supervisor's rules say about the exception. Looked at for a failure only.
  failure_action action = failure_action::restart;
};

/// What the budgets and the back-off say about a restart that is needed.
struct restart_terms {
  bool child_budget_exceeded = false;
  bool group_budget_exceeded = false;
  std::chrono::nanoseconds delay{0};
};

/// Whether a restart is called for, and thus to be charged to the budgets.
bool needs_restart(const child_exit& exit) noexcept;

/// The decision. `terms` are looked at only if `needs_restart(exit)`.
decision decide(const child_exit& exit, const restart_terms& terms) noexcept;

/// Who goes down and who comes back when one child is restarted; both by index in start order.
struct restart_plan {
  /// To be stopped, one after the other in this order (the reverse of the start order). The failed child, which is down
  /// already, is not among them.
  std::vector<std::size_t> halt;
  /// To be started, one after the other in this order (the start order), when all of `halt` are down.
  std::vector<std::size_t> revive;

  friend bool operator==(const restart_plan&, const restart_plan&) = default;
};

/// Plans the restart of the child `failed`, given the restart types of all running children in start order.
///
/// A temporary child goes down with its group and does not come back; if `failed` is itself temporary, both lists are
/// empty. If a child `k` of the group fails to start, the restart is tried again as one of `k`.
/// *Requires* `failed < children.size()`.
restart_plan plan_restart(strategy how, std::size_t failed, std::span<const restart_type> children);

/// Whether a supervisor stops because a child has ended by itself (that is, neither because the supervisor stopped it
/// nor because of a sibling) and is not restarted. `significant_left` counts the significant children still running.
bool ends_supervisor(auto_shutdown rule, bool significant, std::size_t significant_left) noexcept;

/// The enumerator's own spelling.
std::string_view to_string(decision value) noexcept;

} // namespace troupe
