// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace troupe::engine {

/// A bounded first-in-first-out ring of runnables with one producer, its owner, and any number of consumers.
///
/// Positions are 64-bit and only grow, so a position never means two things (no ABA); slot `position % Capacity` holds
/// its runnable. A consumer copies slots first and then moves `head_` past them with one compare-and-swap:
///
/// | step     | who      | what                                     | what goes wrong without it                      |
/// |----------|----------|------------------------------------------|-------------------------------------------------|
/// | copy     | consumer | reads slots `head .. head+n`             | copying after the swap: the owner may already   |
/// |          |          |                                          | have refilled them                              |
/// | validate | consumer | swaps `head_` from `head` to `head+n`    | two consumers run the same runnable             |
/// | refill   | owner    | writes a slot only if `tail-head` leaves | a consumer's valid swap would cover a copied    |
/// |          |          | room, then moves `tail_`                 | pointer that was overwritten                    |
///
/// A copy that loses the race may hold overwritten pointers; its swap fails and it is thrown away.
///
/// Threads: `push`, `take_half` and `steal_from` (on the thief's side) owner only; the rest any.
template <unsigned Capacity = 256>
class run_queue {
  static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "a power of two, at least 2");

public:
  static constexpr unsigned capacity = Capacity;

  run_queue() = default;
  run_queue(const run_queue&) = delete;
  run_queue& operator=(const run_queue&) = delete;

  /// Appends `r`. Returns false, and does nothing, when the ring is full.
  bool push(runnable& r) noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed); // relaxed: only this thread writes it
    // acquire: the consumers' reads of the freed slots happen before our refill; pairs with their swap of head_
    if (tail - head_.load(std::memory_order_acquire) >= Capacity)
      return false;
    slot(tail).store(&r, std::memory_order_relaxed); // relaxed: published by tail_
    // Default order, which includes the release that publishes the slot: a worker that is about to park announces
    // itself and then looks at tail_, we store tail_ and then look at who is parked. One of the two must see the other.
    tail_.store(tail + 1);
    return true;
  }

  /// Takes the oldest runnable, or returns null. Threads: any.
  runnable* pop() noexcept {
    auto head = head_.load(std::memory_order_acquire); // acquire: as in claim()
    for (;;) {
      if (head >= tail_.load(std::memory_order_acquire)) // acquire: publishes the slots below tail
        return nullptr;
      auto* taken = slot(head).load(std::memory_order_relaxed); // relaxed: validated by claim()
      if (claim(head, 1))
        return taken;
    }
  }

  /// What `pop` would take at this moment, or null. It may be taken and end meanwhile: good for its address only.
  const runnable* peek() const noexcept {
    const auto head = head_.load(std::memory_order_relaxed); // relaxed, all: nothing depends on it
    return head < tail_.load(std::memory_order_relaxed) ? slots_[head % Capacity].load(std::memory_order_relaxed)
                                                        : nullptr;
  }

  /// Takes the older half of a full ring into `out`, oldest first, and returns how many that were: `Capacity / 2`, or 0
  /// when thieves made room meanwhile.
  unsigned take_half(std::span<runnable*, Capacity / 2> out) noexcept {
    auto head = head_.load(std::memory_order_acquire);           // acquire: as in claim()
    if (tail_.load(std::memory_order_relaxed) - head < Capacity) // relaxed: only this thread writes it
      return 0;
    for (unsigned i = 0; i < Capacity / 2; ++i)
      out[i] = slot(head + i).load(std::memory_order_relaxed); // relaxed: our own stores, validated by claim()
    return claim(head, Capacity / 2) ? Capacity / 2 : 0;
  }

  /// Moves the older half of `victim`, rounded up, here. Returns the oldest to be run at once, or null if there was
  /// nothing to take; the others are queued. `taken`, if given, receives how many moved.
  runnable* steal_from(run_queue& victim, unsigned* taken = nullptr) noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed);                     // relaxed: only this thread writes it
    const auto room = Capacity - (tail - head_.load(std::memory_order_acquire)); // acquire: as in push()
    auto head = victim.head_.load(std::memory_order_acquire);                    // acquire: as in claim()
    for (;;) {
      const auto end = victim.tail_.load(std::memory_order_acquire); // acquire: publishes the slots below it
      if (head >= end)
        return nullptr;
      if (end - head > Capacity) {                           // head is older than end: the owner went on in between
        head = victim.head_.load(std::memory_order_acquire); // acquire: as in claim()
        continue;
      }
      const auto count = std::min((end - head + 1) / 2, room + 1);     // one of them is run and needs no room
      auto* first = victim.slot(head).load(std::memory_order_relaxed); // relaxed: validated by claim(), as the others
      for (std::uint64_t i = 1; i < count; ++i)
        slot(tail + i - 1).store(victim.slot(head + i).load(std::memory_order_relaxed), std::memory_order_relaxed);
      if (!victim.claim(head, count))
        continue;
      if (count > 1)
        tail_.store(tail + count - 1); // default order: as in push()
      if (taken != nullptr)
        *taken = static_cast<unsigned>(count);
      return first;
    }
  }

  /// Whether nothing was queued at the moment of the call. Part of the re-check before parking, hence default order.
  bool empty() const noexcept {
    const auto head = head_.load();
    return head >= tail_.load();
  }

  /// How many are queued; exact on the owner's thread while nobody steals. Threads: any.
  unsigned size() const noexcept {
    const auto head = head_.load();
    const auto tail = tail_.load();
    return tail > head ? static_cast<unsigned>(std::min<std::uint64_t>(tail - head, Capacity)) : 0;
  }

private:
  std::atomic<runnable*>& slot(std::uint64_t position) noexcept { return slots_[position % Capacity]; }

  /// Moves head_ from `head` past `count` copied slots. On failure `head` holds the present value.
  bool claim(std::uint64_t& head, std::uint64_t count) noexcept {
    // acq_rel: release ends our reads of the slots before the owner refills them (pairs with push()); acquire: a later
    // look at tail_ is at least as new as the head it is compared with
    return head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel, std::memory_order_acquire);
  }

  // -- atomic; each on its own cache line: thieves write head_, the owner tail_ --
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};                   // owner writes
  alignas(64) std::array<std::atomic<runnable*>, Capacity> slots_{}; // owner writes
};

} // namespace troupe::engine
