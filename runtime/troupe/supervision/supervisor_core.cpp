// SPDX-License-Identifier: BSD-3-Clause
#include "troupe/supervision/supervisor_core.hpp"

#include <algorithm>
#include <utility>

#include "troupe/engine/actor_timer.hpp"
#include "troupe/engine/control_call.hpp"
#include "troupe/engine/system_core.hpp"
#include "troupe/type_name.hpp"

namespace troupe::detail {

namespace {

constexpr std::chrono::milliseconds kill_time{1'000}; // a killed child that is not gone by then is stuck in a handler

void order(cell& child, void (cell::*what)() noexcept) {
  child.send_control(make_control([what](cell& c) { (c.*what)(); }));
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

// -- any thread --------------------------------------------------------------------------------------------------------

result<void> supervisor_core::adopt(cell& child) {
  const auto& path = child.options().path;
  if (!path.empty() && !core_.names.add(path, child))
    return error{errc::name_taken, "there is an actor named " + path + " already"};
  std::unique_lock guard{mutex_};
  if (!accepting_ || size_ >= options_.children_max) {
    const bool full = accepting_;
    guard.unlock();
    if (!path.empty())
      core_.names.remove(path, child);
    return full ? error{errc::bad_options, self_->name() + " has its children_max of " + std::to_string(options_.children_max) + " children"}
                : error{errc::shutting_down, self_->name() + " is stopping"};
  }
  child.previous_sibling = last_;
  child.next_sibling = nullptr;
  (last_ != nullptr ? last_->next_sibling : first_) = &child;
  last_ = &child;
  ++size_;
  return {};
}

void supervisor_core::disown(cell& child) noexcept {
  {
    std::unique_lock guard{mutex_};
    (child.previous_sibling != nullptr ? child.previous_sibling->next_sibling : first_) = child.next_sibling;
    (child.next_sibling != nullptr ? child.next_sibling->previous_sibling : last_) = child.previous_sibling;
    --size_;
  }
  if (!child.options().path.empty())
    core_.names.remove(child.options().path, child);
}

void supervisor_core::retire(cell& child, const ledger& closing, exit_reason why) {
  if (core_.events.observed()) {
    core_.events.publish(supervision_event{.supervisor = name(),
                                           .what = supervision_event::kind::stopped,
                                           .why = to_string(why),
                                           .child = child.name(),
                                           .child_id = child.id(),
                                           .reason = why});
  }
  if (!child.options().path.empty())
    core_.names.remove(child.options().path, child);
  bool tell = false;
  bool alone = false;
  {
    std::unique_lock guard{mutex_};
    (child.previous_sibling != nullptr ? child.previous_sibling->next_sibling : first_) = child.next_sibling;
    (child.next_sibling != nullptr ? child.next_sibling->previous_sibling : last_) = child.previous_sibling;
    --size_;
    retired_ += closing;
    tell = watching_;
    alone = abandoned_;
  }
  if (tell)
    report(child, child_report::gone);
  if (alone)
    self_->release();
  child.release(); // the tree's count
}

void supervisor_core::report(cell& child, child_report::kind what, std::exception_ptr why, std::string message_type) {
  self_->send_control(new child_report{*this, child, what, std::move(why), std::move(message_type)});
}

std::vector<cell*> supervisor_core::children() const {
  std::unique_lock guard{mutex_};
  std::vector<cell*> result;
  result.reserve(size_);
  for (auto* c = first_; c != nullptr; c = c->next_sibling) {
    c->retain();
    result.push_back(c);
  }
  return result;
}

std::size_t supervisor_core::size() const {
  std::unique_lock guard{mutex_};
  return size_;
}

ledger supervisor_core::books() const {
  // Live children under the lock: a child is in the list or in `retired_`, never in both or neither.
  std::unique_lock guard{mutex_};
  auto sum = retired_;
  for (auto* c = first_; c != nullptr; c = c->next_sibling)
    sum += c->supervisor() != nullptr ? c->supervisor()->books() : c->books();
  return sum;
}

std::string supervisor_core::path_of(std::string_view child) const {
  if (child.empty())
    return {};
  return self_->parent() == nullptr ? std::string{child} : self_->name() + "/" + std::string{child};
}

// -- decisions ---------------------------------------------------------------------------------------------------------

void supervisor_core::on_report(const child_report& r) {
  switch (phase_) {
    case phase::running:
      switch (r.what) {
        case child_report::failed:
        case child_report::failed_to_start:
        case child_report::ended: return on_failure(r.child, r.what, r.why, r.message_type);
        case child_report::revived: return on_revived(r.child);
        case child_report::halted: return order(r.child, &cell::order_revive); // later than the sequence waited for it
        case child_report::gone: return;
      }
      return;
    case phase::regrouping:
    case phase::halting:
    case phase::reviving: return on_sequence_report(r);
    case phase::halted: return; // it will be revived, or stopped, with the others
    case phase::stopping:
      if (r.what == child_report::gone)
        stop_next();
      return;
  }
}

child_record& supervisor_core::record_of(cell& child) {
  if (child.record == nullptr) {
    const auto& spec = child.options().spec;
    child.record.reset(new child_record{restart_budget{spec.intensity.value_or(options_.intensity),
                                                       spec.period.value_or(options_.period)},
                                        backoff{}});
  }
  return *child.record;
}

void supervisor_core::on_failure(cell& child, child_report::kind what, const std::exception_ptr& why,
                                 const std::string& message_type) {
  const auto& spec = child.options().spec;
  const bool ended = what == child_report::ended;
  const auto text = ended ? std::string{"ended itself"} : describe(why);
  if (!ended)
    publish(supervision_event::kind::failed, child, text, message_type);
  const child_exit exit{.restart = spec.restart, .reason = ended ? exit_reason::normal : exit_reason::failure};
  restart_terms terms;
  auto& record = record_of(child);
  if (needs_restart(exit)) {
    const auto now = core_.now();
    terms.child_budget_exceeded = record.budget.charge(now);
    terms.group_budget_exceeded = group_budget_.charge(now);
    terms.delay = record.pause.failed(now, spec.backoff.value_or(options_.backoff), core_.through.random->unit());
  }
  switch (decide(exit, terms)) {
    case decision::none: return;
    case decision::resume: return order(child, &cell::order_resume);
    case decision::restart:
    case decision::restart_after_delay:
      if (options_.strategy == one_for_one || options_.strategy == dynamic)
        return restart(child, terms.delay);
      return regroup(child, terms.delay);
    case decision::stop_child: return order(child, &cell::order_stop);
    case decision::escalate:
      publish(supervision_event::kind::gave_up, child, text, message_type, record.pause.restarts());
      if (self_->parent() != nullptr)
        return escalate(why);
      // Nobody above the root: the child ends here, and the system is told.
      order(child, &cell::order_stop);
      core_.gave_up(child.name() + ": " + text);
      return;
  }
}

void supervisor_core::on_revived(cell& child) {
  core_.restarts.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  auto& record = record_of(child);
  record.pause.started(core_.now());
  publish(supervision_event::kind::restarted, child, {}, {}, record.pause.restarts());
}

void supervisor_core::restart(cell& child, std::chrono::milliseconds delay) {
  if (delay.count() == 0)
    return order(child, &cell::order_revive);
  child.retain();
  after(delay, [this, c = &child] {
    if (phase_ == phase::running)
      order(*c, &cell::order_revive);
    c->release();
  });
}

void supervisor_core::regroup(cell& child, std::chrono::milliseconds delay) {
  auto all = children();
  std::vector<restart_type> types;
  types.reserve(all.size());
  for (auto* c : all)
    types.push_back(c->options().spec.restart);
  const auto failed = static_cast<std::size_t>(std::ranges::find(all, &child) - all.begin());
  if (failed < all.size()) {
    const auto plan = plan_restart(options_.strategy, failed, types);
    for (auto i : plan.halt)
      to_halt_.push_back(all[i]);
    for (auto i : plan.revive)
      to_revive_.push_back(all[i]);
    for (auto* c : to_halt_)
      c->retain();
    for (auto* c : to_revive_)
      c->retain();
  }
  for (auto* c : all)
    c->release();
  phase_ = phase::regrouping;
  pause_ = delay;
  at_ = 0;
  halting_part_ = true;
  set_watching(true);
  order_next();
}

void supervisor_core::escalate(std::exception_ptr why) {
  core_.escalations.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  publish(supervision_event::kind::escalated, *self_, describe(why));
  escalating_ = std::move(why);
  halt_all();
}

void supervisor_core::after(std::chrono::milliseconds delay, std::function<void()> f) {
  auto* t = new callback_timer{std::move(f)};
  t->start(*self_, core_.now() + delay, {}, {});
  t->release();
}

// -- sequences ---------------------------------------------------------------------------------------------------------

void supervisor_core::halt_all() {
  clear_sequence();
  to_halt_ = children();
  std::ranges::reverse(to_halt_);
  phase_ = phase::halting;
  set_watching(true);
  order_next();
}

void supervisor_core::order_next() {
  auto& part = halting_part_ ? to_halt_ : to_revive_;
  while (at_ < part.size() && part[at_]->lifecycle() == cell::state::stopped)
    ++at_;
  if (at_ == part.size()) {
    if (!halting_part_ || to_revive_.empty())
      return finish_sequence();
    halting_part_ = false;
    at_ = 0;
    if (pause_.count() == 0)
      return order_next();
    return after(std::exchange(pause_, {}), [this, round = ++round_] {
      if (round == round_)
        order_next();
    });
  }
  auto& child = *part[at_];
  const auto round = ++round_;
  if (!halting_part_)
    return order(child, &cell::order_revive);
  // A temporary child is not revived: it ends here.
  order(child, child.options().spec.restart == temporary ? &cell::order_stop : &cell::order_halt);
  if (child.supervisor() != nullptr)
    return; // takes as long as its own children do
  after(std::max(child.options().spec.shutdown, std::chrono::milliseconds{1}), [this, round] {
    if (round != round_)
      return;
    publish(supervision_event::kind::stuck, *to_halt_[at_], "is still in a handler");
    advance();
  });
}

void supervisor_core::advance() {
  ++at_;
  order_next();
}

void supervisor_core::on_sequence_report(const child_report& r) {
  auto& part = halting_part_ ? to_halt_ : to_revive_;
  const bool awaited = at_ < part.size() && part[at_] == &r.child;
  if (awaited && halting_part_) {
    if (r.what == child_report::halted || r.what == child_report::gone)
      advance();
    return; // a failure on the way down: the halt follows
  }
  if (awaited && r.what == child_report::gone)
    return advance();
  if (awaited && r.what == child_report::revived) {
    on_revived(r.child);
    return advance();
  }
  if (awaited && r.what == child_report::failed_to_start) {
    auto& record = record_of(r.child);
    const auto now = core_.now();
    const bool child_spent = record.budget.charge(now);
    const bool group_spent = group_budget_.charge(now);
    const auto delay = record.pause.failed(now, r.child.options().spec.backoff.value_or(options_.backoff),
                                           core_.through.random->unit());
    publish(supervision_event::kind::failed, r.child, describe(r.why));
    if (child_spent || group_spent) {
      publish(supervision_event::kind::gave_up, r.child, describe(r.why), {}, record.pause.restarts());
      return escalate(r.why);
    }
    // Never in a loop on this turn: orders to stop must get through between two attempts.
    return after(std::max(delay, std::chrono::milliseconds{1}), [this, round = ++round_] {
      if (round == round_)
        order_next();
    });
  }
  const bool down = r.what == child_report::failed || r.what == child_report::failed_to_start
                    || r.what == child_report::ended;
  if (!down || phase_ == phase::halting)
    return;
  // A member of the group that is still to be halted or revived comes back with it; all others wait their turn.
  const bool coming = halting_part_ ? std::ranges::find(to_revive_, &r.child) != to_revive_.end()
                                    : std::find(to_revive_.begin() + static_cast<std::ptrdiff_t>(at_), to_revive_.end(), &r.child) != to_revive_.end();
  if (coming)
    return;
  r.child.retain();
  deferred_.push_back({&r.child, r.what, r.why, r.message_type});
}

void supervisor_core::finish_sequence() {
  const auto was = phase_;
  clear_sequence();
  set_watching(false);
  if (was == phase::halting) {
    phase_ = phase::halted;
    if (escalating_)
      self_->fail_supervisor(std::exchange(escalating_, nullptr));
    else
      self_->halted_supervisor();
    return;
  }
  phase_ = phase::running;
  if (was == phase::reviving)
    self_->revived_supervisor();
  // Failures that had to wait; one of them may begin the next sequence.
  while (phase_ == phase::running && !deferred_.empty()) {
    auto d = std::move(deferred_.front());
    deferred_.pop_front();
    on_failure(*d.child, d.what, d.why, d.message_type);
    d.child->release();
  }
}

void supervisor_core::clear_sequence() noexcept {
  ++round_;
  for (auto* c : to_halt_)
    c->release();
  for (auto* c : to_revive_)
    c->release();
  to_halt_.clear();
  to_revive_.clear();
  at_ = 0;
  halting_part_ = true;
  pause_ = {};
}

void supervisor_core::on_order(supervisor_order o) {
  switch (o) {
    case supervisor_order::halt:
      if (phase_ == phase::halted)
        return self_->halted_supervisor();
      if (phase_ == phase::stopping || phase_ == phase::halting)
        return;
      self_->suspend_supervisor();
      return halt_all();
    case supervisor_order::revive:
      if (phase_ != phase::halted)
        return;
      group_budget_.clear();
      to_revive_ = children();
      halting_part_ = false;
      phase_ = phase::reviving;
      set_watching(true);
      return order_next();
    case supervisor_order::stop: return begin_stop(false);
    case supervisor_order::kill: return begin_stop(true);
  }
}

// -- the end -----------------------------------------------------------------------------------------------------------

void supervisor_core::begin_stop(bool kill) {
  if (phase_ == phase::stopping && (stop_kills_ || !kill))
    return;
  const bool first_time = phase_ != phase::stopping;
  stop_kills_ = kill;
  phase_ = phase::stopping;
  clear_sequence();
  for (auto& d : deferred_)
    d.child->release();
  deferred_.clear();
  {
    std::unique_lock guard{mutex_};
    accepting_ = false;
    watching_ = true;
  }
  if (first_time) {
    to_stop_ = children();
    std::ranges::reverse(to_stop_);
  }
  if (options_.strategy == dynamic || kill) {
    auto longest = std::chrono::milliseconds{0};
    bool supervisors = false;
    for (auto* c : to_stop_) {
      const auto shutdown = c->options().spec.shutdown;
      order(*c, kill || shutdown.count() == 0 ? &cell::order_kill : &cell::order_stop);
      longest = std::max(longest, shutdown);
      supervisors = supervisors || c->supervisor() != nullptr;
    }
    if (!supervisors)
      after(kill ? kill_time : longest, [this, kill, round = round_] {
        if (round == round_)
          on_stop_timeout(kill);
      });
  }
  stop_next();
}

void supervisor_core::stop_next() {
  if (options_.strategy == dynamic || stop_kills_) {
    if (size() == 0)
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
  auto& child = *to_stop_[at_];
  const auto shutdown = child.options().spec.shutdown;
  const bool kill = shutdown.count() == 0;
  order(child, kill ? &cell::order_kill : &cell::order_stop);
  if (child.supervisor() == nullptr)
    after(kill ? kill_time : shutdown, [this, kill, round = ++round_] {
      if (round == round_)
        on_stop_timeout(kill);
    });
}

void supervisor_core::on_stop_timeout(bool killed) {
  if (options_.strategy == dynamic || stop_kills_) {
    auto left = children();
    for (auto* c : left) {
      if (killed)
        publish(supervision_event::kind::stuck, *c, "is still in a handler");
      else
        order(*c, &cell::order_kill);
      c->release();
    }
    if (killed)
      return finish_stop();
  } else {
    auto& child = *to_stop_[at_];
    if (killed) {
      publish(supervision_event::kind::stuck, child, "is still in a handler");
      ++at_;
      told_ = false;
      return stop_next();
    }
    order(child, &cell::order_kill);
  }
  after(kill_time, [this, round = ++round_] {
    if (round == round_)
      on_stop_timeout(true);
  });
}

void supervisor_core::finish_stop() {
  for (auto* c : std::exchange(to_stop_, {}))
    c->release();
  ++round_;
  {
    std::unique_lock guard{mutex_};
    watching_ = false;
    if (size_ != 0) { // stuck in handlers: they need this core when they come out
      abandoned_ = true;
      for (std::size_t i = 0; i < size_; ++i)
        self_->retain();
    }
  }
  self_->stop_now(stop_kills_ ? exit_reason::killed : exit_reason::shutdown, false);
}

void supervisor_core::set_watching(bool watching) {
  std::unique_lock guard{mutex_};
  watching_ = watching;
}

void supervisor_core::publish(supervision_event::kind what, const cell& child, std::string why,
                              std::string message_type, unsigned attempt, std::chrono::milliseconds delay) const {
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

} // namespace troupe::detail
