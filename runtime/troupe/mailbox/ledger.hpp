// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace troupe {

/// Where every accepted message is: the books of one mailbox, or of all mailboxes together.
///
/// `accepted = handled + expired + dropped + quarantined + queued` at every instant. A message that a full or closed
/// mailbox refused was never accepted; it is counted in `refused` and its sender was told.
struct ledger {
  std::uint64_t accepted = 0;
  std::uint64_t handled = 0;     ///< The handler returned, or its coroutine ended.
  std::uint64_t expired = 0;     ///< Its deadline passed before it was handled.
  std::uint64_t dropped = 0;     ///< Given up for a reason that a dead letter names.
  std::uint64_t quarantined = 0; ///< Its handler failed as often as the retries allow; kept in the quarantine.
  std::uint64_t queued = 0;      ///< Waiting, in a suspended handler, or being retried.
  std::uint64_t refused = 0;     ///< Not accepted; outside the law.

  bool balanced() const noexcept { return accepted == handled + expired + dropped + quarantined + queued; }

  ledger& operator+=(const ledger& x) noexcept {
    accepted += x.accepted;
    handled += x.handled;
    expired += x.expired;
    dropped += x.dropped;
    quarantined += x.quarantined;
    queued += x.queued;
    refused += x.refused;
    return *this;
  }

  bool operator==(const ledger&) const = default;
};

} // namespace troupe
