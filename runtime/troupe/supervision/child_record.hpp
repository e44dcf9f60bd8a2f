// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/reply_slot.hpp>
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/supervision/backoff.hpp>
#include <troupe/supervision/restart_budget.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace troupe::detail {

class supervisor_core;

/// What a supervisor remembers of a child from its first failure on. Threads: the supervisor's turn.
struct child_record {
  restart_budget budget;
  backoff pause;
  std::chrono::nanoseconds delay{}; ///< Before the restart that is under way.
  std::uint64_t ticket = 0;         ///< Of the timer that restarts the child; makes earlier ones harmless.
};

/// What a child tells its supervisor. Owns itself; holds a count on the child.
class child_report final : public control_message {
public:
  enum kind : unsigned char {
    failed,          ///< A handler threw. The child is suspended, its object is still there.
    failed_to_start, ///< The constructor threw at a restart. The child is suspended without an object.
    ended,           ///< A permanent child ended itself. It is suspended without an object.
    halted,          ///< As ordered: suspended without an object.
    revived,         ///< As ordered: running with a fresh object.
    gone,            ///< Stopped for good.
    overran,         ///< A handler exceeds its time budget. The child is where it was.
  };

  child_report(supervisor_core& to, cell& child, kind what, std::exception_ptr why, std::string message_type);

  void deliver(cell& supervisor) noexcept override;
  void refuse(cell& supervisor) noexcept override;

  supervisor_core& to;
  cell& child;
  const kind what;
  const std::exception_ptr why;
  const std::string message_type;

private:
  ~child_report();
};

/// The child is suspended, and nobody has ordered that.
constexpr bool is_down(child_report::kind what) noexcept {
  return what == child_report::failed || what == child_report::failed_to_start || what == child_report::ended;
}

/// What somebody wants of one child, by its name, and where the answer goes. Owns a count on the slot.
class child_request {
public:
  enum kind : unsigned char { stop, restart, remove };

  child_request(kind k, std::string path_, typed_reply_slot<void>& slot) noexcept
      : what{k}, path{std::move(path_)}, slot_{&slot} {}
  child_request(child_request&& other) noexcept
      : what{other.what}, path{std::move(other.path)}, slot_{std::exchange(other.slot_, nullptr)} {}
  child_request& operator=(child_request&&) = delete;
  ~child_request() {
    if (slot_ != nullptr)
      end(error{errc::shutting_down, "the supervisor is stopping"});
  }

  void end(const result<void>& outcome) noexcept {
    auto* slot = std::exchange(slot_, nullptr);
    if (outcome)
      slot->settle();
    else
      slot->settle_error(outcome.error().code, outcome.error().what);
  }

  kind what;
  std::string path;

private:
  typed_reply_slot<void>* slot_;
};

enum class supervisor_order : unsigned char { halt, revive, stop, kill };

} // namespace troupe::detail
