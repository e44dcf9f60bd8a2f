// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/engine/flight_recorder.hpp>
#include <troupe/supervision/child_spec.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>

namespace troupe::detail {

/// What a cell carries if its handlers are recorded, timed or rehearsed; most cells have none.
struct cell::instruments {
  instruments(const child_options& spec, std::chrono::nanoseconds budget_, const actor_type& type)
      : recorder{spec.flight_recorder}, budget{budget_},
        replaceable{spec.on_overrun == overrun_action::replace && type.replaceable}, rehearse{type.keep_state != nullptr
                                                                                                  ? spec.rehearse
                                                                                                  : 0} {}

  // -- any thread --
  flight_recorder recorder;

  // -- immutable --
  const std::chrono::nanoseconds budget; // 0: none
  const bool replaceable;
  const std::size_t rehearse; // messages kept for that

  // -- the turn only --
  struct kept_message {
    const handler* how;
    std::shared_ptr<const void> payload;
  };
  std::deque<kept_message> last; // handled, oldest first

  void keep(const handler& how, const void* payload) {
    if (rehearse == 0 || how.rehearse == nullptr || how.message->copy == nullptr)
      return;
    try {
      last.push_back({&how, how.message->copy(payload)});
    } catch (...) { // it has been handled all the same, and is only not tried later
      return;
    }
    if (last.size() > rehearse)
      last.pop_front();
  }
};

} // namespace troupe::detail
