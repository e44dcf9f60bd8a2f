// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/envelope.hpp>
#include <troupe/mailbox/trail.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

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
/// - *attention*: the receiver shall look at its control lane before it gives up the right to run. (That it looks at it
///   before each message is its own affair: the lane's head is in a cache line that senders of messages do not touch.)
/// - *envelope*: the youngest message of a stack linked through `envelope::next`.
/// - *count*: messages pushed so far, modulo 2^20.
///
/// The receiver counts what it has taken (`held_`) and publishes how many of them it is through with (`done_`); all three
/// counts only grow, so the depth is `count - done_` whenever each of them was read. A sender needs `done_` only to see
/// whether there is room: it goes by the value that some sender read last (`seen_`), which can only be too low, and reads
/// `done_` afresh when that alone would say "full". So the receiver's cache line stays with the receiver, and a sender is
/// refused exactly if `capacity` messages were waiting.
///
/// Taking a batch leaves the word alone: the receiver follows `count - held_` links from the youngest. The link of the
/// oldest fresh message leads to one that was taken before and has long been freed; it is never followed, and it does not
/// matter whether that memory has been sent here again meanwhile.
///
/// Threads: `push`, `attend`, `depth` any; everything else the holder of the right to run.
class mailbox {
public:
  enum state : std::uint64_t { busy = 0, idle = 1, blocked = 2, closed = 3 };

  static constexpr std::size_t capacity_max = 500'000; // less than half of what count can tell apart

  /// Where what the receiver writes per message begins: better not in the senders' cache line.
  static constexpr std::size_t receiver_offset = 2 * sizeof(std::uint64_t);

  static trail* no_trail() noexcept { return nullptr; }

