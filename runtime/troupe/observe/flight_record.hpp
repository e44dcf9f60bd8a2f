// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// One message that an actor has handled, as its flight recorder keeps it.
struct flight_record {
  time_point at{};          ///< When its handler was called.
  std::uint64_t sender = 0; ///< Id of the actor that sent it; 0: another thread, a timer, plain CAF.
  std::string message_type;
  std::chrono::nanoseconds took{}; ///< To the handler's end, or its first suspension.
  bool failed = false;             ///< An exception left the handler.
};

/// One line per record, oldest first, with times relative to `now`; each line begins with `indent`.
std::string to_string(const std::vector<flight_record>& records, time_point now, const std::string& indent = "  ");

/// A duration as a person reads it: "12 us", "3.4 ms", "1.2 s".
std::string readable(std::chrono::nanoseconds duration);

} // namespace troupe
