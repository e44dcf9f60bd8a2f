// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>

#include <functional>
#include <string>
#include <thread>

namespace troupe::engine {

/// Gives runnables their turns: a `scheduler` on its own threads, a `stepper` on the caller's.
///
/// A runnable submitted twice before it has run is the caller's error and is not detected.
class executor {
public:
  /// Queues `r`, soon: the partner of the running runnable may go before the others.
  virtual void submit(runnable& r) noexcept = 0;

  /// Queues `r` behind everything that is queued here. For yields.
  virtual void submit_fair(runnable& r) noexcept = 0;

protected:
  ~executor() = default;
};

/// Starts a thread with a name (at most 15 characters are shown by the system) that runs `body` and ends.
/// The seam through which every thread of the engine is made.
using thread_starter = std::function<std::jthread(std::string name, std::function<void()> body)>;

} // namespace troupe::engine
