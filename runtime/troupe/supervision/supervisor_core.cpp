// SPDX-License-Identifier: BSD-3-Clause
#include "troupe/supervision/supervisor_core.hpp"

#include <algorithm>
#include <ranges>
#include <stdexcept>
#include <utility>

#include "troupe/engine/actor_timer.hpp"
#include "troupe/engine/control_call.hpp"
#include "troupe/engine/system_core.hpp"

namespace troupe::detail {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kill_time{1'000}; // a killed child that is not gone by then is stuck in a handler

void order(cell& child, void (cell::*what)() noexcept) {
  child.send_control(make_control([what](cell& c) { (c.*what)(); }));
}

bool contains(const std::vector<cell_pointer>& cells, const cell& c) {
  return std::ranges::any_of(cells, [&](const cell_pointer& p) { return p.get() == &c; });
}

} // namespace

child_report::child_report(supervisor_core& s, cell& c, kind w, std::exception_ptr e, std::string m)
    : to{s}, child{c}, what{w}, why{std::move(e)}, message_type{std::move(m)} {
  child.retain();
}

child_report::~child_report() {
  child.release();
}

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

// -- any thread --------------------------------------------------------------------------------------------------------

result<void> supervisor_core::adopt(cell& child) {
  const auto& path = child.options().path;
  if (!path.empty() && !core_.names.add(path, child))
    return error{errc::name_taken, "there is an actor named " + path + " already"};
  const auto entry = children_.add(child, options_.children_max);
  if (entry == child_list::entry::added) {
    publish(supervision_event::kind::started, child, {});
    return {};
  }
  forget_name(child);
  if (entry == child_list::entry::closed)
    return error{errc::shutting_down, name() + " is stopping"};
  return error{errc::bad_options,
               name() + " has its children_max of " + std::to_string(options_.children_max) + " children"};
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
                                           .reason = why});
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
                              std::string message_type, unsigned attempt, milliseconds delay) const {
  if (!core_.events.observed())
    return;
  core_.events.publish(supervision_event{.supervisor = name(),
                                         .what = what,
                                         .why = std::move(why),
                                         .child = child.name(),
                                         .child_id = child.id(),
                                         .message_type = std::move(message_type),
                                         .attempt = attempt,
                                         .delay = delay});
}

// -- decisions ---------------------------------------------------------------------------------------------------------

