// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>
#include <memory>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::engine {

/// Where workers without work sleep, and who may wake them.
///
/// A worker is *active* (runs turns), *searching*, *asleep* (no time limit) or *on watch* (naps; at most one). All
/// of it is one 64-bit word changed by compare-and-swap, so each step below is atomic and sees the one before. The
/// exhaustive model of this protocol is tests/models/parking.pml.
///
/// | state     | left by                                                     | next                                  |
/// |-----------|-------------------------------------------------------------|---------------------------------------|
/// | active    | the worker: `start_search`                                  | searching                             |
/// | searching | the worker: `end_search`, `announce`                        | active; asleep, or on watch           |
/// | asleep    | anyone: `work_queued` takes it, `call_watch` calls it       | searching; on watch (called)          |
/// | on watch  | anyone: `work_queued` takes it; the worker: `leave_watch`,  | searching; active; asleep             |
/// |           | `retire_watch`                                              |                                       |
///
/// Run queues and the injector are covered by waking:
///
/// - *publish*: a submitter stores the runnable (default order), then calls `work_queued`, which loads the word and
///   wakes one worker unless one is searching.
/// - *announce*: a worker that found nothing leaves `searching` for `asleep` or `on watch`.
/// - *re-check*: after that, it looks at every queue once more and calls `work_queued` if one is not empty. Without it:
///   the worker finds the queue empty, the submitter publishes and sees a searcher, the worker goes to sleep.
/// - *hand over*: the last searcher that found work looks at the queues after `end_search` and wakes the next. Without
///   it: two runnables are published while one worker searches, neither wakes anybody, the searcher takes one.
///
/// The slot for a worker's hot partner is covered by the watch, not by waking, because it fills on every message:
///
/// - *call*: a push into the slot looks at the word; if somebody sleeps and nobody is on watch it calls one.
/// - *volunteer*: who announces while others are active and nobody is on watch goes on watch. Without it: all workers
///   are active when the slot fills, so nobody is called; one of them runs dry, sleeps, and the slot's owner computes.
/// - *retire*: the watch goes to sleep only in a word with no active worker. Without the condition being part of the
///   same compare-and-swap: the watch sees no active worker, one becomes active, fills its slot and still sees the
///   watch, and the watch goes to sleep.
/// - *pass on*: who leaves the watch with loot calls a sleeper to it. Without it: two long turns have each filled their
///   slot, the watch takes from one, and the other's waits although a third worker sleeps.
///
/// The look of *call* needs no fence: the last step of an active worker on the word was its own, later values are seen
/// in order, and no step above turns a word in which it need not call into one in which it should have, while it is
/// active.
///
/// - *token*: who takes or calls a worker stores exactly one token for it, except that a called worker that has not yet
///   noticed is taken without a second one. The worker waits for the token before its next step. Without this: a late
///   token would end a later sleep whose worker is still on the stack of sleepers, and it would be there twice.
///
/// Threads: any; the members that take a worker's number only on that worker's thread.
class parking {
public:
  static constexpr unsigned workers_max = 1023;

  enum class posture : unsigned char { asleep, on_watch };
  enum class woken : unsigned char { to_search, to_watch, by_time };

  /// All workers start as searching, so what is submitted before they run is found by them. `spare` ones, whose numbers
  /// follow, take part from `enlist` to `resign_active`.
  explicit parking(unsigned workers, unsigned spare = 0)
      : workers_{std::min(workers + spare, workers_max)}, places_{std::make_unique<place[]>(workers_)},
        enlisted_{std::min(workers, workers_max)}, word_{state{.searching = enlisted_.load()}.packed()} {}

  // -- spare workers --

  /// One more worker, which is searching. In between it looks active: somebody may volunteer for the watch in vain.
  void enlist() noexcept {
    enlisted_.fetch_add(1);
    change([](state& s) { ++s.searching; });
  }

  /// One worker less, which was active. The watch that sees it as active for a moment longer naps once more.
  void resign_active() noexcept { enlisted_.fetch_sub(1); }

  /// One worker less, which has been enlisted and not begun. The caller must look at the queues next and call
  /// `work_queued` if there is anything: a submitter may have counted on its search.
  void resign_searching() noexcept {
    change([](state& s) { --s.searching; });
    enlisted_.fetch_sub(1);
  }

  // -- submitters --

  /// Wakes one worker to search unless one does. Call it after the runnable was stored in default order.
  void work_queued() noexcept {
    auto seen = word_.load();
    for (;;) {
      auto s = state::of(seen);
      if (s.searching != 0 || (s.top == 0 && s.watch == 0))
        return;
      if (take(seen, s))
        return;
    }
  }

  /// Whether a push into a hot slot should `call_watch`: the cheap test in front of it. `cold`: the runnable that
  /// pushes was itself taken from a queue; a watch that has slowed down is then told to look closely again.
  bool wants_watch(bool cold) const noexcept {
    const auto seen = word_.load(std::memory_order_relaxed); // relaxed: see "needs no fence" above
    return (seen & state::watch_mask) == 0 ? (seen & state::top_mask) != 0 : cold && (seen & state::slow_bit) != 0;
  }

