// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/envelope.hpp>

namespace troupe::detail {

class cell;

/// What a message waits in while its handler is suspended: a coroutine, or a pending write to the journal.
///
/// Owned by the cell, which keeps its suspensions in a list. Threads: the cell's turn.
class suspension {
public:
  suspension() = default;
  suspension(const suspension&) = delete;
  suspension& operator=(const suspension&) = delete;

  /// True once the handler has come to its end.
  virtual bool ended() const noexcept = 0;
  /// After the end: sends the reply, or throws what the handler threw.
  virtual void conclude(envelope& e) = 0;
  /// Ends the suspension, concluded or not, and frees it.
  virtual void dispose() noexcept = 0;

protected:
  virtual ~suspension() = default;

private:
  friend class cell;
  suspension* previous_ = nullptr;
  suspension* next_ = nullptr;
  envelope* message_ = nullptr;
};

} // namespace troupe::detail
