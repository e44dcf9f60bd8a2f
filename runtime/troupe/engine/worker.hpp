// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/executor.hpp>
#include <troupe/engine/injector.hpp>
#include <troupe/engine/parking.hpp>
#include <troupe/engine/partner_slot.hpp>
#include <troupe/engine/run_queue.hpp>
#include <troupe/mailbox/trail.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <vector>

namespace troupe::engine {

class worker;

/// Counted since the start of the scheduler, but for `queued`. Each number is exact, but they are read one after the
/// other.
struct worker_statistics {
  std::uint64_t turns = 0;     ///< turns run
  std::uint64_t handled = 0;   ///< messages that these turns gave to handlers
  std::size_t queued = 0;      ///< runnables waiting here at this moment, in the queue and the slot
  std::uint64_t steals = 0;    ///< visits to another worker's queue or slot that brought something
  std::uint64_t stolen = 0;    ///< runnables taken from other workers
  std::uint64_t overflows = 0; ///< times that the full run queue moved its older half to the injector
  std::uint64_t parks = 0;     ///< times that it found nothing and announced itself as parked
  std::uint64_t naps = 0;      ///< timed sleeps while on watch
};

/// What the workers of one scheduler share.
struct crew {
  // -- immutable after construction --
  const executor* owner;
  std::chrono::nanoseconds spin;                // search this long before parking
  std::chrono::nanoseconds nap;                 // first nap on watch
  std::chrono::nanoseconds nap_max;             // naps double up to this
  bool barriers;                                // there are some for all threads: see partner_slot
  unsigned hot_turns_max;                       // hot partners in a row before the queue is served
  unsigned injector_interval;                   // turns between two looks at the injector
  std::vector<std::unique_ptr<worker>> workers; // spare ones included

  // -- atomic --
  std::atomic<unsigned> seated{0}; // workers that were ever at work are among the first so many; only grows

  // -- shared, each with its own rules --
  injector outside;
  parking lot;
  std::atomic<bool> stopping{false}; // stop() sets it before it wakes everybody
};

/// Runs turns on one thread: first the hot partner, then its own queue, then the injector, then others' queues.
///
/// Hot partner: the runnable that the current turn submitted last waits in a slot and goes next, while its data is
/// warm; `hot_turns_max` times in a row at most, then it goes behind the others. A searching worker leaves slots
/// alone, so a pair that plays ping-pong stays together; the one on watch (see `parking`) takes from the slots of a
/// worker whose turn has not ended since its last look.
///
/// Lingering: a runnable with nothing left to do whose partner is about to run need not give up its right to run, and have
/// it taken again by the partner's answer. It waits in a second slot for the partner's turn to end and goes next then; a
/// partner that hands something to it with the right to run takes it from there (`recall`). At the end of each turn one
/// may linger, and who lingered in the turn before gets its turn at once, so nobody lingers for longer than one turn. The
/// watch takes from this slot, too: who lingers beside a long turn is not held up by it where another worker is free.
///
/// Threads: owner thread only; `index`, `owner`, `running`, `turns`, `turn_started`, `statistics` any.
class worker {
public:
  using queue = run_queue<256>;
  /// Looking at the clock for each of them would be a seventh of a hop.
  static constexpr unsigned turns_per_look = 8;

  /// `workers`: how many `shared` will have.
  worker(crew& shared, unsigned index, unsigned workers, std::uint64_t seed);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// The worker that runs on this thread, or null.
  [[gnu::always_inline]] static worker* current() noexcept { return current_; }

  unsigned index() const noexcept { return index_; }
  const executor* owner() const noexcept { return crew_.owner; }

  /// As `executor::submit`. Costs one plain store and two loads while the slot is empty.
  void submit(runnable& r) noexcept {
    if (hot_.seems_filled()) {
      submit_second(r);
      return;
    }
    hot_.put(r);
    if (crew_.lot.wants_watch(cold_)) [[unlikely]]
      crew_.lot.call_watch(index_, turns_.load(std::memory_order_relaxed)); // relaxed: this thread writes it
  }

  /// As `executor::submit_fair`.
  void submit_fair(runnable& r) noexcept {
    enqueue(r);
    crew_.lot.work_queued();
  }

  /// Whether there is a partner for whose turn a runnable that has nothing left to do may `linger`.
  bool may_linger() const noexcept { return hot_.seems_filled() || lingering_.seems_filled(); }

  /// At the end of the turn of `r`, which has nothing left to do but keeps its right to run. The caller must not touch it
  /// any more. No call to the watch: what filled a slot in this worker's present activity has made one.
  void linger(runnable& r) noexcept {
    due_ = lingering_.take(); // has had the turn of `r` to be answered
    lingering_.put(r);
    lingers_ = lingers_afresh_ = true;
  }

