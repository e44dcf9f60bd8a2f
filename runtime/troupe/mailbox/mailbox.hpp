// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "troupe/mailbox/envelope.hpp"

namespace troupe::detail {

/// What became of a message at the mailbox's door.
enum class push_result : std::uint8_t {
  queued,          ///< In the queue; somebody is already taking care of the receiver.
  queued_and_wake, ///< In the queue; the caller must schedule the receiver.
  full,            ///< Refused: at capacity.
  closed,          ///< Refused: the receiver has stopped.
};

/// The user lane: a bounded queue with many senders and one receiver, and with it the right to run the receiver.
///
/// Everything that senders and the receiver must agree on is one word, so that limit, order, depth, accounting and
/// wake-up cost a sender one compare-and-swap together:
///
///     count : 20 | envelope address / 64 : 41 | attention : 1 | state : 2
///
/// - *state*: `busy` (somebody holds the right to run the receiver, or it is queued at the scheduler), `idle` (the
///   queue is empty; whoever changes this to busy must schedule the receiver), `blocked` (the receiver does not serve
///   this lane now; messages queue up, only attention wakes it), `closed` (for ever).
/// - *attention*: the receiver shall look at its control lane.
/// - *envelope*: the youngest message of a stack linked through `envelope::next`.
/// - *count*: messages pushed since the last fold.
///
/// The receiver remembers how many it has taken since the last fold (`held_`) and publishes how many of them it is through
/// with (`done_`). The depth is `count - done`. A sender reads `done_` only if `count` alone would say "full", so that in
/// the usual case the receiver's line stays with the receiver.
///
/// Taking a batch (receiver) leaves the word alone: it reads the word and follows `count - held_` links. The link of the
/// oldest fresh message leads to one that was taken before and has long been freed; it is never followed, and it does not
/// matter whether that memory has been sent here again meanwhile.
///
/// Folding keeps the count small, once for so many messages: step *reset* sets `done_` to 0; step *take* lowers the count
/// by what is done. In this order a sender between the two steps sees too large a depth, never too small: a message may be
/// refused that would just have fitted, but the capacity is not exceeded.
///
/// Threads: `push`, `attend`, `depth` any; everything else the holder of the right to run.
class mailbox {
public:
  enum state : std::uint64_t { busy = 0, idle = 1, blocked = 2, closed = 3 };

  static constexpr std::size_t capacity_max = 500'000; // count must hold two of them

  /// Where what the receiver writes per message begins: better not in the senders' cache line.
  static constexpr std::size_t receiver_offset = sizeof(std::uint64_t);

  /// Adds `e` if fewer than `capacity` messages are waiting.
  push_result push(envelope* e, std::uint32_t capacity) noexcept {
    // acquire: pairs with step take, so that `done_` below is no older than step reset; the compare-and-swap validates
    // the word itself, but not what was read beside it.
    auto w = word_.load(std::memory_order_acquire);
    for (;;) {
      const auto s = w & state_mask;
      if (s == closed) [[unlikely]]
        return push_result::closed;
      const auto n = w >> count_shift;
      // acquire: pairs with the release in pop(); nothing is read because of it but the depth itself.
      if (n >= capacity && n - done_.load(std::memory_order_acquire) >= capacity) [[unlikely]]
        return push_result::full;
      e->next = address(w);
      const auto next = ((n + 1) << count_shift) | pack(e) | (w & attention_bit) | (s == idle ? std::uint64_t{busy} : s);
      // release: publishes the message and its link, pairs with the acquire in take(). acquire: if this wakes the
      // receiver, its next holder sees through the caller what the last holder wrote before leave().
      if (word_.compare_exchange_weak(w, next, std::memory_order_acq_rel, std::memory_order_acquire)) [[likely]]
        return s == idle ? push_result::queued_and_wake : push_result::queued;
    }
  }

  /// Asks the receiver to look at its control lane. Returns true if the caller must schedule the receiver.
  /// Does nothing on a closed mailbox.
  bool attend() noexcept {
    auto w = word_.load(std::memory_order_relaxed); // relaxed: validated below
    for (;;) {
      const auto s = w & state_mask;
      if (s == closed)
        return false;
      const bool wake = s == idle || s == blocked;
      // Set already and no one to wake: the receiver will look after whatever the caller has just published. This
      // needs an RMW all the same (not a mere load), or the publication could become visible after the look.
      const auto next = (w & ~state_mask) | attention_bit;
      if (word_.compare_exchange_weak(w, next, std::memory_order_acq_rel, std::memory_order_relaxed))
        return wake;
    }
  }

