// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bench/nexmark/event.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

namespace nexmark {

/// A file that cannot be read, or does not hold what it should. The message begins with `file:line:` where there is one.
class event_log_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Events in the order in which they happened, with the memory that their texts lie in.
struct event_log {
  std::vector<event> events;
  std::deque<std::string> texts; ///< What the events' views point into.

  /// Reads a file of events (one per line, columns named by the first line), or a folder with person.csv, auction.csv and
  /// bid.csv, whose events are put in the order of their times, persons before auctions before bids.
  /// Errors: event_log_error.
  static event_log read(const std::string& path);
};

/// The events in the order in which a disordered feed gives them: position i of a group of `group` shows the event at place
/// i * 953 % group. 1: in order. Throws std::invalid_argument for a multiple of 953, which would repeat events.
std::vector<event> disordered(const std::vector<event>& in_order, std::size_t group);

/// By how much, at most, an event is earlier than one that was given before it, in milliseconds.
std::int64_t lateness_of(const std::vector<event>& events);

} // namespace nexmark
