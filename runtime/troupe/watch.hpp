// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/supervision/exit_reason.hpp>

#include <cstdint>
#include <string>

namespace troupe {

/// The message that a watcher gets, once, when an actor that it watches has stopped for good. A restart is not a stop.
struct stopped {
  std::uint64_t id = 0; ///< `ref::id()` of the actor.
  std::string name;
  exit_reason reason{};
};

} // namespace troupe