void supervisor_core::on_report(const child_report& r) {
  note(r);
  switch (phase_) {
    case phase::running:
      if (r.down())
        on_failure(r.child, r.what, r.why);
      break;
    case phase::regrouping:
    case phase::halting:
    case phase::reviving: on_sequence_report(r); break;
    case phase::halted:
      if (r.down() && !comes_back(r.child))
        deferred_.push_back({cell_pointer{r.child}, r.what, r.why});
      break;
    case phase::stopping:
      if (r.what == child_report::gone)
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
      publish(supervision_event::kind::failed, r.child, describe(r.why), r.message_type);
      break;
    case child_report::revived: {
      core_.restarts.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
      const auto* record = r.child.record.get();
      if (record != nullptr)
        r.child.record->pause.started(core_.now());
      publish(supervision_event::kind::restarted, r.child, {}, {}, record != nullptr ? record->pause.restarts() : 0,
              record != nullptr ? record->delay : milliseconds{});
      break;
    }
    case child_report::gone: {
      const auto why = r.child.end_reason();
      const bool own_end = why == exit_reason::normal || why == exit_reason::failure;
      if (own_end && ends_supervisor(options_.auto_shutdown, r.child.options().spec.significant, children_.significant()))
        auto_stop_ = true;
      break;
    }
    case child_report::ended:
    case child_report::halted: break;
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
  if (child.lifecycle() >= cell::state::stopping)
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

void supervisor_core::restart(cell& child, milliseconds delay) {
  if (delay.count() == 0)
    return order(child, &cell::order_revive);
  child.record->ticket = ++tickets_;
  after(delay, [this, c = cell_pointer{child}, ticket = tickets_] {
    if (phase_ == phase::running && c->record != nullptr && c->record->ticket == ticket)
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

// -- sequences ---------------------------------------------------------------------------------------------------------

void supervisor_core::regroup(cell& child, milliseconds delay) {
  const auto all = children_.all_noticed();
  std::vector<restart_type> types;
  types.reserve(all.size());
  for (const auto& c : all)
    types.push_back(c->options().spec.restart);
  const auto failed = std::ranges::find(all, &child, &cell_pointer::get) - all.begin();
  if (static_cast<std::size_t>(failed) == all.size())
    return children_.notice(false); // it has just been stopped
  const auto plan = plan_restart(options_.strategy, static_cast<std::size_t>(failed), types);
  clear_sequence();
  for (auto i : plan.halt)
    to_halt_.push_back(all[i]);
  for (auto i : plan.revive) {
    to_revive_.push_back(all[i]);
    all[i]->in_sequence = sequence_;
  }
  // Failures of members are repaired by this sequence.
  std::erase_if(deferred_, [this](const deferred_report& d) { return comes_back(*d.child); });
  phase_ = phase::regrouping;
  pause_ = delay;
  order_next();
}

void supervisor_core::halt_all() {
  clear_sequence();
  deferred_.clear(); // all come back with their supervisor
  to_halt_ = children_.all_noticed();
  for (const auto& c : to_halt_) {
    if (c->options().spec.restart == temporary)
      continue;
    c->in_sequence = sequence_;
    to_revive_.push_back(c);
  }
  std::ranges::reverse(to_halt_);
  phase_ = phase::halting;
  order_next();
}

void supervisor_core::revive_all() {
  children_.notice(true);
  group_budget_.clear();
  for (const auto& c : to_revive_)
    c->record.reset(); // a supervisor that starts anew knows nothing of old failures
  halting_part_ = false;
  at_ = 0;
  phase_ = phase::reviving;
  order_next();
}

void supervisor_core::order_next() {
  for (;;) {
    auto& part = halting_part_ ? to_halt_ : to_revive_;
    if (at_ == part.size()) {
      if (!halting_part_ || phase_ == phase::halting)
        return finish_sequence();
      halting_part_ = false;
      at_ = 0;
      pausing_ = pause_.count() != 0;
      if (pausing_)
        return await(pause_, [this] {
          pausing_ = false;
          order_next();
        });
      continue;
    }
    auto& child = *part[at_];
    if (child.lifecycle() == cell::state::stopped) {
      ++at_;
    } else if (!halting_part_) {
      order(child, &cell::order_revive);
      if (!contains(stuck_, child))
        return;
      child.in_sequence = 0; // not waited for: it comes back when its handler returns
      ++at_;
    } else {
      // A temporary child is not revived: it ends here.
      order(child, child.options().spec.restart == temporary ? &cell::order_stop : &cell::order_halt);
      if (child.supervisor() != nullptr)
        return; // takes as long as its own children do
      const auto shutdown = child.options().spec.shutdown;
      return await(shutdown.count() != 0 ? shutdown : kill_time, [this] {
        publish(supervision_event::kind::stuck, *to_halt_[at_], "is still in a handler");
        stuck_.push_back(to_halt_[at_]);
        advance();
      });
    }
  }
}

void supervisor_core::advance() {
  end_await();
  if (!halting_part_)
    to_revive_[at_]->in_sequence = 0;
  ++at_;
  order_next();
}

void supervisor_core::on_sequence_report(const child_report& r) {
  const auto& part = halting_part_ ? to_halt_ : to_revive_;
  if (at_ < part.size() && part[at_].get() == &r.child && !pausing_) {
    if (r.what == child_report::gone || r.what == (halting_part_ ? child_report::halted : child_report::revived))
      return advance();
    // A plain child fails after it has reported `revived`, and then is not the awaited one; a supervisor may fail before.
    if (!halting_part_ && (r.what == child_report::failed_to_start
                           || (r.what == child_report::failed && r.child.supervisor() != nullptr))) {
      switch (judge(r.child, r.what, r.why)) {
        case decision::escalate: return give_up(r.child, r.why);
        case decision::restart:
        case decision::restart_after_delay: return retry(r.child.record->delay);
        default: return order(r.child, &cell::order_stop);
      }
    }
  }
  // A member that is still to be halted or revived comes back with its group; all others wait their turn.
  if (r.down() && !comes_back(r.child))
    deferred_.push_back({cell_pointer{r.child}, r.what, r.why});
}

/// Never in a loop on this turn: orders to stop must get through between two attempts.
void supervisor_core::retry(milliseconds delay) {
  await(std::max(delay, milliseconds{1}), [this] { order_next(); });
}

void supervisor_core::finish_sequence() {
  const auto was = phase_;
  children_.notice(false);
  if (was == phase::halting) {
    phase_ = phase::halted;
    if (escalating_)
      self_->fail_supervisor(std::exchange(escalating_, nullptr));
    else
      self_->halted_supervisor();
    return;
  }
  clear_sequence();
  phase_ = phase::running;
  if (was == phase::reviving)
    self_->revived_supervisor();
  // Failures that had to wait; one of them may begin the next sequence.
  while (phase_ == phase::running && !deferred_.empty()) {
    const auto d = std::move(deferred_.front());
    deferred_.pop_front();
    on_failure(*d.child, d.what, d.why);
  }
}

void supervisor_core::clear_sequence() {
  end_await();
  ++sequence_;
  to_halt_.clear();
  to_revive_.clear();
  stuck_.clear();
  at_ = 0;
  halting_part_ = true;
  pausing_ = false;
}

void supervisor_core::on_order(supervisor_order o) {
  switch (o) {
    case supervisor_order::halt:
      if (phase_ == phase::stopping)
        return;
      self_->suspend_supervisor();
      escalating_ = nullptr; // it is going to be revived anyway
      if (phase_ == phase::halted)
        return self_->halted_supervisor();
      if (phase_ != phase::halting)
        halt_all();
      return;
    case supervisor_order::revive:
      if (phase_ == phase::halted)
        revive_all();
      return;
    case supervisor_order::stop: return begin_stop(false);
    case supervisor_order::kill: return begin_stop(true);
  }
}

// -- the end -----------------------------------------------------------------------------------------------------------

void supervisor_core::begin_stop(bool kill) {
  const bool first_time = phase_ != phase::stopping;
  if (!first_time && (stop_kills_ || !kill))
    return;
  stop_kills_ = kill;
  clear_sequence();
  if (first_time) {
    phase_ = phase::stopping;
    deferred_.clear();
    children_.close();
    to_stop_ = children_.all_noticed();
    std::ranges::reverse(to_stop_);
  }
  if (parallel_stop()) {
    milliseconds longest{0};
    for (const auto& c : to_stop_) {
      const auto shutdown = c->options().spec.shutdown;
      order(*c, kill || shutdown.count() == 0 ? &cell::order_kill : &cell::order_stop);
      if (c->supervisor() == nullptr) // a supervisor takes as long as its own children do
        longest = std::max(longest, shutdown);
    }
    const bool killed = kill || longest.count() == 0;
    await(killed ? kill_time : longest, [this, killed] { on_stop_timeout(killed); });
  }
  stop_next();
}

void supervisor_core::stop_next() {
  if (parallel_stop()) {
    if (children_.settled())
      finish_stop();
    return;
  }
  while (at_ < to_stop_.size() && to_stop_[at_]->lifecycle() == cell::state::stopped) {
    ++at_;
    told_ = false;
  }
  if (at_ == to_stop_.size())
    return finish_stop();
  if (std::exchange(told_, true))
    return; // some other child went; the one that was told to stop is still there
  end_await();
  auto& child = *to_stop_[at_];
  const auto shutdown = child.options().spec.shutdown;
  const bool kill = shutdown.count() == 0;
  order(child, kill ? &cell::order_kill : &cell::order_stop);
  if (child.supervisor() == nullptr)
    await(kill ? kill_time : shutdown, [this, kill] { on_stop_timeout(kill); });
}

void supervisor_core::on_stop_timeout(bool killed) {
  std::vector<cell_pointer> late;
  if (parallel_stop())
    late = children_.all();
  else
    late.push_back(to_stop_[at_]);
  for (const auto& c : late) {
    if (c->supervisor() != nullptr || c->lifecycle() == cell::state::stopped)
      continue;
    if (!killed) {
      order(*c, &cell::order_kill);
      continue;
    }
    publish(supervision_event::kind::stuck, *c, "is still in a handler");
    children_.give_up(*c);
  }
  if (!killed)
    return await(kill_time, [this] { on_stop_timeout(true); });
  if (!parallel_stop()) {
    ++at_;
    told_ = false;
  }
  stop_next();
}

void supervisor_core::finish_stop() {
  end_await();
  to_stop_.clear();
  children_.notice(false);
  if (self_->parent() != nullptr)
    children_.move_to(core_.root->children_, *self_);
  self_->stop_now(stop_kills_        ? exit_reason::killed
                  : self_->failed() ? exit_reason::failure
                                    : exit_reason::shutdown,
                  false);
}

// -- time --------------------------------------------------------------------------------------------------------------

void supervisor_core::after(milliseconds delay, std::function<void()> f, actor_timer** handle) {
  auto* t = new callback_timer{std::move(f)};
  t->start(*self_, core_.now() + delay, {}, {});
  if (handle != nullptr)
    *handle = t;
  else
    t->release();
}

/// As `after`, and `end_await` takes it back; only one at a time.
void supervisor_core::await(milliseconds delay, std::function<void()> f) {
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
