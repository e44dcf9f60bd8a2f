// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/ledger.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// An actor that had not ended when the shutdown's deadline passed.
struct survivor {
  std::string name;
  std::uint64_t id = 0;
  std::string handler;                 ///< The message it is handling; empty if it is in no handler.
  std::chrono::milliseconds since{};   ///< How long it has been in that handler, to 10 ms.
  std::size_t queued = 0;              ///< Messages waiting in its mailbox.
  std::vector<std::string> awaited_by; ///< Actors whose asks it has not answered; "outside" for other threads.
};

/// How a shutdown went.
struct shutdown_report {
  bool complete = false; ///< Every actor has ended.
  bool drained = false;  ///< All that was queued was handled before the actors were stopped.
  bool gave_up = false;  ///< A top-level supervisor or actor had spent its restarts before.
  std::chrono::milliseconds elapsed{};
  std::vector<survivor> survivors;
  ledger books;                  ///< Of all actors together.
  std::uint64_t unaccounted = 0; ///< Messages with no counted outcome: always 0, or Troupe has a bug.

  /// 0 after a complete shutdown without `gave_up`, else 1: for `return` from main.
  int exit_code() const noexcept { return complete && !gave_up ? 0 : 1; }
};

/// The report for a person: one line if all went well, else one line more for each of the first 100 survivors.
std::string to_string(const shutdown_report& r);

} // namespace troupe
