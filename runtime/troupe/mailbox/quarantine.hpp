// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

namespace detail {
class cell;
struct envelope;
} // namespace detail

/// One message in the quarantine.
struct quarantined_message {
  std::uint64_t id = 0; ///< For `replay` and `discard`.
  std::string receiver;
  std::string message_type;
  std::string exception; ///< What the last attempt threw.
  unsigned attempts = 0; ///< How often it was tried.
  wall_time_point since{};
  /// What the message's own `to_string` says; empty if its type has none.
  std::string payload{};
  /// Who caused it, the first cause first, the sender last: "shop/order, handling place_order". Requests lead back to what
  /// their askers were handling; a `tell` says at most its sender's id, if the receiver has a flight recorder.
  std::vector<std::string> path{};
};

/// A few lines for a person: receiver, message, exception, attempts, time, payload, causal path.
std::string to_string(const quarantined_message& m);
std::string to_string(const std::vector<quarantined_message>& all);

/// Messages whose handlers failed as often as their receivers' retries allow, kept with their payload.
///
/// Bounded: `capacity` messages (default 1,000); beyond that a failing message is dropped with the reason
/// `quarantine_full`, so that the oldest evidence stays. Threads: any.
class quarantine {
public:
  quarantine() = default;
  quarantine(const quarantine&) = delete;
  quarantine& operator=(const quarantine&) = delete;
  ~quarantine();

  std::vector<quarantined_message> list() const;
  std::size_t size() const;

  /// Sends the message to its receiver again, as a new one. False if there is no such message, or the receiver's mailbox
  /// did not accept it (it then stays here).
  bool replay(std::uint64_t id);

  /// Forgets the message. False if there is none.
  bool discard(std::uint64_t id);

  /// For the runtime, before there are messages: `system_options::quarantine_capacity`.
  void limit(std::size_t capacity);
  /// For the runtime. Takes `e` and a count on `receiver` over. False, with nothing done, if there is no room.
  bool add(detail::cell& receiver, detail::envelope* e, quarantined_message about);

private:
  struct entry {
    quarantined_message about;
    detail::cell* receiver = nullptr;
    detail::envelope* message = nullptr;
  };
  std::optional<entry> take(std::uint64_t id);

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // leaf lock
  std::deque<entry> entries_;
  std::uint64_t last_id_ = 0;
  std::size_t capacity_ = 1'000;
};

} // namespace troupe
