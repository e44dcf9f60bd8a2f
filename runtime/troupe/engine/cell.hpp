// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/executor.hpp>
#include <troupe/engine/host.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/runnable.hpp>
#include <troupe/engine/scheduler.hpp>
#include <troupe/engine/worker.hpp>
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/mailbox/delivery.hpp>
#include <troupe/mailbox/ledger.hpp>
#include <troupe/mailbox/mailbox.hpp>
#include <troupe/mailbox/sliding_lane.hpp>
#include <troupe/observe/event.hpp>
#include <troupe/supervision/child_spec.hpp>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
struct stopped;
}

namespace troupe::detail {

class actor_timer;
class child_list;
class open_asks;
class supervisor_core;
enum class passage : std::uint8_t;
struct child_record;
struct overrun;
struct system_core;

/// What everyone with the same place in the tree shares: options fixed at the start.
struct cell_options {
  child_options spec;
  std::string path; ///< Names from the root, joined with slashes. Empty: unnamed.
};

/// One actor: mailbox, lifecycle, supervision link, and the user's object.
///
///     state       who may act              what is served                          next
///     starting    the spawner              nothing                                 running | passive | stopped
///     passive     the turn                 control; a message builds the object    running | draining | suspended | stopping
///     running     the turn                 control, retries, timers, mailbox       passive | suspended | draining | stopping
///     draining    the turn                 as running, up to a mark in the mailbox stopping | suspended
///     suspended   the turn (control only)  control: the supervisor's word          running | draining | stopping
///     stopping    the turn                 nothing                                 stopped
///     stopped     nobody                   nothing: both lanes are closed          -
///
/// "The turn" is the one worker that holds the right to run, which the mailbox hands over; handling one message
/// therefore happens-before handling the next. Members below are sorted by who may touch them.
///
/// Lifetime: counted by refs, and by the supervision tree from the start until the actor has stopped. Stopping destroys
/// the object; the cell goes with the last count.
class alignas(64) cell final : public engine::runnable {
public:
  enum class state : std::uint8_t { starting, passive, running, draining, suspended, stopping, stopped };

  /// The cell whose turn runs on this thread, or null.
  static cell* current() noexcept { return current_; }

  /// A new cell with one count, owned by the caller, in state starting, and with it `Host{xs...}`, in one block.
  template <class Host, class... Xs>
  static cell* make(system_core& core, std::shared_ptr<const cell_options> options, Xs&&... xs);

  // -- any thread, with a count --

  /// Takes `e` over, whatever the outcome. Throws nothing but what a simulation wants thrown.
  delivery enqueue(envelope* e) {
    if (door_.load(std::memory_order_relaxed) == 0) [[likely]] // relaxed: it may be a moment old
      return enqueue_plain(e);
    return enqueue_special(e);
  }

  /// Takes `e` over unless the cell has stopped: says what became of it, or nothing.
  std::optional<delivery> offer(envelope* e) {
    if (door_.load(std::memory_order_relaxed) == 0) [[likely]] // relaxed: as in enqueue
      return offer_plain(e, [this]() noexcept { return trail::toward(this); });
    return offer_special(e);
  }

  /// For a conductor that has taken `e`: puts it into the mailbox now.
  void arrive(envelope* e) noexcept;

  /// It takes no messages any more.
  bool closed() const noexcept { return mailbox_.is_closed(); }

  /// Takes `e` over if it is accepted, and says whether.
  bool try_enqueue(envelope* e) noexcept;

  /// Counts and reports a message from outside the type system that the actor has no handler for.
  void refuse_foreign(std::string type) noexcept;

  /// Hands `m` over, at once if the cell rests, else on the control lane; lets it refuse itself if the cell has stopped.
  void send_control(control_message* m) noexcept {
    note_control();
    if (!hand_over(m))
      send_on_lane(m);
  }