  /// Calls a sleeper to the watch, or the slow watch to attention. `caller` and `turn` tell it whose slot and which
  /// turn.
  void call_watch(unsigned caller, std::uint64_t turn) noexcept {
    auto seen = word_.load();
    for (;;) {
      auto s = state::of(seen);
      if (s.watch == 0 && s.top != 0)
        post_watch(s);
      else if (s.watch != 0 && s.slow)
        s.slow = false;
      else
        return;
      s.called = true;
      const auto called = s.watch - 1;
      if (!word_.compare_exchange_weak(seen, s.packed()))
        continue;
      places_[called].caller.store(caller, std::memory_order_relaxed); // relaxed: published by the token
      places_[called].turn.store(turn, std::memory_order_relaxed);     // relaxed: published by the token
      places_[called].give_token();
      return;
    }
  }

  /// Wakes everybody to search, however many search already. For stopping.
  void wake_all() noexcept {
    for (auto seen = word_.load();;) {
      auto s = state::of(seen);
      if (s.top == 0 && s.watch == 0)
        return;
      if (take(seen, s))
        seen = word_.load();
    }
  }

  // -- workers: active and searching --

  void start_search() noexcept {
    change([](state& s) { ++s.searching; });
  }

  /// Searching to active. True for the last searcher: it must look at the queues and call `work_queued` if there is
  /// more.
  bool end_search() noexcept {
    return change([](state& s) { --s.searching; }).searching == 0;
  }

  /// Searching to asleep or on watch. The caller must re-check the queues next, then `sleep` or watch as told.
  posture announce(unsigned worker) noexcept {
    const auto after = change([&](state& s) {
      const bool others_active = active(s) != 0;
      --s.searching;
      if (s.watch == 0 && others_active)
        s.watch = worker + 1;
      else
        push(s, worker);
    });
    return after.watch == worker + 1 ? posture::on_watch : posture::asleep;
  }

  /// Blocks until another thread takes or calls this sleeper.
  woken sleep(unsigned worker) noexcept { return accept(worker); }

  // -- workers: on watch --

  /// Sleeps for `time` at most. `to_search`: the watch is over. `to_watch`: called to look closely, now.
  woken nap(unsigned worker, std::chrono::nanoseconds time) noexcept {
    places_[worker].wait_for(time);
    const auto s = state::of(word_.load());
    return s.watch == worker + 1 && !s.called ? woken::by_time : accept(worker);
  }

  /// The worker and turn that the last call to the watch came from.
  unsigned caller(unsigned worker) const noexcept { return places_[worker].caller.load(std::memory_order_relaxed); }
  std::uint64_t caller_turn(unsigned worker) const noexcept {
    return places_[worker].turn.load(std::memory_order_relaxed); // relaxed, both: the token was acquired
  }

  /// Marks the watch as slow: a cold push shall call it.
  void slow_down(unsigned worker) noexcept {
    auto seen = word_.load();
    auto s = state::of(seen);
    if (s.watch != worker + 1 || s.called || s.slow)
      return;
    s.slow = true;
    word_.compare_exchange_strong(seen, s.packed()); // failed: something goes on, stay attentive
  }

  /// On watch to asleep, if no worker is active. False: stay, `nap` tells what happened.
  bool retire_watch(unsigned worker) noexcept {
    auto seen = word_.load();
    for (;;) {
      auto s = state::of(seen);
      if (s.watch != worker + 1 || s.called || active(s) != 0)
        return false;
      s.watch = 0;
      s.slow = false;
      push(s, worker);
      if (word_.compare_exchange_weak(seen, s.packed()))
        return true;
    }
  }

  /// On watch to active, with loot in hand. False: it was taken meanwhile and is searching instead.
  bool leave_watch(unsigned worker) noexcept {
    auto seen = word_.load();
    for (;;) {
      auto s = state::of(seen);
      if (s.watch != worker + 1 || s.called) {
        if (accept(worker) == woken::to_search)
          return false;
        seen = word_.load();
        continue;
      }
      s.watch = 0;
      s.slow = false;
      if (s.top != 0) {
        post_watch(s);
        s.called = true;
      }
      const auto successor = s.watch;
      if (!word_.compare_exchange_weak(seen, s.packed()))
        continue;
      if (successor != 0) {
        places_[successor - 1].caller.store(workers_, std::memory_order_relaxed); // relaxed: published by the token
        places_[successor - 1].give_token();
      }
      return true;
    }
  }

  // -- observers --

  unsigned parked() const noexcept {
    const auto s = state::of(word_.load());
    return s.sleepers + (s.watch != 0 ? 1 : 0);
  }
  unsigned searching() const noexcept { return state::of(word_.load()).searching; }
  bool is_watched() const noexcept { return state::of(word_.load()).watch != 0; }

private:
  /// The word, taken apart. Numbers of workers are stored plus one; 0 is nobody.
  struct state {
    static constexpr unsigned bits = 10;
    static constexpr std::uint64_t field = (1u << bits) - 1;
    static constexpr std::uint64_t top_mask = field;
    static constexpr std::uint64_t watch_mask = field << (3 * bits);
    static constexpr std::uint64_t called_bit = std::uint64_t{1} << (4 * bits);
    static constexpr std::uint64_t slow_bit = called_bit << 1;

