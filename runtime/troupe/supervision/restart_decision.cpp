// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/supervision/restart_decision.hpp>

#include <cassert>

namespace troupe {

bool needs_restart(const child_exit& exit) noexcept {
  switch (exit.reason) {
    case exit_reason::normal:
    case exit_reason::shutdown: return exit.restart == permanent;
    case exit_reason::failure: return exit.action == failure_action::restart && exit.restart != temporary;
    case exit_reason::killed: return exit.restart != temporary;
  }
  return false; // equivalent: there are no other reasons
}

decision decide(const child_exit& exit, const restart_terms& terms) noexcept {
  if (needs_restart(exit)) {
    if (terms.child_budget_exceeded || terms.group_budget_exceeded)
      return decision::escalate;
    return terms.delay > std::chrono::nanoseconds::zero() ? decision::restart_after_delay : decision::restart;
  }
  if (exit.reason != exit_reason::failure)
    return decision::none;
  switch (exit.action) {
    case failure_action::resume: return decision::resume;
    case failure_action::escalate: return decision::escalate;
    case failure_action::restart: // of a temporary child, which is suspended and must not stay so
    case failure_action::stop: break;
  }
  return decision::stop_child;
}

restart_plan plan_restart(strategy how, std::size_t failed, std::span<const restart_type> children) {
  assert(failed < children.size());
  restart_plan plan;
  if (children[failed] == temporary)
    return plan;
  std::size_t begin = failed;
  std::size_t end = failed + 1;
  if (how == one_for_all)
    begin = 0;
  if (how == one_for_all || how == rest_for_one)
    end = children.size();
  for (std::size_t i = end; i-- > begin;)
    if (i != failed)
      plan.halt.push_back(i);
  for (std::size_t i = begin; i < end; ++i)
    if (children[i] != temporary)
      plan.revive.push_back(i);
  return plan;
}

bool ends_supervisor(auto_shutdown rule, bool significant, std::size_t significant_left) noexcept {
  switch (rule) {
    case auto_shutdown::never: return false;
    case auto_shutdown::any_significant: return significant;
    case auto_shutdown::all_significant: return significant && significant_left == 0;
  }
  return false; // equivalent: there are no other rules
}

std::string_view to_string(decision value) noexcept {
  switch (value) {
    case decision::none: return "none";
    case decision::resume: return "resume";
    case decision::restart: return "restart";
    case decision::restart_after_delay: return "restart_after_delay";
    case decision::stop_child: return "stop_child";
    case decision::escalate: return "escalate";
  }
  return "invalid decision";
}

} // namespace troupe
