// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>

#include <atomic>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::engine {

/// Lets one thread order the memory of all threads of the process (P. E. McKenney and M. Desnoyers, membarrier(2)).
struct thread_barrier {
  /// Whether the system can do that (Linux 4.14). Once is enough.
  static bool enable() noexcept {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  }
  static void everywhere() noexcept { syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); }
};

/// A place for one runnable beside a worker's queue, which costs its worker no read-modify-write: it fills and empties the
/// slot on every message. The worker on watch (see `parking`) only empties it, now and then; so the watch alone pays for
/// their agreement (J. Dekker's, with the fence on one side):
///
/// - *take*: the worker says that it takes, looks whether there is a raid, and if not empties the slot with a plain load
///   and store. In a raid, and where the system has no such barrier, it exchanges.
/// - *raid*: the watch announces the raid, has every thread of the process pass a barrier, and exchanges unless the worker
///   says that it takes. A worker that looked before the barrier has said so before it too; one that looks later sees
///   the raid. Without the barrier: the worker's look overtakes its word, both find the runnable, and it runs twice.
/// - *count*: raids are counted. Who has been taken off the watch may still be in one while the next watch begins another.
///   Without it: the first to end says that there is none, and the worker meets the other at the slot.
///
/// The model is tests/models/slot.pml. `Barrier` is another one in the explorer (tests/interleaving).
///
/// Threads: its worker; `raid` the one on watch; `seems_filled` any.
template <class Barrier = thread_barrier>
class partner_slot {
public:
  /// `barriers`: `Barrier::enable` has worked.
  explicit partner_slot(bool barriers) noexcept : barriers_{barriers} {}

  /// For its worker: false is exact, true may be a moment old. For others a hint.
  bool seems_filled() const noexcept { return seen() != nullptr; }
  /// As `seems_filled`, for this runnable.
  bool seems_to_hold(const runnable& r) const noexcept { return seen() == &r; }

  /// Requires an empty slot: only its worker makes it full.
  void put(runnable& r) noexcept {
    runnable_.store(&r,
                    std::memory_order_release); // release: publishes the runnable to the watch, which takes by exchange
  }

  /// Puts `r` in and returns what was there, or null.
  runnable* put_instead(runnable& r) noexcept {
    // acq_rel: release publishes r to the watch; acquire takes over what was published with the runnable that was there
    return runnable_.exchange(&r, std::memory_order_acq_rel);
  }

  runnable* take() noexcept {
    if (!seems_filled())
      return nullptr;
    if (!barriers_)
      return exchange();
    taking_.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst); // a raid's barrier makes a fence of it
    // acquire: pairs with the release in raid(); after a raid the slot is found as it left it
    if (raids_.load(std::memory_order_acquire) != 0) [[unlikely]] {
      taking_.store(false, std::memory_order_relaxed);
      return exchange();
    }
    auto* taken =
        runnable_.load(std::memory_order_relaxed); // relaxed, both: a raid may have ended since the first look
    runnable_.store(nullptr, std::memory_order_relaxed);
    taking_.store(false, std::memory_order_release); // release: who sees it sees that the slot is empty
    return taken;
  }

  runnable* raid() noexcept {
    if (!seems_filled()) // a later look will do as well
      return nullptr;
    if (!barriers_)
      return exchange();
    runnable* taken = nullptr;
    raids_.fetch_add(1, std::memory_order_relaxed); // relaxed: ordered by the barrier
    Barrier::everywhere();
    if (!taking_.load(std::memory_order_acquire))   // acquire: pairs with the release in take()
      taken = exchange();                           // gone, if it was taken by plain steps meanwhile: acquire above
    raids_.fetch_sub(1, std::memory_order_release); // release: pairs with the acquire in take()
    return taken;
  }

private:
  runnable* seen() const noexcept { return runnable_.load(std::memory_order_relaxed); } // relaxed: see who asks

  /// acquire: pairs with the release of the runnable's publication. An exchange: the other may take it first.
  runnable* exchange() noexcept { return runnable_.exchange(nullptr, std::memory_order_acquire); }

  // -- atomic: its worker writes, the watch reads; the watch empties the first, too --
  std::atomic<runnable*> runnable_{nullptr};
  std::atomic<bool> taking_{false}; // its worker is about to empty it by plain steps
  // -- immutable --
  const bool barriers_;
  // -- atomic: the watch writes, its worker reads --
  std::atomic<unsigned> raids_{0}; // that go on
};

} // namespace troupe::engine
