// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <mutex>

namespace caf {
class actor_system;
}

namespace troupe::detail {

struct system_core;

/// Plain CAF's actor system beside a Troupe system, made when it is first asked for: a program that does not cross over
/// pays for none of CAF's threads. Threads: `get` any; `end` the system's owner.
class caf_system {
public:
  caf_system();
  ~caf_system();

  caf::actor_system& get(system_core& core, unsigned workers);
  /// Ends it, if it was made: CAF actors that are busy get one second. False: one does not return from its handler, and
  /// what it may touch is left to it.
  bool end();

private:
  struct pair;

  // -- guarded by mutex_ --
  std::mutex mutex_;
  std::unique_ptr<pair> pair_;
};

} // namespace troupe::detail
