// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace troupe {

/// How an actor's life ended.
enum class exit_reason : std::uint8_t {
  normal,   ///< It ended itself.
  shutdown, ///< It was told to stop.
  failure,  ///< It failed and was not restarted.
  killed,   ///< It was stopped without its stop hook.
};

constexpr const char* to_string(exit_reason r) noexcept {
  switch (r) {
    case exit_reason::normal: return "normal";
    case exit_reason::shutdown: return "shutdown";
    case exit_reason::failure: return "failure";
    case exit_reason::killed: return "killed";
  }
  return "invalid exit_reason";
}

} // namespace troupe
