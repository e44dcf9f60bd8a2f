// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace troupe::engine {

/// What a worker should do with a runnable after one turn.
enum class run_result : unsigned char {
  /// Nothing left to do. The runnable may already be running elsewhere or be destroyed: do not touch it.
  idle,
  /// There is more to do: queue it again behind the others.
  again,
};

/// Something a worker can give a turn to: a cell, or a plain CAF actor behind an adapter.
///
/// A runnable is queued at most once at a time; whoever queues it guarantees that. A worker holds
/// no reference on it: it stays alive as long as it is queued or running.
class runnable {
public:
  /// Runs one turn. Threads: one worker at a time.
  virtual run_result run() noexcept = 0;

  /// The id of the actor that has the turn; 0: it is none.
  virtual std::uint64_t subject() const noexcept { return 0; }

protected:
  ~runnable() = default;
};

} // namespace troupe::engine