  /// Adds `e` if fewer than `capacity` messages are waiting. `trail_here` finds the calling thread's trail, or null;
  /// null it must be if `e` is signed.
  template <class TrailHere = trail* (*)() noexcept>
  [[gnu::always_inline]] push_result push(envelope* e, std::uint32_t capacity,
                                          TrailHere trail_here = no_trail) noexcept {
    auto w = word_.load(std::memory_order_relaxed); // relaxed: validated by the compare-and-swap below
    if ((w & state_mask) != idle)
      if (auto* sent = trail_here(); sent != nullptr)
        sent->leave(*e, this);
    for (;;) {
      const auto s = w & state_mask;
      if (s == closed) [[unlikely]]
        return push_result::closed;
      auto seen = seen_.load(std::memory_order_relaxed); // relaxed, as below: a value of `done_`, no matter whose
      if (waiting(w, seen) >= capacity) [[unlikely]] {
        const auto done = done_.load(std::memory_order_acquire); // acquire: pairs with the release in pop()
        // Only in the place of the value looked at: a sender that was held up here while others went on would bring back
        // one that is too old for the count to be compared with.
        if (done != seen)
          seen_.compare_exchange_strong(seen, done, std::memory_order_relaxed, std::memory_order_relaxed);
        if (waiting(w, done) >= capacity)
          return push_result::full;
      }
      e->next = address(w);
      const auto next =
          (w & count_mask) + count_one + (pack(e) | (w & attention_bit) | (s == idle ? std::uint64_t{busy} : s));
      // release: publishes the message and its link, pairs with the acquire in take(). acquire: if this wakes the
      // receiver, its next holder sees through the caller what the last holder wrote before rest().
      if (word_.compare_exchange_weak(w, next, std::memory_order_acq_rel, std::memory_order_relaxed)) [[likely]]
        return s == idle ? push_result::queued_and_wake : push_result::queued;
      step_aside();
      w = word_.load(std::memory_order_relaxed);
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

  /// Takes the right to run from `idle` or `blocked`. Returns true if the caller holds it now: it may touch what belongs
  /// to the holder, and must schedule the receiver.
  bool seize() noexcept {
    auto w = word_.load(std::memory_order_relaxed); // relaxed: validated below
    do {
      const auto s = w & state_mask;
      if (s != idle && s != blocked)
        return false;
      // acquire: the caller sees what the last holder wrote before it gave up the right.
    } while (!word_.compare_exchange_weak(w, (w & ~state_mask) | busy, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  bool is_closed() const noexcept { return (word_.load(std::memory_order_acquire) & state_mask) == closed; }

  /// Messages waiting, in the batch included. Exact for the receiver, a moment old for others.
  std::size_t depth() const noexcept {
    const auto w = word_.load(std::memory_order_acquire);
    return waiting(w, done_.load(std::memory_order_acquire));
  }

  /// Messages accepted so far. Any thread.
  std::uint64_t accepted() const noexcept {
    const auto w = word_.load(std::memory_order_acquire);
    // Whatever was popped since: the difference says where the count was.
    const auto done = done_.load(std::memory_order_acquire);
    return done + static_cast<std::uint64_t>(ahead(w, done));
  }

  // -- holder of the right to run only --

  /// Next message in order, or null if none is waiting. The caller then owns it.
  envelope* pop() noexcept {
    if (batch_ == nullptr && !take())
      return nullptr;
    auto* e = batch_;
    batch_ = e->next;
    __builtin_prefetch(batch_); // the next one, while this one is handled
    // release: a sender that sees the free place sees that the message is out. The only writer: no RMW.
    done_.store(done_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    return e;
  }

  /// Clears the attention mark and returns whether it was set.
  bool take_attention() noexcept {
    if ((word_.load(std::memory_order_relaxed) & attention_bit) == 0)
      return false;
    // acquire: pairs with the release in attend(); what was put on the control lane before is visible now.
    return (word_.fetch_and(~attention_bit, std::memory_order_acq_rel) & attention_bit) != 0;
  }

  /// Gives up the right to run, if nothing is waiting and no attention is wanted. After `true` the receiver may be
  /// running elsewhere, or be gone: the caller must not touch it.
  bool rest() noexcept {
    if (batch_ != nullptr)
      return false;
    auto w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & attention_bit) != 0 || ahead(w, held_) != 0)
        return false;
      // release: publishes the receiver's state to the next holder of the right to run. Count and address stay.
    } while (!word_.compare_exchange_weak(w, (w & ~state_mask) | idle, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Closes the lane for ever, if nothing is waiting and no attention is wanted: then no message is lost by it.
  bool close_if_empty() noexcept {
    if (batch_ != nullptr)
      return false;
    auto w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & attention_bit) != 0 || ahead(w, held_) != 0)
        return false;
    } while (!word_.compare_exchange_weak(w, w | closed, std::memory_order_acq_rel, std::memory_order_relaxed));
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

  /// Messages popped so far.
  std::uint64_t popped() const noexcept { return done_.load(std::memory_order_relaxed); }

private:
  static constexpr std::uint64_t state_mask = 3;
  static constexpr std::uint64_t attention_bit = 4;
  static constexpr unsigned address_shift = 3;
  static constexpr unsigned count_shift = 44;
  static constexpr std::uint64_t count_one = std::uint64_t{1} << count_shift;
  static constexpr std::uint64_t count_mask = ~(count_one - 1);
  static constexpr std::uint64_t address_mask = count_one - 1 - 7;
  static_assert(capacity_max < (std::uint64_t{1} << (63 - count_shift)));

  /// Another sender was faster: lets it go on for some 100 ns. Senders that take turns at every message wait for the
  /// cache line each time; those that let each other send a few in a row do so once.
  static void step_aside() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    for (int i = 0; i < 4; ++i)
      __builtin_ia32_pause();
#endif
  }

  /// How far the count in `w` is ahead of `other`, which is less than 2^19 away from it on either side.
  static std::int64_t ahead(std::uint64_t w, std::uint64_t other) noexcept {
    return static_cast<std::int64_t>((w & count_mask) - (other << count_shift)) >> count_shift;
  }

  static std::uint64_t waiting(std::uint64_t w, std::uint64_t done) noexcept {
    const auto n = ahead(w, done);
    return n > 0 ? static_cast<std::uint64_t>(n) : 0; // `done` may be younger than `w`
  }

  static std::uint64_t pack(const envelope* e) noexcept {
    return reinterpret_cast<std::uint64_t>(e) / block_pool::alignment << address_shift;
  }

  static envelope* address(std::uint64_t w) noexcept {
    return reinterpret_cast<envelope*>((w & address_mask) >> address_shift << 6);
  }

  /// Makes what was pushed since the last call the current batch, oldest first. Requires an empty batch.
  bool take() noexcept {
    const auto w = word_.load(std::memory_order_acquire); // acquire: the messages; pairs with the release in push()
    const auto fresh = ahead(w, held_);
    if (fresh == 0)
      return false;
    envelope* oldest = nullptr;
    auto* e = address(w);
    for (auto n = fresh; n != 0; --n) { // by count, not to a terminator: see above
      if (n > trail::length)            // else it is none of this batch
        trail::fetch_earlier(*e);
      auto* older = e->next;
      e->next = oldest;
      oldest = e;
      e = older;
    }
    batch_ = oldest;
    held_ += static_cast<std::uint64_t>(fresh);
    return true;
  }

  // -- senders --
  std::atomic<std::uint64_t> seen_{0}; // a value of `done_` from some time ago

  // -- senders and receiver --
  std::atomic<std::uint64_t> word_{busy};

  // -- receiver writes; senders read it when the lane looks full, anyone for figures --
  std::atomic<std::uint64_t> done_{0}; // messages popped

  // -- holder of the right to run only --
  envelope* batch_ = nullptr;
  std::uint64_t held_ = 0; // messages taken into batches
};

} // namespace troupe::detail
