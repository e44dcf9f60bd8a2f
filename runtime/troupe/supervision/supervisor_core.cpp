// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/supervision/tree_check.hpp>

#include <stdexcept>
#include <utility>

namespace troupe::detail {

using std::chrono::nanoseconds;

void order(cell& child, void (cell::*what)() noexcept) {
  child.send_control(make_control([what](cell& c) { (c.*what)(); }));
}

child_report::child_report(supervisor_core& s, cell& c, kind w, std::exception_ptr e, std::string m)
    : to{s}, child{c}, what{w}, why{std::move(e)}, message_type{std::move(m)} {
  child.retain();
}

child_report::~child_report() { child.release(); }

void child_report::deliver(cell&) noexcept {
  to.on_report(*this);
  delete this;
}

void child_report::refuse(cell&) noexcept {
  delete this; // the supervisor has stopped, and has told the child to
}

supervisor_core::supervisor_core(system_core& core, supervisor_options options)
    : core_{core}, options_{std::move(options)}, group_budget_{options_.group_intensity, options_.group_period} {}

supervisor_core::~supervisor_core() {
  if (awaited_ != nullptr)
    awaited_->release();
}

// -- any thread -------------------------------------------------------------------------------------------------------

result<void> supervisor_core::adopt(cell& child) {
  const auto& path = child.options().path;
  if (!path.empty() && !core_.names.add(path, child))
    return error{errc::name_taken, "there is an actor named " + path + " already"};
  const auto entry = children_.add(child, options_.children_max);
  if (entry == child_list::entry::added)
    return {};
  forget_name(child);
  if (entry == child_list::entry::closed)
    return error{errc::shutting_down, name() + " is stopping"};
  return error{errc::bad_options,
               name() + " has its children_max of " + std::to_string(options_.children_max) + " children"};
}

/// How often this supervisor may live before everybody above has given up.
double supervisor_core::lives_above() const noexcept {
  const auto* above = self_->parent();
  return above != nullptr ? above->lives_above() * lives(self_->options().spec, above->options_) : 1.0;
}

void supervisor_core::review(const cell& child) {
  if (!core_.check_starts || !core_.events.observed())
    return;
  const auto name = child.name();
  for (const auto& f : check_child({name, child.options().spec, options_, lives_above(), child.supervisor() != nullptr},
                                   core_.stop_time)) {
    const auto bit = 1u << static_cast<unsigned>(f.about);
    if ((reviewed_.fetch_or(bit, std::memory_order_relaxed) & bit) == 0) // relaxed: who is first does not matter
      publish(supervision_event::kind::questionable, child, f.what);
  }
}

void supervisor_core::forget_name(cell& child) {
  if (!child.options().path.empty())
    core_.names.remove(child.options().path, child);
}

cell_pointer supervisor_core::retire(cell& child, const ledger& closing, exit_reason why) {
  forget_name(child);
  if (core_.events.observed()) {
    core_.events.publish(supervision_event{.supervisor = name(),
                                           .what = supervision_event::kind::stopped,
                                           .why = to_string(why),
                                           .child = child.name(),
                                           .child_id = child.id(),
                                           .reason = why,
                                           .at = core_.now()});
  }
  auto* listener = self_;
  auto removed = children_.remove(child, closing, *self_);
  if (removed == child_list::removal::elsewhere) {
    listener = &core_.root->self();
    removed = core_.root->children_.remove(child, closing, *listener);
    self_->release(); // the count that kept this supervisor for the child's sake
  }
  if (removed == child_list::removal::unnoticed)
    return {};
  cell_pointer result{*listener};
  listener->release(); // remove()'s
  return result;
}

void supervisor_core::report(cell& child, child_report::kind what, std::exception_ptr why, std::string message_type) {
  self_->send_control(new child_report{*this, child, what, std::move(why), std::move(message_type)});
}

failure_action supervisor_core::action_for(const child_options& spec, const std::exception_ptr& why) const {
  return spec.on_failure.action_for(why).value_or(
      options_.on_failure.action_for(why).value_or(failure_action::restart));
}

std::string supervisor_core::path_of(std::string_view child) const {
  if (child.empty())
    return {};
  return self_->parent() == nullptr ? std::string{child} : name() + "/" + std::string{child};
}

void supervisor_core::publish(supervision_event::kind what, const cell& child, std::string why,
                              std::string message_type, unsigned attempt, nanoseconds delay) const {
  if (!core_.events.observed())
    return;
  const bool crash = what == supervision_event::kind::failed || what == supervision_event::kind::overran;
  core_.events.publish(supervision_event{.supervisor = name(),
                                         .what = what,
                                         .why = std::move(why),
                                         .child = child.name(),
                                         .child_id = child.id(),
                                         .message_type = std::move(message_type),
                                         .attempt = attempt,
                                         .delay = delay,
                                         .at = core_.now(),
                                         .recent = crash ? child.recent() : std::vector<flight_record>{}});
}

/// All children have gone. What comes now came together with the last one's report, or with an order.
bool supervisor_core::has_ended() const noexcept { return self_->lifecycle() >= cell::state::stopping; }

// -- decisions --------------------------------------------------------------------------------------------------------

void supervisor_core::on_report(const child_report& r) {
  if (r.what == child_report::overran)
    return on_overrun(r);
  note(r);
  on_news(r.child, r.what, r.why);
}

/// The child is in its handler or its constructor, and may be there for ever.
void supervisor_core::on_overrun(const child_report& r) {
  if (r.child.lifecycle() >= cell::state::stopping || phase_ == phase::stopping)
    return;
  if (r.child.options().spec.on_overrun == overrun_action::escalate) {
    if (phase_ != phase::halting && phase_ != phase::halted) // else that is done already
      give_up(r.child, r.why);
    return;
  }
  if (r.child.take_over()) // else it has returned meanwhile, or cannot be left alone
    on_news(r.child, child_report::failed, r.why);
}

void supervisor_core::on_news(cell& child, child_report::kind what, const std::exception_ptr& why) {
  switch (phase_) {
    case phase::running:
      if (is_down(what))
        on_failure(child, what, why);
      break;
    case phase::regrouping:
    case phase::halting:
    case phase::reviving: on_sequence_news(child, what, why); break;
    case phase::halted:
      if (is_down(what) && !comes_back(child))
        deferred_.push_back({cell_pointer{child}, what, why});
      break;
    case phase::stopping:
      if (what == child_report::gone && !has_ended())
        stop_next();
      break;
  }
  if (auto_stop_ && phase_ == phase::running)
    begin_stop(false);
}

/// What is to be said of a report whatever the phase.
void supervisor_core::note(const child_report& r) {
  switch (r.what) {
    case child_report::failed:
    case child_report::failed_to_start:
      if (core_.events.observed()) // to describe an exception is to throw it once more
        publish(supervision_event::kind::failed, r.child, describe(r.why), r.message_type);
      break;
    case child_report::revived: {
      if (served_ && served_->what == child_request::restart && at_ < to_revive_.size() &&
          to_revive_[at_].get() == &r.child) {
        publish(supervision_event::kind::started, r.child, "by name");
        break;
      }
      core_.restarts.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
      const auto* record = r.child.record.get();
      if (record != nullptr)
        r.child.record->pause.started(core_.now());
      publish(supervision_event::kind::restarted, r.child, {}, {}, record != nullptr ? record->pause.restarts() : 0,
              record != nullptr ? record->delay : nanoseconds{});
      break;
    }
    case child_report::gone: {
      const auto why = r.child.end_reason();
      const bool own_end = why == exit_reason::normal || why == exit_reason::failure;
      if (own_end &&
          ends_supervisor(options_.auto_shutdown, r.child.options().spec.significant, children_.significant()))
        auto_stop_ = true;
      break;
    }
    case child_report::ended:
    case child_report::halted:
    case child_report::overran: break;
  }
}

/// Decides on a child that is down, and charges it.
decision supervisor_core::judge(cell& child, child_report::kind what, const std::exception_ptr& why) {
  const auto& spec = child.options().spec;
  child_exit exit{.restart = spec.restart, .reason = exit_reason::normal};
  if (what != child_report::ended) {
    exit.reason = exit_reason::failure;
    exit.action = action_for(spec, why);
    if (exit.action == failure_action::resume) // done by the child itself where that is possible
      exit.action = failure_action::restart;
  }
  restart_terms terms;
  if (needs_restart(exit)) {
    const auto now = core_.now();
    auto& record = record_of(child);
    terms.child_budget_exceeded = record.budget.charge(now);
    terms.group_budget_exceeded = group_budget_.charge(now);
    terms.delay = record.pause.failed(now, spec.backoff.value_or(options_.backoff), core_.through.random->unit());
    record.delay = terms.delay;
  }
  return decide(exit, terms);
}

void supervisor_core::on_failure(cell& child, child_report::kind what, const std::exception_ptr& why) {
  if (child.lifecycle() >= cell::state::stopping || child.is_out())
    return; // somebody stopped it while its failure waited
  switch (judge(child, what, why)) {
    case decision::none: return;
    case decision::restart:
    case decision::restart_after_delay:
      if (options_.strategy == one_for_one || options_.strategy == dynamic)
        return restart(child, child.record->delay);
      return regroup(child, child.record->delay);
    case decision::resume: // judge() does not say so
    case decision::stop_child: return order(child, &cell::order_stop);
    case decision::escalate: return give_up(child, why);
  }
}

void supervisor_core::give_up(cell& child, std::exception_ptr why) {
  if (why == nullptr)
    why = std::make_exception_ptr(std::runtime_error{child.name() + " has ended itself too often"});
  publish(supervision_event::kind::gave_up, child, describe(why), {},
          child.record != nullptr ? child.record->pause.restarts() : 0);
  if (self_->parent() != nullptr)
    return escalate(std::move(why));
  // Nobody above the root: the child ends here, and the system is told.
  order(child, &cell::order_stop);
  core_.gave_up(child.name() + ": " + describe(why));
}

void supervisor_core::escalate(std::exception_ptr why) {
  core_.escalations.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  publish(supervision_event::kind::escalated, *self_, describe(why));
  escalating_ = std::move(why);
  halt_all();
}

void supervisor_core::restart(cell& child, nanoseconds delay) {
  if (delay.count() == 0)
    return order(child, &cell::order_revive);
  if (child.options().spec.refuse_asks_in_backoff)
    child.refuse_asks();
  child.record->ticket = ++tickets_;
  after(delay, [this, c = cell_pointer{child}, ticket = tickets_] {
    // While others are regrouped, that is, one that was named: this is not one of them.
    if ((phase_ == phase::running || phase_ == phase::regrouping) && c->record != nullptr &&
        c->record->ticket == ticket)
      order(*c, &cell::order_revive);
  });
}

child_record& supervisor_core::record_of(cell& child) {
  if (child.record == nullptr) {
    const auto& spec = child.options().spec;
    child.record.reset(new child_record{
        .budget = {spec.intensity.value_or(options_.intensity), spec.period.value_or(options_.period)}, .pause = {}});
  }
  return *child.record;
}

// -- time -------------------------------------------------------------------------------------------------------------

void supervisor_core::after(nanoseconds delay, std::function<void()> f, actor_timer** handle) {
  auto* t = new callback_timer{std::move(f)};
  t->start(*self_, core_.now() + delay, {}, {});
  if (handle != nullptr)
    *handle = t;
  else
    t->release();
}

/// As `after`, and `end_await` takes it back; only one at a time.
void supervisor_core::await(nanoseconds delay, std::function<void()> f) {
  end_await();
  after(delay, std::move(f), &awaited_);
}

void supervisor_core::end_await() noexcept {
  if (auto* t = std::exchange(awaited_, nullptr)) {
    t->cancel();
    t->release();
  }
}

} // namespace troupe::detail
