// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/caf_face.hpp>
#include <troupe/engine/cell.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/incidents.hpp>
#include <troupe/engine/instruments.hpp>
#include <troupe/engine/suspension.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/child_record.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/type_name.hpp>
#include <troupe/watch.hpp>

#include <utility>

namespace troupe::detail {

// -- failure and the supervisor's orders -------------------------------------------------------------------------------

void cell::fail(envelope* e, std::exception_ptr why) noexcept {
  ++e->attempts;
  if (core_->conducted != nullptr)
    core_->conducted->failed(*this, *e, why);
  if (!std::exchange(resume_forbidden_, false) && parent_->action_for(options_->spec, why) == failure_action::resume) {
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

void cell::halted_supervisor() noexcept { parent_->report(*this, child_report::halted); }

void cell::revived_supervisor() noexcept {
  failure_ = nullptr;
  incarnation_.store(incarnation_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  open_door();
  enter(state::running);
  parent_->report(*this, child_report::revived);
}

void cell::open_door() noexcept {
  if ((door_.load(std::memory_order_relaxed) & (door_no_asks | door_shut)) != 0)
    door_.fetch_and(static_cast<std::uint8_t>(~(door_no_asks | door_shut)), std::memory_order_relaxed); // see enqueue
}

void cell::order_halt() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::halt);
  if (state_.load(std::memory_order_relaxed) >= state::stopping)
    return;
  cancel_timers();
  drop_suspended(drop_reason::restarted);
  end_incarnation();
  if (instruments_ != nullptr)
    instruments_->last.clear(); // it was not its own failure
  enter(state::suspended);
  parent_->report(*this, child_report::halted);
}

void cell::order_shelve() noexcept {
  if (state_.load(std::memory_order_relaxed) >= state::stopping)
    return;
  door_.fetch_or(door_shut, std::memory_order_release); // release: pairs with is_out()
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::halt);
  cancel_timers();
  drop_suspended(drop_reason::stopped);
  destroy_object(!failed() && options_->spec.shutdown.count() != 0);
  enter(state::suspended);
  drop_queued();
  failure_ = nullptr;
  drain_wanted_ = false;
  if (instruments_ != nullptr)
    instruments_->last.clear();
  parent_->report(*this, child_report::halted);
}

void cell::drop_queued() noexcept {
  if (failed_ != nullptr)
    settle(*failed_, errc::failed, describe(failure_));
  while (auto* e = next_message())
    drop(e, drop_reason::stopped);
}

void cell::order_revive() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::revive);
  if (state_.load(std::memory_order_relaxed) != state::suspended)
    return;
  // The failing message is tried again on the fresh object, or set aside.
  if (failed_ != nullptr && failed_->attempts > options_->spec.retries)
    quarantine(std::exchange(failed_, nullptr));
  end_incarnation();
  const auto restarted = incarnation_.load(std::memory_order_relaxed);
  incarnation_.store(restarted + 1, std::memory_order_relaxed);
  if (!build_in_time(true)) {
    incarnation_.store(restarted, std::memory_order_relaxed);
    parent_->report(*this, child_report::failed_to_start, failure_, {});
    return;
  }
  open_door();
  enter(drain_wanted_ ? state::draining : state::running);
  parent_->report(*this, child_report::revived);
}

/// A fresh object, or the reason in `failure_`. `again`: in place of one that has failed or was halted.
bool cell::build(bool again) noexcept {
  try {
    host_->construct(); // current() is this cell: the turn
    if (again && instruments_ != nullptr && instruments_->rehearse != 0 && failure_ != nullptr) {
      const bool ends = end_wanted_;
      rehearse();
      end_wanted_ = ends; // nobody ends for a trial
    }
    if (again && type().after_restart != nullptr)
      type().after_restart(host_->object(), failure_);
  } catch (...) {
    failure_ = std::current_exception();
    destroy_object(false);
    cancel_timers();
    end_wanted_ = false;
    return false;
  }
  failure_ = nullptr;
  return true;
}

bool cell::idle() const noexcept {
  return state_.load(std::memory_order_relaxed) == state::running && suspensions_ == nullptr && lane_holds_ == 0 &&
         failed_ == nullptr && timers_ == nullptr && !end_wanted_ && !drain_wanted_ && !anything_waits();
}

void cell::passivate() noexcept {
  if (state_.load(std::memory_order_relaxed) == state::passive)
    leaving_ = true;
  if (!idle())
    return;
  destroy_object(true);
  enter(state::passive);
  leaving_ = true;
}

void cell::activate() noexcept {
  if (state_.load(std::memory_order_relaxed) != state::passive)
    return;
  leaving_ = false;
  if (build_in_time(false))
    return enter(drain_wanted_ ? state::draining : state::running);
  enter(state::suspended);
  parent_->report(*this, child_report::failed_to_start, failure_, {});
}

void cell::order_drain() noexcept {
  if (supervisor_ != nullptr)
    return supervisor_->on_order(supervisor_order::stop);
  const auto s = state_.load(std::memory_order_relaxed);
  if (drain_wanted_ || (s != state::running && s != state::suspended && s != state::passive))
    return;
  if (is_out() || (s == state::passive && !anything_waits()))
    return stop_now(exit_reason::shutdown, false);
  drain_wanted_ = detour_ = true;
  drain_mark_ = accepted();
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
      note_failure("on_stop");
    }
  }
  host_->destroy();
  cancel_timers();
  end_wanted_ = false;
}

/// The object is going to have a successor.
void cell::end_incarnation() noexcept {
  if (type().before_restart != nullptr && host_->object() != nullptr) {
    try {
      type().before_restart(host_->object(), failure_);
    } catch (...) {
      note_failure("before_restart");
    }
  }
  destroy_object(false);
}

void cell::note_failure(const char* where) const noexcept {
  if (core_->events.observed())
    core_->events.publish(
        supervision_event{.supervisor = parent_ != nullptr ? parent_->name() : std::string{},
                          .what = supervision_event::kind::failed,
                          .why = std::string{where} + ": " + troupe::describe(std::current_exception()),
                          .child = name(),
                          .child_id = id_,
                          .at = core_->now()});
}

engine::run_result cell::retire() noexcept {
  if (sliding_ != nullptr)
    sliding_->close(mailbox_);
  else
    mailbox_.close();
  drop_queued();
  if (instruments_ != nullptr)
    instruments_->last.clear();
  host_->forget();
  // The books must close: the counters of the lanes against the outcomes counted one by one.
  auto closing = lane_books();
  if (closing.queued != 0)
    core_->unaccounted.fetch_add(closing.queued, std::memory_order_relaxed);
  if (supervisor_ != nullptr)
    closing += supervisor_->books();
  // Who sees that the actor has stopped sees its books closed, its name free, and its place under the supervisor free.
  cell_pointer listener;
  if (parent_ != nullptr)
    listener = parent_->retire(*this, closing, end_reason_); // the parent may be gone from here on
  enter(state::stopped);
  close_control();
  auto* i = incidents_.load(std::memory_order_acquire);
  if (i != nullptr && !i->watchers.empty()) {
    const auto who = std::make_shared<const stopped>(stopped{id_, name(), end_reason_});
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

} // namespace troupe::detail
