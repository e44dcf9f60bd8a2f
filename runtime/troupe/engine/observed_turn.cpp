// SPDX-License-Identifier: BSD-3-Clause
// The turn of an actor whose messages are recorded, timed or rehearsed, and the end of one that is replaced.
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/handler_watch.hpp>
#include <troupe/engine/incidents.hpp>
#include <troupe/engine/instruments.hpp>
#include <troupe/engine/suspension.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/child_record.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/type_name.hpp>

#include <stdexcept>
#include <utility>

namespace troupe::detail {

namespace {

/// Of the message that failed, in one rehearsal.
constexpr unsigned trials_max = 100;

std::string message_name(const handler& how) { return type_name(*how.message->info); }

} // namespace

bool cell::handle_observed(envelope* e) noexcept {
  auto& i = *instruments_;
  const auto* how = e->how;
  flight_recorder::entry flight{.at = core_->now(), .sender = e->sender, .message = how->message->info};
  in_hand_ = e;
  handling_.store(how, std::memory_order_relaxed);
  auto* object = host_->object();
  auto& post = core_->watch->begin(
      *this,
      {.how = how, .reply = i.replaceable ? e->reply : nullptr, .budget = i.budget, .replaceable = i.replaceable});
  if (i.replaceable)
    turn_guard::here = &post;
  suspension* s = nullptr;
  std::exception_ptr failure;
  try {
    if (core_->meddled) [[unlikely]]
      core_->before_handling(*this, *e);
    s = how->invoke(*this, object, payload_of(*e, *how->message), *e);
  } catch (...) {
    failure = std::current_exception();
  }
  turn_guard::here = nullptr;
  const auto v = core_->watch->end(post);
  if (v.orphaned) {
    leave_to_successor(e, s, object, std::move(failure));
    return false;
  }
  in_hand_ = nullptr;
  handling_.store(nullptr, std::memory_order_relaxed);
  flight.took = v.took;
  flight.failed = failure != nullptr;
  i.recorder.note(flight);
  if (v.overran)
    note_overrun({how, v.took, i.budget, i.replaceable});
  if (failure != nullptr) {
    fail(e, std::move(failure));
  } else if (s == nullptr) {
    i.keep(*how, payload_of(*e, *how->message));
    conclude_handled(e);
  } else {
    suspend(e, s);
  }
  return true;
}

/// What follows a co_await is timed, but the actor cannot be replaced in it: its message is one of several.
void cell::resume_observed(std::coroutine_handle<> h, envelope* message) noexcept {
  const auto* how = message->how;
  auto& post = core_->watch->begin(*this, {.how = how, .budget = instruments_->budget});
  h.resume();
  const auto v = core_->watch->end(post);
  if (v.overran)
    note_overrun({how, v.took, instruments_->budget, false});
}

/// A constructor is timed as well, but there is nothing yet that could take over from it.
bool cell::build_in_time(bool again) noexcept {
  const auto budget = options_->spec.start_budget;
  if (budget.count() == 0) [[likely]]
    return build(again);
  auto& post = core_->watch->begin(*this, {.how = nullptr, .budget = budget});
  const bool built = build(again);
  const auto v = core_->watch->end(post);
  if (v.overran)
    note_overrun({nullptr, v.took, budget, false});
  return built;
}

// -- overruns ----------------------------------------------------------------------------------------------------------

void cell::note_overrun(const overrun& o) noexcept {
  const auto action = options_->spec.on_overrun;
  const bool replaces = action == overrun_action::replace && o.replaceable;
  const auto message = o.how != nullptr ? message_name(*o.how) : std::string{};
  auto why = (o.how != nullptr ? "has been in its handler for " : "has been in its restart for ") + readable(o.since) +
             ", and may be for " + readable(o.budget);
  if (action == overrun_action::replace && !replaces)
    why += "; it cannot be replaced there";
  parent_->publish(supervision_event::kind::overran, *this, why, message);
  if (action != overrun_action::escalate && !replaces)
    return;
  const auto subject = o.how != nullptr ? message + ": the handler " : name() + " ";
  parent_->report(*this, child_report::overran, std::make_exception_ptr(std::runtime_error(subject + why)), message);
}

void cell::note_stuck(const overrun& o, unsigned worker) noexcept {
  // First: the supervisor may need the very worker.
  if (options_->spec.on_overrun != overrun_action::report && !core_->compensate(worker))
    parent_->publish(supervision_event::kind::stuck, *this, "holds its worker, and no spare one is left",
                     o.how != nullptr ? message_name(*o.how) : std::string{});
  note_overrun(o);
}

bool cell::take_over() noexcept {
  const auto* how = handling();
  if (!core_->watch->take_over(*this))
    return false;
  // From here on nobody has the turn but whoever the scheduler gives it next. The mailbox says `busy` all the while. What
  // waits on the control lane must not find the object that the handler is in, so this goes ahead of it.
  handed_ = make_control([how](cell& c) { c.abandon_object(how); });
  schedule();
  parent_->publish(supervision_event::kind::replaced, *this, "its handler still runs",
                   how != nullptr ? message_name(*how) : std::string{});
  return true;
}

/// The successor's first act on the turn.
void cell::abandon_object(const handler* how) noexcept {
  in_hand_ = nullptr; // its handler's, which frees it
  handling_.store(nullptr, std::memory_order_relaxed);
  if (core_->events.observed() && how != nullptr)
    core_->events.publish(dead_letter{dead_letter::cause::dropped, drop_reason::overran, message_name(*how), name()});
  count(rare().dropped);
  cancel_timers();
  drop_suspended(drop_reason::restarted);
  (void)host_->abandon(); // its handler's thread has it, too
  end_wanted_ = false;
  failure_ = std::make_exception_ptr(std::runtime_error{"a handler exceeded its time budget"});
  enter(state::suspended);
}

/// The handler of a replaced incarnation has returned, on its own thread; the turn is somebody else's. What it held ends
/// on that turn, because destructors may reach for timers and replies.
void cell::leave_to_successor(envelope* e, suspension* s, void* object, std::exception_ptr failure) noexcept {
  current_ = nullptr;
  if (core_->events.observed())
    core_->events.publish(
        supervision_event{.what = supervision_event::kind::returned,
                          .why = failure != nullptr ? describe(failure) : std::string{"its result was discarded"},
                          .child = name(),
                          .child_id = id_,
                          .message_type = message_name(*e->how),
                          .at = core_->now()});
  const auto bury = [e, s, object](cell& c) {
    if (s != nullptr)
      s->dispose();
    detail::destroy(e);
    c.host_->bury(object);
  };
  send_control(make_control(bury, bury));
  release(); // the count that came with the loss of the turn
}

// -- rehearsal ---------------------------------------------------------------------------------------------------------

/// Tries the last messages, and then the failed one, on the fresh incarnation, and puts its state back.
///
/// Throws if one fails that had been handled before: this incarnation is not fit. If the failed one fails again that is
/// an attempt like another, at the end of which it is quarantined without another restart. With more attempts than
/// `trials_max` left it goes live again, so that a restart ends, and the pauses between restarts are kept.
void cell::rehearse() {
  auto& i = *instruments_;
  auto* object = host_->object();
  const auto before = type().keep_state(object);
  fault_injector::forget();
  for (const auto& m : i.last) {
    try {
      m.how->rehearse(object, m.payload.get());
    } catch (...) {
      const auto why = message_name(*m.how) +
                       " was handled before and fails on trial: " + troupe::describe(std::current_exception());
      i.last.clear(); // the next attempt goes live untried
      parent_->publish(supervision_event::kind::rehearsed, *this, why);
      throw;
    }
  }
  type().put_back(object, before);
  if (failed_ == nullptr || failed_->how->rehearse == nullptr) {
    parent_->publish(supervision_event::kind::rehearsed, *this, std::to_string(i.last.size()) + " messages, all well");
    return;
  }
  for (unsigned trials = 0; failed_ != nullptr && trials < trials_max; ++trials) {
    type().put_back(object, before);
    try {
      failed_->how->rehearse(object, payload_of(*failed_, *failed_->how->message));
      parent_->publish(supervision_event::kind::rehearsed, *this,
                       std::to_string(i.last.size()) + " messages and the one that failed, all well",
                       message_name(*failed_->how));
      break;
    } catch (...) {
      const auto again = std::current_exception();
      parent_->publish(supervision_event::kind::rehearsed, *this, "failed again on trial: " + troupe::describe(again),
                       message_name(*failed_->how));
      ++failed_->attempts;
      if (failed_->attempts <= options_->spec.retries)
        continue;
      const auto outer = std::exchange(failure_, again);
      quarantine(std::exchange(failed_, nullptr));
      failure_ = outer;
    }
  }
  type().put_back(object, before);
}

} // namespace troupe::detail