    unsigned top = 0;      // of the stack of sleepers
    unsigned sleepers = 0; // on the stack
    unsigned searching = 0;
    unsigned watch = 0;    // who is on watch
    bool called = false;   // a token for the watch is on its way
    bool slow = false;     // the watch naps at its longest
    std::uint64_t tag = 0; // counts pushes (22 bits): a pop whose `next` is out of date fails

    static state of(std::uint64_t word) noexcept {
      return {.top = static_cast<unsigned>(word & field),
              .sleepers = static_cast<unsigned>(word >> bits & field),
              .searching = static_cast<unsigned>(word >> (2 * bits) & field),
              .watch = static_cast<unsigned>(word >> (3 * bits) & field),
              .called = (word & called_bit) != 0,
              .slow = (word & slow_bit) != 0,
              .tag = word >> (4 * bits + 2)};
    }

    std::uint64_t packed() const noexcept {
      return top | std::uint64_t{sleepers} << bits | std::uint64_t{searching} << (2 * bits) |
             std::uint64_t{watch} << (3 * bits) | (called ? called_bit : 0) | (slow ? slow_bit : 0) |
             tag << (4 * bits + 2);
    }
  };

  /// Where one worker waits.
  struct alignas(64) place {
    // -- atomic --
    std::atomic<std::uint32_t> token{0}; // a taker sets it, the worker clears it
    std::atomic<std::uint32_t> next{0};  // the sleeper below, plus one; written before the push that publishes it
    std::atomic<std::uint32_t> caller{0};
    std::atomic<std::uint64_t> turn{0};

    void give_token() noexcept {
      token.store(1, std::memory_order_release); // release: publishes the change of the word, caller and turn
      syscall(SYS_futex, &token, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }

    void wait_for_token() noexcept {
      while (token.load(std::memory_order_acquire) == 0) // acquire: pairs with give_token
        syscall(SYS_futex, &token, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
      token.store(0, std::memory_order_relaxed); // relaxed: nobody gives another before our next step on the word
    }

    /// Returns on a token, which stays, after `time`, or for no reason.
    void wait_for(std::chrono::nanoseconds time) noexcept {
      const timespec limit{static_cast<time_t>(time.count() / 1'000'000'000), time.count() % 1'000'000'000};
      if (token.load(std::memory_order_relaxed) == 0) // relaxed: a hint, the word decides
        syscall(SYS_futex, &token, FUTEX_WAIT_PRIVATE, 0, &limit, nullptr, 0);
    }
  };

  unsigned active(const state& s) const noexcept {
    return enlisted_.load() - s.searching - s.sleepers - (s.watch != 0 ? 1 : 0);
  }

  template <class Change>
  state change(Change apply) noexcept {
    auto seen = word_.load();
    for (;;) {
      auto s = state::of(seen);
      apply(s);
      if (word_.compare_exchange_weak(seen, s.packed()))
        return s;
    }
  }

  void push(state& s, unsigned worker) noexcept {
    places_[worker].next.store(s.top, std::memory_order_relaxed); // relaxed: published by the swap of the word
    s.top = worker + 1;
    ++s.sleepers;
    ++s.tag;
  }

  unsigned pop(state& s) noexcept {
    const auto taken = s.top - 1;
    s.top = places_[taken].next.load(std::memory_order_relaxed); // relaxed: validated by the swap and its tag
    --s.sleepers;
    return taken;
  }

  void post_watch(state& s) noexcept { s.watch = pop(s) + 1; }

  /// Tries to turn a sleeper, or else the watch, into a searcher. `s` is the state of `seen`.
  bool take(std::uint64_t& seen, state s) noexcept {
    bool owed = false; // a token is on its way already
    unsigned taken;
    if (s.top != 0) {
      taken = pop(s);
    } else {
      taken = s.watch - 1;
      owed = s.called;
      s.watch = 0;
      s.called = s.slow = false;
    }
    ++s.searching;
    if (!word_.compare_exchange_weak(seen, s.packed()))
      return false;
    if (!owed)
      places_[taken].give_token();
    return true;
  }

  /// Waits for the token that this worker is owed and finds out what for.
  woken accept(unsigned worker) noexcept {
    places_[worker].wait_for_token();
    auto seen = word_.load();
    for (;;) {
      auto s = state::of(seen);
      if (s.watch != worker + 1)
        return woken::to_search;
      s.called = false;
      if (word_.compare_exchange_weak(seen, s.packed()))
        return woken::to_watch;
    }
  }

  // -- immutable after construction --
  const unsigned workers_;
  const std::unique_ptr<place[]> places_;

  // -- atomic --
  std::atomic<unsigned> enlisted_;              // workers that take part
  alignas(64) std::atomic<std::uint64_t> word_; // any thread, by the steps above
};

} // namespace troupe::engine