  /// As `send_control`, of a message that carries the sender's only count: it keeps the cell, but only until it is
  /// delivered or refused. A reply, or a timer that has gone off.
  void send_with_count(control_message* m) noexcept {
    note_control();
    if (hand_over(m)) [[likely]]
      return;
    if (control_.push_behind(m))
      return;
    retain(); // between the lane and the attention the cell could deliver `m`, and be gone
    send_on_lane(m);
    release();
  }

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); } // relaxed: the caller owns a count
  void release() noexcept {
    // acq_rel: whoever frees the cell sees what the others wrote.
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }

  std::uint64_t id() const noexcept { return id_; }
  system_core& core() const noexcept { return *core_; }
  const cell_options& options() const noexcept { return *options_; }
  const actor_type& type() const noexcept { return host_->type(); }
  /// Path of names from the root, or type and id for an unnamed actor.
  std::string name() const;
  /// Stopped by name: its place, its name and its handle are kept.
  bool is_out() const noexcept { return (door_.load(std::memory_order_acquire) & door_shut) != 0; }
  /// Requests are refused from now on, until it is revived. Requires a suspended child of the caller, a supervisor's turn.
  void refuse_asks() noexcept { door_.fetch_or(door_no_asks, std::memory_order_relaxed); } // relaxed: see enqueue
  /// What its flight recorder holds.
  std::vector<flight_record> recent() const;
  /// It is at work for longer than it may be.
  /// Threads: any that holds a count on the parent's cell too.
  void note_overrun(const overrun& o) noexcept;
  /// The same while it still holds `worker`, which is compensated for unless an overrun is only to be reported.
  void note_stuck(const overrun& o, unsigned worker) noexcept;
  /// Takes the turn away from the thread that is in an overdue handler, and leaves the cell suspended without an object.
  /// False: there is no such handler, or it cannot be left alone.
  bool take_over() noexcept;

  /// Requires a stopped cell.
  exit_reason end_reason() const noexcept { return end_reason_; }
  state lifecycle() const noexcept { return state_.load(std::memory_order_acquire); }
  std::size_t depth() const noexcept;
  /// Messages that its mailbox has accepted so far.
  std::uint64_t accepted() const noexcept;
  ledger books() const noexcept;
  /// Whom it has asked and waits for, one of them, or null. As of a moment ago; to be compared, not followed.
  const cell* awaited() const noexcept;
  /// As `books`, without what was refused because the actor had stopped, which the system counts.
  ledger lane_books() const noexcept;
  std::uint32_t incarnation() const noexcept { return incarnation_.load(std::memory_order_relaxed); }
  /// What the handler at work handles, or null.
  const handler* handling() const noexcept { return handling_.load(std::memory_order_relaxed); }

  // -- the spawner, before the cell is scheduled for the first time --

  /// Builds the first object. Throws what its constructor throws.
  void construct();
  /// Lets it run; without an object it is passive. Requires a place under `parent`.
  void launch(supervisor_core& parent) noexcept;
  /// As `launch`, for the one cell without a parent.
  void launch_root() noexcept;
  /// The start failed: the caller's count is all that is left to release.
  void give_up_start() noexcept;

  // -- the turn only --

  engine::run_result run() noexcept override;
  std::uint64_t subject() const noexcept override { return id_; }

  void* object() const noexcept { return host_->object(); }
  host& seat() const noexcept { return *host_; }
  std::int64_t current_deadline() const noexcept { return in_hand_ != nullptr ? in_hand_->deadline : 0; }
  envelope* in_hand() const noexcept { return in_hand_; }
  /// Messages that have left its mailbox so far, the one in hand included: when there are as many as it had accepted at some
  /// moment, none of those is in there any more.
  std::uint64_t taken() const noexcept;

  /// Goes on with a suspended handler.
  void resume(std::coroutine_handle<> h, envelope* message) noexcept;
  /// The same because its reply is here; while a write to the journal is pending, after that.
  void resume_with(std::coroutine_handle<> h, envelope* message, reply_slot& reply) noexcept;
  /// Who waited for that reply has gone.
  void drop_held(const reply_slot& reply) noexcept;
  /// If the suspended handler of `e` has ended: replies and counts it, or fails.
  void finish_if_ended(envelope* e) noexcept;
  /// A message of the runtime's own making (about a watched actor), handled after what is in hand.
  void enqueue_local(envelope* e) noexcept;
  /// After the handler in hand returns: stop, and let the restart type decide what follows.
  void end() noexcept { end_wanted_ = detour_ = true; }

  /// While the sum of what is passed is above 0, a write to the journal is pending: the mailbox is not served, and
  /// suspended handlers whose replies come do not go on.
  void hold_lane(int by) noexcept {
    lane_holds_ += by;
    detour_ = true;
  }
  /// Lets those handlers go on that a hold has kept, as far as there is no new hold.
  void resume_held() noexcept;
  /// What the suspended handler of `e` waited for has failed so that the object must not go on, whatever the rules say.
  void fail_suspended(envelope* e, std::exception_ptr why) noexcept;
  /// The next failure leads to a restart even if the rules say `resume`.
  void forbid_resume() noexcept { resume_forbidden_ = true; }
  /// Reports the exception in hand, which changes nothing: `where` it was thrown.
  void note_failure(const char* where) const noexcept;

  /// If it has nothing to do and nothing under way: destroys the object, and stops unless a message comes meanwhile, which
  /// builds a new one. No message is lost by that.
  void passivate() noexcept;
  /// Builds the object of a passive actor.
  void activate() noexcept;

  void add_timer(actor_timer& t) noexcept;
  void remove_timer(actor_timer& t) noexcept;
  /// Its tick will be received after what is in hand.
  void add_due(actor_timer& t) noexcept;
  void remove_due(actor_timer& t) noexcept;
  actor_timer* timers() const noexcept { return timers_; }
  /// Made by the first ask.
  open_asks& asks();
  /// The asks that it waits for, or null if it has never asked.
  const open_asks* open() const noexcept { return asks_.load(std::memory_order_relaxed); } // relaxed: made by the turn
  /// Adds `watcher` (counted) unless it watches already.
  void add_watcher(cell& watcher);
  void remove_watcher(const cell& watcher) noexcept;
  /// An actor that this one watches has stopped.
  void on_watched_stopped(const troupe::stopped& who) noexcept;

  // A supervisor's cell changes state for its children.
  void fail_supervisor(std::exception_ptr why) noexcept;
  void suspend_supervisor() noexcept { enter(state::suspended); }
  void halted_supervisor() noexcept;
  void revived_supervisor() noexcept;
  /// Ends the life now; the turn retires the cell when it is back in its loop.
  void stop_now(exit_reason why, bool with_hook) noexcept;
  bool at_work() const noexcept;
  bool idle() const noexcept;
  /// It is down because of an exception.
  bool failed() const noexcept { return failure_ != nullptr && !at_work(); }

  // Orders of the supervisor; each is a no-op in a state that it does not fit.
  void order_halt() noexcept;   ///< Destroy the object, keep the mailbox; report `halted`.
  void order_revive() noexcept; ///< Build a fresh object; report `revived` or `failed_to_start`.
  void
  order_drain() noexcept; ///< Handle what is queued by now, then stop. A suspended actor does so when it is revived.
  void order_stop() noexcept; ///< Stop at once, the rest of the mailbox is dropped.
  void order_kill() noexcept; ///< As stop, without the object's stop hook.
  /// Stops in place: what is queued is dropped, what comes is refused until `order_revive`. Reports `halted`.
  void order_shelve() noexcept;

  // -- supervisor's turn only --
  std::unique_ptr<child_record> record;
  std::uint64_t in_sequence = 0; ///< The supervisor's sequence that is going to revive it; 0: none.

  // -- guarded by the lock of the list that it is in --
  child_list* listed_in = nullptr;
  cell* previous_sibling = nullptr;
  cell* next_sibling = nullptr;
  bool given_up = false; ///< It did not end when it was killed, and nobody waits for it.

  /// Fixed from launch on.
  supervisor_core* parent() const noexcept { return parent_; }
  /// Set before launch; null for an ordinary actor.
  supervisor_core* supervisor() const noexcept { return supervisor_; }
  void set_supervisor(supervisor_core* s) noexcept { supervisor_ = s; }

  /// The plain CAF actor that stands for this cell, once somebody asked for it.
  std::atomic<void*> caf_face{nullptr};
  /// In its place once the cell has stopped.
  static void* no_face() noexcept { return reinterpret_cast<void*>(std::uintptr_t{1}); }

