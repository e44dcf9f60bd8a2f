// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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
  std::chrono::milliseconds delay{}; ///< Before the restart that is under way.
  std::uint64_t ticket = 0;          ///< Of the timer that restarts the child; makes earlier ones harmless.
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
  };

  child_report(supervisor_core& to, cell& child, kind what, std::exception_ptr why, std::string message_type);

  void deliver(cell& supervisor) noexcept override;
  void refuse(cell& supervisor) noexcept override;

  /// The child is suspended, and nobody has ordered that.
  bool down() const noexcept { return what == failed || what == failed_to_start || what == ended; }

  supervisor_core& to;
  cell& child;
  const kind what;
  const std::exception_ptr why;
  const std::string message_type;

private:
  ~child_report();
};

enum class supervisor_order : unsigned char { halt, revive, stop, kill };

} // namespace troupe::detail