  /// If `r` lingers here: the caller, on this thread, has its right to run now and must submit it.
  bool recall(runnable& r) noexcept { return lingering_.seems_to_hold(r) && lingering_.take() != nullptr; }

  /// The thread's body: returns after the scheduler began to stop, or, with true, after a turn in which the worker was
  /// replaced.
  bool work() noexcept;

  // -- by who replaces a worker; see scheduler::compensate --

  /// The worker shall end with its turn. False: it is told so already.
  bool replace() noexcept { return !replaced_.exchange(true); }
  void keep() noexcept { replaced_.store(false); }
  /// Before the thread of a spare worker is started, and if that fails.
  void enlist() noexcept;
  void resign() noexcept;

  /// Takes back what is queued here, slot first. Requires: the thread has ended.
  void drain_to(std::vector<runnable*>& out);

  /// A turn on this thread, if it is a worker's, gives a message to its handler.
  static void note_handling() noexcept {
    if (auto* w = current())
      count(w->handled_);
  }

  // -- observers, any thread --

  /// The runnable whose turn it is, or null. Compare it, do not follow it: the turn may end meanwhile.
  const runnable* running() const noexcept { return running_.load(std::memory_order_relaxed); }

  /// Turns begun.
  std::uint64_t turns() const noexcept { return turns_.load(std::memory_order_relaxed); }

  /// When the last turn began, on CLOCK_MONOTONIC_COARSE: up to one tick (1-10 ms) too early. Of hot partners in a row,
  /// when one of the last `turns_per_look` began.
  std::chrono::nanoseconds turn_started() const noexcept {
    return std::chrono::nanoseconds{started_.load(std::memory_order_relaxed)};
  }

  worker_statistics statistics() const noexcept;

private:
  void submit_second(runnable& r) noexcept;
  void enqueue(runnable& r) noexcept;
  void enqueue_again(runnable& r) noexcept;
  void run_turn(runnable& r) noexcept;
  runnable* next() noexcept;
  runnable* next_partner() noexcept;
  runnable* take_outside() noexcept;
  runnable* search() noexcept;
  runnable* search_and_spin() noexcept;
  runnable* steal() noexcept;
  runnable* park() noexcept;
  runnable* watch(bool called) noexcept;
  runnable* look_at_turns() noexcept;
  bool anything_queued() const noexcept;
  void leave() noexcept;
  void end() noexcept;
  void hand_over() noexcept;
  std::uint64_t random() noexcept;

  /// Adds to a counter that only this thread writes. relaxed: nothing is read because of it.
  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  [[gnu::tls_model("initial-exec")]] static inline constinit thread_local worker* current_ = nullptr;

  // -- immutable after construction --
  crew& crew_;
  const unsigned index_;

  // -- owner thread only --
  bool cold_ = true;            // the present runnable came from a queue, not from a slot
  bool lingers_ = false;        // there may be somebody in `due_` or `lingering_`
  bool lingers_afresh_ = false; // who lingers has done so at the end of the turn before
  runnable* due_ = nullptr;     // lingered until the turn before ended, and goes next
  bool leftover_ = false;       // the queue holds an `again` that nobody was told of
  unsigned hot_turns_ = 0;      // in a row
  unsigned until_injector_;     // turns
  std::uint64_t random_;
  std::vector<std::uint64_t> looks_; // each worker's turns at the last look on watch
  std::array<detail::trail, detail::trail::trails_of_worker> trails_;

  // -- have their own rules --
  alignas(64) partner_slot<> hot_;
  partner_slot<> lingering_;

  // -- atomic: this thread writes, any reads --
  std::atomic<const runnable*> running_{nullptr};
  std::atomic<std::uint64_t> turns_{0};
  std::atomic<std::int64_t> started_{0}; // ns
  std::atomic<std::uint64_t> handled_{0};
  std::atomic<std::uint64_t> steals_{0};
  std::atomic<std::uint64_t> stolen_{0};
  std::atomic<std::uint64_t> overflows_{0};
  std::atomic<std::uint64_t> parks_{0};
  std::atomic<std::uint64_t> naps_{0};

  std::atomic<bool> replaced_{false}; // set by anyone, looked at after each turn; relaxed: it may be a turn late

  // -- has its own rules --
  queue queue_;
};

/// Submits `r` to `where`: directly when the calling thread is one of its workers, else by its virtual function.
inline void schedule(executor& where, runnable& r) noexcept {
  auto* here = worker::current();
  if (here != nullptr && here->owner() == &where)
    here->submit(r);
  else
    where.submit(r);
}

} // namespace troupe::engine