private:
  struct incidents;
  struct instruments;

  // Bits of door_.
  static constexpr std::uint8_t door_sliding = 1;    // messages go to the sliding lane
  static constexpr std::uint8_t door_signed = 2;     // messages carry their sender's id, for the flight recorder
  static constexpr std::uint8_t door_no_asks = 4;    // requests are refused: the actor waits for its restart
  static constexpr std::uint8_t door_shut = 8;       // everything is refused: the actor was stopped by name
  static constexpr std::uint8_t door_conducted = 16; // a simulation is asked first

  cell(system_core& core, std::shared_ptr<const cell_options> options, host& h, std::uint8_t block_class);
  ~cell();

  void schedule() noexcept { engine::schedule(*executor_, *this); }

  /// To a cell that rests, or lingers on this worker, the message goes together with the right to run: no lane, and nobody
  /// in between.
  bool hand_over(control_message* m) noexcept {
    auto* here = engine::worker::current();
    if (!(here != nullptr && here->recall(*this)) && !mailbox_.seize())
      return false;
    if (control_.empty()) [[likely]]
      handed_ = m;
    else // of the same sender, perhaps: first come, first served
      (void)control_.push(m);
    schedule();
    return true;
  }

  void send_on_lane(control_message* m) noexcept {
    switch (control_.push(m)) {
      case lane_push::first:
        if (mailbox_.attend())
          schedule();
        break;
      case lane_push::behind: break;
      case lane_push::closed: m->refuse(*this);
    }
  }

  void close_control() noexcept;
  void destroy() noexcept;

  delivery enqueue_plain(envelope* e) noexcept {
    switch (mailbox_.push(e, capacity_, [this]() noexcept { return trail::toward(this); })) {
      case push_result::queued: return delivery::accepted;
      case push_result::queued_and_wake: schedule(); return delivery::accepted;
      case push_result::full: return refuse_full(e);
      case push_result::closed: break;
    }
    return refuse_closed(e);
  }
  template <class TrailHere>
  std::optional<delivery> offer_plain(envelope* e, TrailHere trail_here) noexcept {
    switch (mailbox_.push(e, capacity_, trail_here)) {
      case push_result::queued: return delivery::accepted;
      case push_result::queued_and_wake: schedule(); return delivery::accepted;
      case push_result::full: return refuse_full(e);
      case push_result::closed: break;
    }
    return std::nullopt;
  }
  std::optional<delivery> offer_special(envelope* e);
  std::optional<delivery> offer_past_door(envelope* e, bool room) noexcept;
  passage conduct(envelope* e);
  void note_control() noexcept {
    if ((door_.load(std::memory_order_relaxed) & door_conducted) != 0) [[unlikely]] // relaxed: never changed
      tell_conductor();
  }
  void tell_conductor() noexcept;
  push_result push_sliding(envelope* e) noexcept;
  delivery enqueue_special(envelope* e);
  delivery refuse_unavailable(envelope* e) noexcept;
  delivery refuse_full(envelope* e) noexcept;
  delivery refuse_closed(envelope* e) noexcept;
  incidents& rare() const;

  void serve_control() noexcept;
  bool anything_waits() const noexcept;
  bool close_if_empty() noexcept;
  bool lie_passive() noexcept;
  bool nothing_but_mailbox() const noexcept;
  bool build(bool again) noexcept;
  bool build_in_time(bool again) noexcept;
  envelope* next_message() noexcept;
  envelope* next_tick() noexcept;
  /// False: the turn was taken away meanwhile, and the cell must not be touched.
  [[nodiscard]] bool handle(envelope* e) noexcept;
  [[nodiscard]] bool handle_observed(envelope* e) noexcept;
  void leave_to_successor(envelope* e, suspension* s, void* object, std::exception_ptr failure) noexcept;
  void abandon_object(const handler* how) noexcept;
  void resume_observed(std::coroutine_handle<> h, envelope* message) noexcept;
  void end_incarnation() noexcept;
  void open_door() noexcept;
  static std::unique_ptr<instruments> instruments_for(const system_core& core, const cell_options& options,
                                                      const actor_type& type);
  void rehearse();
  void drop_queued() noexcept;
  void conclude_now(envelope* e) noexcept; // inlined where it counts
  void conclude_handled(envelope* e) noexcept;
  void suspend(envelope* e, suspension* s) noexcept;
  void unlink_suspension(suspension& s) noexcept;
  void fail(envelope* e, std::exception_ptr why) noexcept;
  void drop(envelope* e, drop_reason why) noexcept;
  void expire(envelope* e) noexcept;
  void quarantine(envelope* e) noexcept;
  void drop_suspended(drop_reason why) noexcept;
  void cancel_timers() noexcept;
  void destroy_object(bool with_hook) noexcept;
  void normal_end() noexcept;
  engine::run_result retire() noexcept;
  bool rest() noexcept;
  bool linger() noexcept;
  void judge_lingering() noexcept;
  void note_letter(const envelope& e, dead_letter::cause why, drop_reason reason) const noexcept;
  void enter(state s) noexcept {
    detour_ = true;
    state_.store(s, std::memory_order_release);
  }

  static inline constinit thread_local cell* current_ = nullptr;

  // Who touches what decides which cache line it is in: a line that one core writes for each message must not be read by
  // the other for each message. The constructor checks the places.

  // -- senders and the turn: the senders' line, up to the middle of `mailbox_` --
  alignas(64) std::atomic<std::uint32_t> refs_{1};
  // -- immutable after construction --
  const std::uint32_t capacity_;
  engine::executor* const executor_;
  const std::unique_ptr<sliding_lane> sliding_; // instead of the mailbox's queue, for drop_oldest
  const std::uint64_t id_;
  // -- immutable after launch --
  supervisor_core* parent_ = nullptr;
  // -- hardly ever changed --
  alignas(8) std::atomic<std::uint8_t> door_; // what a sender does beside pushing
  // -- senders, and from its middle on the turn --
  mailbox mailbox_;

  // -- whoever has a control message, and the turn, which looks here before each message: the turn's line --
  control_lane control_;
  // -- immutable after construction --
  system_core* const core_;
  // -- the turn writes, anyone reads --
  std::atomic<std::uint64_t> handled_{0};
  std::atomic<const handler*> handling_{nullptr};
  std::atomic<std::uint32_t> suspended_{0};
  std::atomic<state> state_{state::starting};
  // -- the turn only --
  /// Something but the mailbox may have to be looked at before the next message. Whoever makes that so sets it; the turn
  /// clears it when it has looked.
  bool detour_ = true;
  bool end_wanted_ = false;
  bool drain_wanted_ = false; // outlasts a restart
  bool leaving_ = false;      // passive, and to stop if nothing comes
  bool resume_forbidden_ = false;
  bool lingered_ = false;              // it has ended its last turn so; see linger()
  std::uint8_t lingers_not_ = 0;       // so many turns more
  std::uint8_t lingers_unwatched_ = 0; // so many times more

  // -- the turn only --
  const std::uint32_t suspended_max_;
  int lane_holds_ = 0;
  host* const host_;                  // owned: it stands behind the cell in the same block
  control_message* handed_ = nullptr; // came with the right to run
  envelope* in_hand_ = nullptr;
  envelope* failed_ = nullptr;     // to be retried before everything else
  envelope* local_head_ = nullptr; // messages about watched actors, before the mailbox's
  envelope* local_tail_ = nullptr;
  actor_timer* due_head_ = nullptr; // timers whose tick is to be received, before the mailbox's messages
  actor_timer* due_tail_ = nullptr;
  suspension* suspensions_ = nullptr;
  actor_timer* timers_ = nullptr;
  std::uint64_t drain_mark_ = 0;
  const bool slides_; // there is a sliding lane
  exit_reason end_reason_{};
  const std::uint8_t block_class_;
  std::uint8_t ticks_ = 0;          // taken in a row, before the mailbox's messages
  std::uint32_t lingers_since_ = 0; // ns modulo 2^32; 0: nobody looks
  std::exception_ptr failure_;      // of `failed_`, or of the object's end

  // -- immutable after construction --
  const std::shared_ptr<const cell_options> options_;
  const std::unique_ptr<instruments> instruments_; // null for most

  // -- immutable after launch --
  supervisor_core* supervisor_ = nullptr;

  // -- the turn writes, anyone reads (relaxed: figures only) --
  std::atomic<std::uint32_t> incarnation_{0};
  std::atomic<std::uint64_t> local_accepted_{0};

  // -- made by the turn, anyone reads --
  std::atomic<open_asks*> asks_{nullptr};

  // -- made on the first incident by whoever meets it --
  mutable std::atomic<incidents*> incidents_{nullptr};
};

template <class Host, class... Xs>
cell* cell::make(system_core& core, std::shared_ptr<const cell_options> options, Xs&&... xs) {
  static_assert(alignof(Host) <= block_pool::alignment, "an actor must not be aligned to more than 64 bytes");
  constexpr auto bytes = sizeof(cell) + sizeof(Host);
  constexpr auto block_class = block_pool::class_for(bytes);
  auto* block = static_cast<std::byte*>(block_pool::allocate(block_class, bytes));
  Host* h = nullptr;
  try {
    h = new (block + sizeof(cell)) Host(std::forward<Xs>(xs)...);
    return new (block) cell{core, std::move(options), *h, block_class};
  } catch (...) {
    if (h != nullptr)
      h->~Host();
    block_pool::release(block_class, block);
    throw;
  }
}

} // namespace troupe::detail
