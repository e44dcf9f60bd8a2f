// SPDX-License-Identifier: BSD-3-Clause
#include "troupe/engine/cell.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "troupe/engine/actor_timer.hpp"
#include "troupe/engine/caf_face.hpp"
#include "troupe/engine/control_call.hpp"
#include "troupe/engine/suspension.hpp"
#include "troupe/engine/system_core.hpp"
#include "troupe/supervision/child_record.hpp"
#include "troupe/supervision/supervisor_core.hpp"
#include "troupe/type_name.hpp"
#include "troupe/watch.hpp"

namespace troupe::detail {

/// Figures and lists that most actors never need.
struct cell::incidents {
  // -- the turn writes, anyone reads --
  std::atomic<std::uint64_t> expired{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> quarantined{0};
  // -- any sender --
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> door_accepted{0}; // by drop_newest, and dropped at once
  std::atomic<std::uint64_t> door_dropped{0};
  // -- the turn only --
  std::map<std::uint64_t, cell*> watchers; // counted; by id, so that they are told in an order that can be repeated
  std::size_t prune_at = 64;               // watchers at which those that have stopped are let go
};

namespace {

/// Adds to a figure that only one thread writes: no RMW needed.
void count(std::atomic<std::uint64_t>& figure) noexcept {
  // release: pairs with books(), which must not see the outcome without the acceptance.
  figure.store(figure.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void settle(envelope& e, errc code, std::string what = {}) noexcept {
  if (e.reply == nullptr)
    return;
  e.reply->settle_error(code, std::move(what));
  std::exchange(e.reply, nullptr)->release();
}

} // namespace

void destroy(envelope* e) noexcept {
  settle(*e, errc::no_reply);
  const auto& type = *e->how->message;
  if (type.destroy != nullptr)
    type.destroy(payload_of(*e, type));
  block_pool::release(type.block_class, e);
}

// -- birth and end of the cell itself ----------------------------------------------------------------------------------

cell::cell(system_core& core, std::shared_ptr<const cell_options> options, std::unique_ptr<host> h)
    : capacity_{static_cast<std::uint32_t>(options->spec.mailbox.capacity)},
      id_{core.last_id.fetch_add(1, std::memory_order_relaxed) + 1},
      executor_{core.executor},
      core_{&core},
      sliding_{options->spec.mailbox.overflow == drop_oldest ? std::make_unique<sliding_lane>(capacity_) : nullptr},
      options_{std::move(options)},
      host_{std::move(h)} {}

cell::~cell() {
  delete incidents_.load(std::memory_order_relaxed);
}

cell* cell::make(system_core& core, std::shared_ptr<const cell_options> options, std::unique_ptr<host> h) {
  constexpr auto c = block_pool::class_for(sizeof(cell));
  return new (block_pool::allocate(c, sizeof(cell))) cell{core, std::move(options), std::move(h)};
}

void cell::destroy() noexcept {
  constexpr auto c = block_pool::class_for(sizeof(cell));
  this->~cell();
  block_pool::release(c, this);
}

void cell::construct() {
  auto* outer = std::exchange(current_, this);
  try {
    host_->construct();
  } catch (...) {
    current_ = outer;
    throw;
  }
  current_ = outer;
}

void cell::launch(supervisor_core& parent) noexcept {
  parent_ = &parent;
  launch_root();
}

void cell::launch_root() noexcept {
  retain(); // the tree's
  enter(state::running);
  if (end_wanted_ || !rest())
    schedule();
}

void cell::give_up_start() noexcept {
  cancel_timers();
  if (host_->object() != nullptr)
    host_->destroy();
  mailbox_.close();
  while (auto* e = next_message())
    detail::destroy(e);
  for (auto* m = control_.close(); m != nullptr;)
    std::exchange(m, m->next_control)->refuse(*this);
  enter(state::stopped);
}

// -- senders -----------------------------------------------------------------------------------------------------------

push_result cell::push_sliding(envelope* e) noexcept {
  envelope* evicted = nullptr;
  const auto r = sliding_->push(e, mailbox_, evicted);
  if (evicted != nullptr) {
    rare().door_dropped.fetch_add(1, std::memory_order_release); // release: as in count()
    note_letter(*evicted, dead_letter::cause::dropped, drop_reason::overflow);
    settle(*evicted, errc::dropped, "mailbox of " + name() + " overflowed");
    detail::destroy(evicted);
  }
  if (r == push_result::queued_and_wake)
    schedule();
  return r;
}

delivery cell::enqueue_sliding(envelope* e) noexcept {
  return push_sliding(e) == push_result::closed ? refuse_closed(e) : delivery::accepted;
}

delivery cell::refuse_full(envelope* e) noexcept {
  const bool drop = options_->spec.mailbox.overflow == drop_newest;
  auto& i = rare();
  if (drop) {
    i.door_accepted.fetch_add(1, std::memory_order_relaxed);
    i.door_dropped.fetch_add(1, std::memory_order_release); // release: as in count()
    note_letter(*e, dead_letter::cause::dropped, drop_reason::overflow);
    settle(*e, errc::dropped, "mailbox of " + name() + " is full");
  } else {
    i.refused.fetch_add(1, std::memory_order_relaxed);
    note_letter(*e, dead_letter::cause::mailbox_full, drop_reason::overflow);
    if (e->reply != nullptr)
      settle(*e, errc::mailbox_full, "mailbox of " + name() + " is full");
  }
  detail::destroy(e);
  return drop ? delivery::dropped : delivery::rejected;
}

delivery cell::refuse_closed(envelope* e) noexcept {
  rare().refused.fetch_add(1, std::memory_order_relaxed);
  note_letter(*e, dead_letter::cause::receiver_stopped, drop_reason::stopped);
  if (e->reply != nullptr)
    settle(*e, errc::stopped, name() + " has stopped");
  detail::destroy(e);
  return delivery::stopped;
}

bool cell::try_enqueue(envelope* e) noexcept {
  if (sliding_ != nullptr)
    return push_sliding(e) != push_result::closed;
  const auto r = mailbox_.push(e, capacity_);
  if (r == push_result::queued_and_wake)
    schedule();
  return r == push_result::queued || r == push_result::queued_and_wake;
}

cell::incidents& cell::rare() const {
  auto* found = incidents_.load(std::memory_order_acquire); // acquire: pairs with the release below
  if (found != nullptr)
    return *found;
  auto fresh = std::make_unique<incidents>();
  if (incidents_.compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel, std::memory_order_acquire))
    return *fresh.release();
  return *found;
}

void cell::refuse_foreign(std::string type) noexcept {
  rare().refused.fetch_add(1, std::memory_order_relaxed);
  if (core_->events.observed())
    core_->events.publish(
        dead_letter{dead_letter::cause::dropped, drop_reason::unhandled, std::move(type), name()});
}

void cell::note_letter(const envelope& e, dead_letter::cause why, drop_reason reason) const noexcept {
  if (core_->events.observed())
    core_->events.publish(dead_letter{why, reason, type_name(*e.how->message->info), name()});
}

// -- observers ---------------------------------------------------------------------------------------------------------

std::string cell::name() const {
  if (!options_->path.empty())
    return options_->path;
  return type_name(*type().info) + "#" + std::to_string(id_);
}

std::size_t cell::depth() const noexcept {
  return sliding_ != nullptr ? sliding_->depth() : mailbox_.depth();
}

ledger cell::books() const noexcept {
  ledger l;
  // Outcomes before acceptance: whatever has an outcome was accepted before, so `queued` cannot come out negative.
  l.handled = handled_.load(std::memory_order_acquire);
  if (const auto* i = incidents_.load(std::memory_order_acquire)) {
    l.expired = i->expired.load(std::memory_order_acquire);
    l.dropped = i->dropped.load(std::memory_order_acquire) + i->door_dropped.load(std::memory_order_acquire);
    l.quarantined = i->quarantined.load(std::memory_order_acquire);
    l.refused = i->refused.load(std::memory_order_relaxed);
    l.accepted = i->door_accepted.load(std::memory_order_acquire);
  }
  l.accepted += sliding_ != nullptr ? sliding_->accepted() : mailbox_.accepted();
  l.accepted += local_accepted_.load(std::memory_order_acquire);
  l.queued = l.accepted - l.handled - l.expired - l.dropped - l.quarantined;
  return l;
}

// -- the turn ----------------------------------------------------------------------------------------------------------

bool cell::at_work() const noexcept {
  const auto s = state_.load(std::memory_order_relaxed);
  return s == state::running || s == state::draining;
}

bool cell::may_serve() const noexcept {
  return at_work() && suspended_.load(std::memory_order_relaxed) < type().suspended_max && lane_holds_ == 0;
}

engine::run_result cell::run() noexcept {
  current_ = this;
  unsigned messages = 0;
  time_point turn_end{};
  for (;;) {
    if (mailbox_.attention()) [[unlikely]]
      serve_control();
    if (end_wanted_) [[unlikely]] // wanted by a constructor
      normal_end();
    if (state_.load(std::memory_order_relaxed) == state::stopping) [[unlikely]]
      return retire();
    if (!may_serve()) [[unlikely]] {
      current_ = nullptr;
      if (mailbox_.block())
        return engine::run_result::idle;
      current_ = this;
      continue;
    }
    auto* e = next_message();
    if (e == nullptr) {
      const bool draining = state_.load(std::memory_order_relaxed) == state::draining;
      if (draining && suspensions_ == nullptr) {
        stop_now(exit_reason::shutdown, true);
        continue;
      }
      current_ = nullptr;
      // Draining, only suspended handlers are left: what came after the mark must not wake it, and is not to be served.
      if (draining ? mailbox_.block() : rest())
        return engine::run_result::idle;
      current_ = this;
      continue;
    }
    handle(e);
    if (end_wanted_) [[unlikely]]
      normal_end();
    // Fairness: give the worker back after so many messages, or so much time, looked at every few messages.
    if (++messages % 8 == 0) [[unlikely]] {
      if (messages >= core_->turn_messages_max)
        break;
      const auto now = core_->now();
      if (messages == 8)
        turn_end = now + core_->turn_time_max;
      else if (now >= turn_end)
        break;
    }
  }
  current_ = nullptr;
  return engine::run_result::again;
}

bool cell::rest() noexcept {
  return sliding_ != nullptr ? sliding_->rest(mailbox_) : mailbox_.rest();
}

void cell::serve_control() noexcept {
  if (!mailbox_.take_attention())
    return;
  for (auto* m = control_.take(); m != nullptr;)
    std::exchange(m, m->next_control)->deliver(*this);
}

envelope* cell::next_message() noexcept {
  if (failed_ != nullptr) [[unlikely]]
    return std::exchange(failed_, nullptr);
  if (local_head_ != nullptr) [[unlikely]] {
    auto* e = local_head_;
    local_head_ = e->next;
    return e;
  }
  if (due_head_ != nullptr) [[unlikely]] {
    auto& t = *due_head_;
    remove_due(t);
    local_accepted_.store(local_accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    return t.receive();
  }
  if (state_.load(std::memory_order_relaxed) == state::draining
      && (sliding_ != nullptr ? sliding_->removed() : mailbox_.popped()) >= drain_mark_)
    return nullptr;
  return sliding_ != nullptr ? sliding_->pop() : mailbox_.pop();
}

void cell::handle(envelope* e) noexcept {
  if (e->deadline != 0 && core_->now_ns() >= e->deadline) [[unlikely]]
    return expire(e);
  in_hand_ = e;
  handling_.store(e->how, std::memory_order_relaxed);
  suspension* s = nullptr;
  try {
    if (core_->faults != nullptr) [[unlikely]]
      core_->faults->begin();
    s = e->how->invoke(*this, payload_of(*e, *e->how->message), *e);
  } catch (...) {
    in_hand_ = nullptr;
    handling_.store(nullptr, std::memory_order_relaxed);
    return fail(e, std::current_exception());
  }
  in_hand_ = nullptr;
  handling_.store(nullptr, std::memory_order_relaxed);
  if (s == nullptr) [[likely]]
    conclude_handled(e);
  else
    suspend(e, s);
}

void cell::conclude_handled(envelope* e) noexcept {
  detail::destroy(e);
  // release: whoever sees the figure sees what the handler did.
  handled_.store(handled_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void cell::suspend(envelope* e, suspension* s) noexcept {
  e->waits_in = s;
  s->message_ = e;
  s->previous_ = nullptr;
  s->next_ = suspensions_;
  if (suspensions_ != nullptr)
    suspensions_->previous_ = s;
  suspensions_ = s;
  suspended_.store(suspended_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void cell::unlink_suspension(suspension& s) noexcept {
  (s.previous_ != nullptr ? s.previous_->next_ : suspensions_) = s.next_;
  if (s.next_ != nullptr)
    s.next_->previous_ = s.previous_;
  suspended_.store(suspended_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void cell::resume(std::coroutine_handle<> h, envelope* message) noexcept {
  in_hand_ = message;
  handling_.store(message->how, std::memory_order_relaxed);
  fault_injector::forget();
  h.resume();
  in_hand_ = nullptr;
  handling_.store(nullptr, std::memory_order_relaxed);
  finish_if_ended(message);
  if (end_wanted_) [[unlikely]]
    normal_end();
}

void cell::finish_if_ended(envelope* e) noexcept {
  auto* s = e->waits_in;
  if (!s->ended())
    return;
  unlink_suspension(*s);
  std::exception_ptr failure;
  try {
    s->conclude(*e);
  } catch (...) {
    failure = std::current_exception();
  }
  s->dispose();
  if (failure)
    fail(e, std::move(failure));
  else
    conclude_handled(e);
}

void cell::enqueue_local(envelope* e) noexcept {
  local_accepted_.store(local_accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  e->next = nullptr;
  if (local_head_ == nullptr)
    local_head_ = e;
  else
    local_tail_->next = e;
  local_tail_ = e;
}

// -- outcomes other than handled ---------------------------------------------------------------------------------------

void cell::expire(envelope* e) noexcept {
  note_letter(*e, dead_letter::cause::expired, {});
  settle(*e, errc::timed_out);
  detail::destroy(e);
  count(rare().expired);
}

void cell::drop(envelope* e, drop_reason why) noexcept {
  note_letter(*e, dead_letter::cause::dropped, why);
  if (e->reply != nullptr) {
    switch (why) {
      case drop_reason::stopped: settle(*e, errc::stopped, name() + " has stopped"); break;
      case drop_reason::restarted: settle(*e, errc::restarted, name() + " was restarted"); break;
      case drop_reason::resumed:
      case drop_reason::quarantine_full: settle(*e, errc::failed, describe(failure_)); break;
      case drop_reason::overflow: settle(*e, errc::dropped); break;
      case drop_reason::unhandled: settle(*e, errc::no_reply, name() + " has no handler for it"); break;
    }
  }
  detail::destroy(e);
  count(rare().dropped);
}

void cell::quarantine(envelope* e) noexcept {
  quarantined_message about{.receiver = name(),
                            .message_type = type_name(*e->how->message->info),
                            .exception = describe(failure_),
                            .attempts = e->attempts,
                            .since = core_->through.clock->wall_now()};
  settle(*e, errc::failed, about.exception);
  supervision_event event{.supervisor = parent_ != nullptr ? parent_->name() : std::string{},
                          .what = supervision_event::kind::quarantined,
                          .why = about.exception,
                          .child = about.receiver,
                          .child_id = id_,
                          .message_type = about.message_type,
                          .attempt = e->attempts};
  if (!core_->quarantine.add(*this, e, std::move(about)))
    return drop(e, drop_reason::quarantine_full);
  count(rare().quarantined);
  if (core_->events.observed())
    core_->events.publish(event);
}

void cell::drop_suspended(drop_reason why) noexcept {
  while (suspensions_ != nullptr) {
    auto* s = suspensions_;
    auto* e = s->message_;
    unlink_suspension(*s);
    s->dispose();
    drop(e, why);
  }
}

// -- failure and the supervisor's orders -------------------------------------------------------------------------------

void cell::fail(envelope* e, std::exception_ptr why) noexcept {
  ++e->attempts;
  if (parent_->action_for(options_->spec, why) == failure_action::resume) {
    // The object goes on as it is, with its timers and its suspended handlers.
    failure_ = std::move(why);
    if (core_->events.observed())
      parent_->publish(supervision_event::kind::resumed, *this, describe(failure_), type_name(*e->how->message->info));
    drop(e, drop_reason::resumed);
    failure_ = nullptr;
    return;
  }
  end_wanted_ = false;
  failed_ = e;
  failure_ = std::move(why);
  cancel_timers();
  drop_suspended(drop_reason::restarted);
  enter(state::suspended);
  parent_->report(*this, child_report::failed, failure_,
                  core_->events.observed() ? type_name(*e->how->message->info) : std::string{});
}

void cell::fail_supervisor(std::exception_ptr why) noexcept {
  failure_ = std::move(why);
  enter(state::suspended);
  if (parent_ != nullptr)
    parent_->report(*this, child_report::failed, failure_, {});
}

void cell::halted_supervisor() noexcept {
  parent_->report(*this, child_report::halted);
}

void cell::revived_supervisor() noexcept {
  failure_ = nullptr;
  incarnation_.store(incarnation_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  enter(state::running);
  parent_->report(*this, child_report::revived);
}

void cell::order_halt() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::halt);
  if (state_.load(std::memory_order_relaxed) >= state::stopping)
    return;
  cancel_timers();
  drop_suspended(drop_reason::restarted);
  destroy_object(false);
  enter(state::suspended);
  parent_->report(*this, child_report::halted);
}

void cell::order_revive() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::revive);
  if (state_.load(std::memory_order_relaxed) != state::suspended)
    return;
  // The failing message is tried again on the fresh object, or set aside.
  if (failed_ != nullptr && failed_->attempts > options_->spec.retries)
    quarantine(std::exchange(failed_, nullptr));
  destroy_object(false);
  const auto restarted = incarnation_.load(std::memory_order_relaxed);
  incarnation_.store(restarted + 1, std::memory_order_relaxed);
  try {
    host_->construct(); // current() is this cell: the turn
  } catch (...) {
    failure_ = std::current_exception();
    incarnation_.store(restarted, std::memory_order_relaxed);
    cancel_timers();
    end_wanted_ = false;
    parent_->report(*this, child_report::failed_to_start, failure_, {});
    return;
  }
  failure_ = nullptr;
  enter(drain_wanted_ ? state::draining : state::running);
  parent_->report(*this, child_report::revived);
}

void cell::order_drain() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::stop);
  const auto s = state_.load(std::memory_order_relaxed);
  if (drain_wanted_ || (s != state::running && s != state::suspended))
    return;
  drain_wanted_ = true;
  drain_mark_ = sliding_ != nullptr ? sliding_->accepted() : mailbox_.accepted();
  if (s == state::running)
    enter(state::draining);
}

void cell::order_stop() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::stop);
  stop_now(failed() ? exit_reason::failure : exit_reason::shutdown, !failed());
}

void cell::order_kill() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::kill);
  stop_now(exit_reason::killed, false);
}

/// The actor ended itself: a permanent one starts anew.
void cell::normal_end() noexcept {
  end_wanted_ = false;
  if (!at_work()) // it failed meanwhile
    return;
  if (options_->spec.restart != permanent || drain_wanted_)
    return stop_now(exit_reason::normal, true);
  cancel_timers();
  drop_suspended(drop_reason::restarted);
  destroy_object(true);
  enter(state::suspended);
  parent_->report(*this, child_report::ended);
}

void cell::stop_now(exit_reason why, bool with_hook) noexcept {
  if (state_.load(std::memory_order_relaxed) >= state::stopping)
    return;
  end_reason_ = why;
  cancel_timers();
  drop_suspended(drop_reason::stopped);
  destroy_object(with_hook);
  enter(state::stopping);
}

/// Whatever the hook and the destructor have begun ends with the object.
void cell::destroy_object(bool with_hook) noexcept {
  if (host_->object() == nullptr)
    return;
  if (with_hook && type().on_stop != nullptr) {
    try {
      type().on_stop(host_->object());
    } catch (...) { // it ends all the same
      if (core_->events.observed())
        core_->events.publish(supervision_event{.supervisor = parent_ != nullptr ? parent_->name() : std::string{},
                                                .what = supervision_event::kind::failed,
                                                .why = "on_stop: " + troupe::describe(std::current_exception()),
                                                .child = name(),
                                                .child_id = id_});
    }
  }
  host_->destroy();
  cancel_timers();
  end_wanted_ = false;
}

engine::run_result cell::retire() noexcept {
  if (sliding_ != nullptr)
    sliding_->close(mailbox_);
  else
    mailbox_.close();
  while (auto* e = next_message())
    drop(e, drop_reason::stopped);
  // The books must close: the counters of the lanes against the outcomes counted one by one.
  auto closing = books();
  if (closing.queued != 0)
    core_->unaccounted.fetch_add(closing.queued, std::memory_order_relaxed);
  if (supervisor_ != nullptr)
    closing += supervisor_->books();
  // Who sees that the actor has stopped sees its books closed, its name free, and its place under the supervisor free.
  cell_pointer listener;
  if (parent_ != nullptr)
    listener = parent_->retire(*this, closing, end_reason_); // the parent may be gone from here on
  enter(state::stopped);
  const auto who = std::make_shared<const stopped>(stopped{id_, name(), end_reason_});
  for (auto* m = control_.close(); m != nullptr;)
    std::exchange(m, m->next_control)->refuse(*this);
  if (auto* i = incidents_.load(std::memory_order_acquire)) {
    for (const auto& [id, w] : std::exchange(i->watchers, {})) {
      w->send_control(make_control([who](cell& watcher) { watcher.on_watched_stopped(*who); }));
      w->release();
    }
  }
  if (auto* face = caf_face.exchange(no_face(), std::memory_order_acq_rel))
    caf_face_stopped(face, end_reason_);
  current_ = nullptr;
  if (listener.get() != nullptr)
    listener->supervisor()->report(*this, child_report::gone);
  release(); // the tree's
  return engine::run_result::idle;
}

// -- timers and watchers -----------------------------------------------------------------------------------------------

void cell::add_timer(actor_timer& t) noexcept {
  t.previous_ = nullptr;
  t.next_ = timers_;
  if (timers_ != nullptr)
    timers_->previous_ = &t;
  timers_ = &t;
}

void cell::remove_timer(actor_timer& t) noexcept {
  (t.previous_ != nullptr ? t.previous_->next_ : timers_) = t.next_;
  if (t.next_ != nullptr)
    t.next_->previous_ = t.previous_;
  t.previous_ = t.next_ = nullptr;
}

void cell::cancel_timers() noexcept {
  while (timers_ != nullptr)
    timers_->cancel();
}

void cell::add_due(actor_timer& t) noexcept {
  t.due_ = true;
  t.previous_due_ = due_tail_;
  t.next_due_ = nullptr;
  (due_tail_ != nullptr ? due_tail_->next_due_ : due_head_) = &t;
  due_tail_ = &t;
}

void cell::remove_due(actor_timer& t) noexcept {
  t.due_ = false;
  (t.previous_due_ != nullptr ? t.previous_due_->next_due_ : due_head_) = t.next_due_;
  (t.next_due_ != nullptr ? t.next_due_->previous_due_ : due_tail_) = t.previous_due_;
}

void cell::add_watcher(cell& watcher) {
  auto& r = rare();
  if (!r.watchers.emplace(watcher.id(), &watcher).second)
    return;
  watcher.retain();
  if (r.watchers.size() < r.prune_at)
    return;
  // A watcher that stops does not tell those whom it watched: at most half of the list are such ones.
  std::erase_if(r.watchers, [](const auto& entry) {
    const bool over = entry.second->lifecycle() == state::stopped;
    if (over)
      entry.second->release();
    return over;
  });
  r.prune_at = std::max<std::size_t>(64, 2 * r.watchers.size());
}

void cell::remove_watcher(const cell& watcher) noexcept {
  auto* i = incidents_.load(std::memory_order_acquire);
  if (i == nullptr)
    return;
  auto found = i->watchers.find(watcher.id());
  if (found == i->watchers.end())
    return;
  found->second->release();
  i->watchers.erase(found);
}

void cell::on_watched_stopped(const stopped& who) noexcept {
  if (type().on_stopped != nullptr && state_.load(std::memory_order_relaxed) < state::stopping)
    enqueue_local(make_envelope<stopped>(*type().on_stopped, who));
}

} // namespace troupe::detail
