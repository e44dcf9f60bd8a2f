// SPDX-License-Identifier: BSD-3-Clause
// Claim: the decision and the plan follow the published table for every combination of their inputs.
// Observed: full grids, written out as tables and compared cell by cell; the plans also against their laws.
#include <troupe/supervision/restart_decision.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using indices = std::vector<std::size_t>;

namespace {

constexpr restart_type types[] = {permanent, transient, temporary};
constexpr exit_reason reasons[] = {exit_reason::normal, exit_reason::shutdown, exit_reason::failure,
                                   exit_reason::killed};
constexpr failure_action actions[] = {failure_action::restart, failure_action::resume, failure_action::stop,
                                      failure_action::escalate};

/// What is decided if the budgets allow everything and nothing delays it; `restart` stands for "needs a restart".
constexpr decision expected(restart_type type, exit_reason reason, failure_action action) {
  using enum decision;
  //                                        permanent   transient   temporary
  constexpr decision by_itself[] = {decision::restart, none, none};
  constexpr decision by_force[] = {decision::restart, decision::restart, none};
  constexpr decision by_failure[][3] = {{decision::restart, decision::restart, stop_child}, // action restart
                                        {resume, resume, resume},                           // action resume
                                        {stop_child, stop_child, stop_child},               // action stop
                                        {escalate, escalate, escalate}};                    // action escalate
  const auto column = static_cast<std::size_t>(type);
  switch (reason) {
    case exit_reason::failure: return by_failure[static_cast<std::size_t>(action)][column];
    case exit_reason::killed: return by_force[column];
    default: return by_itself[column];
  }
}

} // namespace

TEST_CASE("restart_decision: every combination of type and reason and action and budgets decides as the table says") {
  for (const auto type : types)
    for (const auto reason : reasons)
      for (const auto action : actions)
        for (const bool child_exceeded : {false, true})
          for (const bool group_exceeded : {false, true})
            for (const auto delay : {0ms, 1ms, 30'000ms}) {
              CAPTURE(to_string(type));
              CAPTURE(static_cast<int>(reason));
              CAPTURE(to_string(action));
              CAPTURE(child_exceeded);
              CAPTURE(group_exceeded);
              CAPTURE(delay.count());
              auto wanted = expected(type, reason, action);
              const bool restarts = wanted == decision::restart;
              if (restarts && (child_exceeded || group_exceeded))
                wanted = decision::escalate;
              else if (restarts && delay > 0ms)
                wanted = decision::restart_after_delay;
              const child_exit exit{.restart = type, .reason = reason, .action = action};
              const restart_terms terms{child_exceeded, group_exceeded, delay};
              CHECK(needs_restart(exit) == restarts);
              CHECK(to_string(decide(exit, terms)) == to_string(wanted));
            }
}

TEST_CASE("restart_decision: without further terms a restart is within the budgets and at once") {
  CHECK(decide({permanent, exit_reason::failure, failure_action::restart}, {}) == decision::restart);
}

TEST_CASE("restart_decision: a suspended child is never left suspended") {
  for (const auto type : types)
    for (const auto action : actions) {
      CAPTURE(to_string(type));
      CAPTURE(to_string(action));
      CHECK(decide({type, exit_reason::failure, action}, {}) != decision::none);
    }
}

TEST_CASE("restart_decision: plans for four children are as written") {
  const std::vector<restart_type> lasting(4, permanent);
  struct row {
    strategy how;
    std::size_t failed;
    indices halt, revive;
  };
  const row rows[] = {
      {one_for_one, 0, {}, {0}},
      {one_for_one, 2, {}, {2}},
      {dynamic, 1, {}, {1}},
      {one_for_all, 0, {3, 2, 1}, {0, 1, 2, 3}},
      {one_for_all, 1, {3, 2, 0}, {0, 1, 2, 3}},
      {one_for_all, 3, {2, 1, 0}, {0, 1, 2, 3}},
      {rest_for_one, 0, {3, 2, 1}, {0, 1, 2, 3}},
      {rest_for_one, 2, {3}, {2, 3}},
      {rest_for_one, 3, {}, {3}},
  };
  for (const auto& r : rows) {
    CAPTURE(to_string(r.how));
    CAPTURE(r.failed);
    CHECK(plan_restart(r.how, r.failed, lasting) == restart_plan{r.halt, r.revive});
  }
}

TEST_CASE("restart_decision: a temporary sibling goes down and does not come back") {
  const restart_type children[] = {permanent, temporary, transient, temporary};
  CHECK(plan_restart(one_for_all, 0, children) == restart_plan{{3, 2, 1}, {0, 2}});
  CHECK(plan_restart(rest_for_one, 2, children) == restart_plan{{3}, {2}});
  CHECK(plan_restart(one_for_all, 1, children) == restart_plan{});
}

TEST_CASE("restart_decision: plans of up to five children of all types obey the laws of their strategy") {
  for (std::size_t size = 1; size <= 5; ++size) {
    std::size_t mixes = 1;
    for (std::size_t i = 0; i < size; ++i)
      mixes *= 3;
    for (std::size_t mix = 0; mix < mixes; ++mix) {
      std::vector<restart_type> children;
      for (std::size_t rest = mix, i = 0; i < size; ++i, rest /= 3)
        children.push_back(types[rest % 3]);
      for (const auto how : {one_for_one, one_for_all, rest_for_one, dynamic})
        for (std::size_t failed = 0; failed < size; ++failed) {
          CAPTURE(size);
          CAPTURE(mix);
          CAPTURE(to_string(how));
          CAPTURE(failed);
          const auto [halt, revive] = plan_restart(how, failed, children);
          for (std::size_t i = 0; i < size; ++i) {
            CAPTURE(i);
            const bool concerned = children[failed] != temporary &&
                                   (i == failed || how == one_for_all || (how == rest_for_one && i > failed));
            CHECK(std::count(halt.begin(), halt.end(), i) == (concerned && i != failed));
            CHECK(std::count(revive.begin(), revive.end(), i) == (concerned && children[i] != temporary));
          }
          CHECK(std::is_sorted(halt.rbegin(), halt.rend()));
          CHECK(std::is_sorted(revive.begin(), revive.end()));
        }
    }
  }
}

TEST_CASE("restart_decision: a supervisor ends with its significant children as its rule says") {
  struct row {
    auto_shutdown rule;
    bool significant;
    std::size_t left;
    bool ends;
  };
  const row rows[] = {
      {auto_shutdown::never, false, 0, false},
      {auto_shutdown::never, true, 0, false},
      {auto_shutdown::never, true, 1, false},
      {auto_shutdown::any_significant, false, 0, false},
      {auto_shutdown::any_significant, true, 0, true},
      {auto_shutdown::any_significant, true, 1, true},
      {auto_shutdown::all_significant, false, 0, false},
      {auto_shutdown::all_significant, true, 1, false},
      {auto_shutdown::all_significant, true, 0, true},
  };
  for (const auto& r : rows) {
    CAPTURE(to_string(r.rule));
    CAPTURE(r.significant);
    CAPTURE(r.left);
    CHECK(ends_supervisor(r.rule, r.significant, r.left) == r.ends);
  }
}

TEST_CASE("restart_decision: every decision has a name of its own") {
  CHECK(to_string(decision::none) == "none");
  CHECK(to_string(decision::resume) == "resume");
  CHECK(to_string(decision::restart) == "restart");
  CHECK(to_string(decision::restart_after_delay) == "restart_after_delay");
  CHECK(to_string(decision::stop_child) == "stop_child");
  CHECK(to_string(decision::escalate) == "escalate");
}