  /// Takes the right to run from `idle`. Returns true if the caller must schedule the receiver. For a lane beside this
  /// one whose own lock orders it against `rest`.
  bool wake_if_idle() noexcept {
    auto w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & state_mask) != idle)
        return false;
    } while (!word_.compare_exchange_weak(w, (w & ~state_mask) | busy, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  bool is_closed() const noexcept { return (word_.load(std::memory_order_acquire) & state_mask) == closed; }

  /// Messages waiting, in the batch included. Exact for the receiver, a moment old for others.
  std::size_t depth() const noexcept {
    for (;;) {
      const auto base = base_.load(std::memory_order_acquire);
      const auto n = word_.load(std::memory_order_acquire) >> count_shift;
      const auto d = done_.load(std::memory_order_acquire);
      // Unchanged and not in flux: both belong to the same batch. Else a batch just finished would be counted twice.
      if ((base & 1) == 0 && base_.load(std::memory_order_acquire) == base)
        return n > d ? n - d : 0;
    }
  }

  // -- holder of the right to run only --

  /// Next message in order, or null if none is waiting. The caller then owns it.
  envelope* pop() noexcept {
    if (batch_ == nullptr && !take())
      return nullptr;
    auto* e = batch_;
    batch_ = e->next;
    // release: orders the pop before a sender's view of the free place. Owner is the only writer: no RMW.
    done_.store(done_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    return e;
  }

  bool batch_empty() const noexcept { return batch_ == nullptr; }

  /// Clears the attention mark and returns whether it was set.
  bool take_attention() noexcept {
    if ((word_.load(std::memory_order_relaxed) & attention_bit) == 0)
      return false;
    // acquire: pairs with the release in attend(); what was put on the control lane before is visible now.
    return (word_.fetch_and(~attention_bit, std::memory_order_acq_rel) & attention_bit) != 0;
  }

  bool attention() const noexcept { return (word_.load(std::memory_order_relaxed) & attention_bit) != 0; }

  /// Gives up the right to run, if nothing is waiting and no attention is wanted. After `true` the receiver may be
  /// running elsewhere, or be gone: the caller must not touch it.
  bool rest() noexcept {
    if (batch_ != nullptr)
      return false;
    auto w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & attention_bit) != 0 || (w >> count_shift) != held_)
        return false;
      // release: publishes the receiver's state to the next holder of the right to run. Count and address stay: with
      // every message that was taken done, they stand for a depth of zero.
    } while (!word_.compare_exchange_weak(w, (w & ~state_mask) | idle, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Gives up the right to run whatever waits on this lane, if no attention is wanted.
  bool block() noexcept {
    auto w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & attention_bit) != 0)
        return false;
      // release: publishes the receiver's state to the next holder of the right to run.
    } while (!word_.compare_exchange_weak(w, (w & ~state_mask) | blocked, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Refuses all further messages. What is waiting stays until it is popped.
  void close() noexcept { word_.fetch_or(closed, std::memory_order_acq_rel); }

  /// Messages accepted so far. Any thread.
  std::uint64_t accepted() const noexcept {
    for (;;) {
      const auto base = base_.load(std::memory_order_acquire);
      const auto n = word_.load(std::memory_order_acquire) >> count_shift;
      // Unchanged and not in flux: the count belongs to the base.
      if ((base & 1) == 0 && base_.load(std::memory_order_acquire) == base)
        return base / 2 + n;
    }
  }

  /// Messages popped so far.
  std::uint64_t popped() const noexcept {
    return base_.load(std::memory_order_relaxed) / 2 + done_.load(std::memory_order_relaxed);
  }

private:
  static constexpr std::uint64_t state_mask = 3;
  static constexpr std::uint64_t attention_bit = 4;
  static constexpr unsigned address_shift = 3;
  static constexpr unsigned count_shift = 44;
  static constexpr std::uint64_t address_mask = (std::uint64_t{1} << count_shift) - 1 - 7;
  static_assert(2 * capacity_max < (std::uint64_t{1} << (64 - count_shift)));

  static std::uint64_t pack(const envelope* e) noexcept {
    return reinterpret_cast<std::uint64_t>(e) / block_pool::alignment << address_shift;
  }

  static envelope* address(std::uint64_t w) noexcept {
    return reinterpret_cast<envelope*>((w & address_mask) >> address_shift << 6);
  }

  /// Makes what was pushed since the last call the current batch, oldest first. Requires an empty batch.
  bool take() noexcept {
    const auto w = word_.load(std::memory_order_acquire); // acquire: the messages; pairs with the release in push()
    const auto fresh = (w >> count_shift) - held_;
    if (fresh == 0)
      return false;
    // By count, not to a terminator: the link of the oldest fresh one points to an envelope that has long been freed.
    envelope* oldest = nullptr;
    auto* e = address(w);
    for (auto n = fresh; n != 0; --n) {
      auto* older = e->next;
      e->next = oldest;
      oldest = e;
      e = older;
    }
    batch_ = oldest;
    held_ += fresh;
    if (held_ >= fold_at) [[unlikely]]
      fold(fresh);
    return true;
  }

  /// Keeps count from running over: forgets the messages that are done. `waiting` are those just taken.
  void fold(std::uint64_t waiting) noexcept {
    const auto base = base_.load(std::memory_order_relaxed);
    const auto gone = held_ - waiting;
    base_.store(base | 1, std::memory_order_relaxed); // in flux; ordered by the releases below
    done_.store(0, std::memory_order_release);        // step reset; release: who sees it sees the mark in depth()
    auto w = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(w, w - (gone << count_shift), std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
    }
    base_.store(base + 2 * gone, std::memory_order_release);
    held_ = waiting;
  }

  static constexpr std::uint64_t fold_at = 64; // messages: one compare-and-swap more for so many

  // -- senders and receiver --
  std::atomic<std::uint64_t> word_{busy};

  // -- receiver writes, senders read when the lane looks full --
  std::atomic<std::uint64_t> done_{0};

  // -- holder of the right to run only --
  envelope* batch_ = nullptr;
  std::uint64_t held_ = 0; // the part of count that was taken

  // -- holder of the right to run writes, anyone reads --
  std::atomic<std::uint64_t> base_{0}; // twice the messages folded away; odd while folding
};

} // namespace troupe::detail
