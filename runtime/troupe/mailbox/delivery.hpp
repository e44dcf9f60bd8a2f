// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace troupe {

/// What a `tell` came to, known to the sender at once.
enum class delivery : std::uint8_t {
  accepted, ///< In the mailbox: it will end in exactly one counted outcome.
  dropped,  ///< Accepted and dropped at once: the mailbox is full and its policy is drop_newest.
  rejected, ///< Not accepted: the mailbox is full and its policy is reject.
  stopped,  ///< Not accepted: the receiver has stopped, or the ref is empty.
};

const char* to_string(delivery d) noexcept;

/// Why an accepted message was given up.
enum class drop_reason : std::uint8_t {
  overflow,        ///< The mailbox's policy dropped it.
  stopped,         ///< The actor stopped before its turn came.
  restarted,       ///< Its handler was suspended when the actor was restarted.
  resumed,         ///< Its handler failed and the supervisor chose to go on without a restart.
  quarantine_full, ///< It would have gone to the quarantine, which had no room.
  overran,         ///< Its handler exceeded its time budget, and the actor was replaced.
};

const char* to_string(drop_reason r) noexcept;

} // namespace troupe
