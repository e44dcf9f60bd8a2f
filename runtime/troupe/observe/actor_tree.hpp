// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/ledger.hpp>
#include <troupe/observe/flight_record.hpp>
#include <troupe/supervision/child_spec.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What an actor does at present, for people and tools.
enum class actor_state : std::uint8_t {
  starting,
  passive, ///< Without its object, which the next message builds.
  running,
  draining, ///< Handles what it had accepted when it was told to drain, then stops.
  waiting,  ///< Down: waits for its restart, or for its group's.
  out,      ///< Stopped by name; its place is kept.
  stopping,
  stopped,
};

/// The enumerator's own spelling.
std::string_view to_string(actor_state s) noexcept;

/// One actor, or one supervisor with those under it, as it was at some moment during the call that made this; or, to be
/// checked before it is started, as it is planned.
struct actor_tree {
  std::string name; ///< The path, or type and id of an unnamed actor.
  std::uint64_t id = 0;
  std::string type;
  actor_state state{};
  std::uint32_t restarts = 0;
  std::size_t queued = 0;                         ///< In the mailbox.
  ledger books{};                                 ///< A supervisor's: of all under it.
  std::string handling{};                         ///< The message at work, if there is one.
  child_options options{};                        ///< As a child of the one above.
  std::optional<supervisor_options> supervisor{}; ///< Set for a supervisor.
  std::vector<flight_record> recent{};            ///< What the flight recorder holds, oldest first.
  std::vector<actor_tree> children{};             ///< In start order.
};

/// How a tree is shown.
struct tree_style {
  bool ascii = false;    ///< Branches of `|-` instead of box drawing characters.
  bool detail = false;   ///< Ids, books, the message at work, and what the flight recorders hold.
  std::size_t most = 50; ///< Children shown of one supervisor; the others are summed up in one line.
  time_point now{};      ///< Ages of flight records count back from here.
};

/// One line per actor, the first for `root`.
std::string to_string(const actor_tree& root, const tree_style& style = {});

} // namespace troupe
