// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/timer_queue.hpp>
#include <troupe/seams.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace troupe::engine {
class timer_service;
}

namespace troupe::detail {

class cell;
class reply_slot;
struct handler;

/// What a worker does that has a time budget.
struct timed_work {
  const handler* how;              ///< Null: the actor is being restarted.
  reply_slot* reply = nullptr;     ///< Of the message, if the actor may be replaced.
  std::chrono::nanoseconds budget; ///< 0: none.
  bool replaceable = false;        ///< A fresh incarnation may take the actor over meanwhile.
};

/// Work that takes longer than its budget.
struct overrun {
  const handler* how; ///< As in timed_work.
  std::chrono::nanoseconds since;
  std::chrono::nanoseconds budget;
  bool replaceable; ///< As in timed_work.
};

/// Where a worker says which handler with a time budget it is in.
///
/// Its mutex is also what a replaced handler and its successor share: the handler's thread holds it whenever it touches
/// what belongs to the actor's turn (see `turn_guard`), and who takes the turn away marks the post under it. So the
/// thread either finishes its touch before, or finds that the turn is no longer its own.
struct alignas(64) watch_post {
  // -- guarded by mutex --
  std::mutex mutex;
  cell* at_work = nullptr;
  const handler* how = nullptr; // null: the actor is being restarted
  reply_slot* reply = nullptr;  // counted: of a replaceable handler's message
  time_point began{};
  std::chrono::nanoseconds budget{};
  bool replaceable = false;
  bool parked = false;   // it waits for a reply, so it is about to return
  bool noticed = false;  // its overrun was reported
  bool orphaned = false; // the turn was taken away; holds a count on the cell
};

/// Finds handlers that exceed their time budgets, without polling: a timer is armed only while such a handler runs, for
/// the moment at which the first of them will have had its time.
///
/// A worker that begins arms the timer if it is not armed, or armed for later; the timer looks at all posts, reports what
/// is overdue, and arms itself again for what is still running. So under load the timer fires about once per budget, and
/// an idle system has none.
///
/// Threads: any.
class handler_watch {
public:
  /// One post for each worker, spare ones included. `timers` null: stepped; overruns are noticed when handlers return.
  handler_watch(const clock& time, engine::timer_service* timers, unsigned workers);
  handler_watch(const handler_watch&) = delete;
  handler_watch& operator=(const handler_watch&) = delete;
  ~handler_watch();

  /// The calling worker begins to work for `c`.
  watch_post& begin(cell& c, const timed_work& work);

  struct verdict {
    std::chrono::nanoseconds took{};
    bool overran = false;  ///< And nobody has noticed yet.
    bool orphaned = false; ///< The turn belongs to somebody else; the caller has the post's count on the cell.
  };
  /// The work is done: the handler has returned.
  verdict end(watch_post& post);

  /// Takes the turn of `c` away from the thread that is in its handler, if it may be. The asker is told.
  /// False if there is no such thread, or it is about to return.
  bool take_over(cell& c);

  struct orphan {
    cell* of; // counted as long as the orphan is listed; the caller gets a count of its own
    const handler* how;
    std::chrono::nanoseconds since;
  };
  /// Handlers whose actors were replaced, and that have not returned.
  std::vector<orphan> orphans();

private:
  struct alarm final : engine::timer_node {
    handler_watch* owner = nullptr;
  };

  void arm_for(time_point due);
  void look();

  // -- immutable --
  const clock& time_;
  engine::timer_service* const timers_;
  const unsigned count_;
  const std::unique_ptr<watch_post[]> posts_;

  // -- stepped: the one thread; a simulation runs turns within turns --
  std::deque<watch_post> nested_;

  // -- guarded by mutex_, which is taken before a post's --
  std::mutex mutex_;
  alarm alarm_;
  bool armed_ = false;

  // -- any thread --
  std::atomic<std::int64_t> next_; // when the alarm is due; max: not armed
};

/// Holds the turn for the calling thread while it touches what belongs to it. Free of cost but in handlers that can be
/// replaced.
class turn_guard {
public:
  /// Throws usage_error if the turn was taken away: the actor has been replaced meanwhile.
  turn_guard() : post_{here} {
    if (post_ != nullptr) [[unlikely]]
      enter_or_throw();
  }
  /// False, then, and does not hold the turn.
  explicit turn_guard(std::nothrow_t) noexcept : post_{here} {
    if (post_ != nullptr) [[unlikely]]
      enter();
  }
  explicit operator bool() const noexcept { return held_; }
  turn_guard(const turn_guard&) = delete;
  turn_guard& operator=(const turn_guard&) = delete;
  ~turn_guard() {
    if (post_ != nullptr && held_)
      post_->mutex.unlock();
  }

  /// The handler is about to wait for a reply, and so to return.
  void park() noexcept {
    if (post_ != nullptr)
      post_->parked = true;
  }

  /// The post of the replaceable handler that runs on this thread, or null.
  [[gnu::tls_model("initial-exec")]] static inline constinit thread_local watch_post* here = nullptr;

private:
  void enter() noexcept;
  void enter_or_throw();

  watch_post* post_;
  bool held_ = true;
};

} // namespace troupe::detail
