// SPDX-License-Identifier: BSD-3-Clause
// The part of a supervisor that gives orders to children one after the other: group restarts, halts, revivals, the
// stop.
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/supervisor_core.hpp>

#include <algorithm>
#include <utility>

namespace troupe::detail {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kill_time{1'000}; // a killed child that is not gone by then is stuck in a handler

bool contains(const std::vector<cell_pointer>& cells, const cell& c) {
  return std::ranges::any_of(cells, [&](const cell_pointer& p) { return p.get() == &c; });
}

} // namespace

// -- sequences --------------------------------------------------------------------------------------------------------

/// All but those that were stopped by name; the end of each is noticed from now on.
std::vector<cell_pointer> supervisor_core::in_service() {
  auto all = children_.all_noticed();
  std::erase_if(all, [](const cell_pointer& c) { return c->is_out(); });
  return all;
}

void supervisor_core::regroup(cell& child, nanoseconds delay) {
  const auto all = in_service();
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
  to_halt_ = in_service();
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
      if (pausing_) {
        refuse_asks_of(0);
        return await(pause_, [this] {
          pausing_ = false;
          order_next();
        });
      }
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
      order(child, child.options().spec.restart == temporary ? &cell::order_stop : halting_order_);
      if (child.supervisor() != nullptr)
        return; // takes as long as its own children do
      const auto shutdown = child.options().spec.shutdown;
      return await(shutdown.count() != 0 ? shutdown : kill_time, [this] {
        publish(supervision_event::kind::stuck, *to_halt_[at_], "is still in a handler");
        if (served_)
          served_outcome_ = error{errc::timed_out, to_halt_[at_]->name() + " is still in a handler"};
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

void supervisor_core::on_sequence_news(cell& child, child_report::kind what, const std::exception_ptr& why) {
  const auto& part = halting_part_ ? to_halt_ : to_revive_;
  if (at_ < part.size() && part[at_].get() == &child && !pausing_) {
    if (what == child_report::gone || what == (halting_part_ ? child_report::halted : child_report::revived))
      return advance();
    // A plain child fails after it has reported `revived`, and then is not the awaited one; a supervisor may fail
    // before.
    if (!halting_part_ &&
        (what == child_report::failed_to_start || (what == child_report::failed && child.supervisor() != nullptr))) {
      if (served_) { // a restart by name that fails: the child stays where it is
        served_outcome_ = error{errc::failed, describe(why)};
        return advance();
      }
      switch (judge(child, what, why)) {
        case decision::escalate: return give_up(child, why);
        case decision::restart:
        case decision::restart_after_delay: return retry(child.record->delay);
        default: return order(child, &cell::order_stop);
      }
    }
  }
  // A member that is still to be halted or revived comes back with its group; all others wait their turn.
  if (is_down(what) && !comes_back(child) && !child.is_out())
    deferred_.push_back({cell_pointer{child}, what, why});
}

/// Never in a loop on this turn: orders to stop must get through between two attempts.
void supervisor_core::retry(nanoseconds delay) {
  refuse_asks_of(at_);
  await(delay.count() != 0 ? delay : milliseconds{1}, [this] { order_next(); });
}

/// Of those that wait to be revived, from the `first` on.
void supervisor_core::refuse_asks_of(std::size_t first) {
  for (auto i = first; i < to_revive_.size(); ++i)
    if (to_revive_[i]->options().spec.refuse_asks_in_backoff)
      to_revive_[i]->refuse_asks();
}

void supervisor_core::finish_sequence() {
  const auto was = phase_;
  children_.notice(false);
  end_request();
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
  while (phase_ == phase::running && !requests_.empty()) {
    auto r = std::move(requests_.front());
    requests_.pop_front();
    serve(std::move(r));
  }
  if (auto_stop_ && phase_ == phase::running)
    begin_stop(false);
}

void supervisor_core::clear_sequence() {
  if (served_)
    served_outcome_ = error{errc::restarted, name() + " was halted meanwhile"};
  end_request();
  end_await();
  ++sequence_;
  to_halt_.clear();
  to_revive_.clear();
  stuck_.clear();
  at_ = 0;
  halting_part_ = true;
  halting_order_ = &cell::order_halt;
  pause_ = {};
  pausing_ = false;
}

// -- children by name -------------------------------------------------------------------------------------------------

void supervisor_core::on_request(child_request r) {
  if (phase_ == phase::stopping)
    return; // the request's end says so
  if (phase_ == phase::running)
    return serve(std::move(r));
  requests_.push_back(std::move(r));
}

void supervisor_core::serve(child_request r) {
  auto* found = core_.names.find(r.path);
  cell_pointer child;
  if (found != nullptr) {
    child = cell_pointer{*found};
    found->release();
  }
  if (found == nullptr || child->parent() != this || child->lifecycle() >= cell::state::stopping)
    return r.end(error{errc::not_found, name() + " has no child " + r.path});
  if (child->is_out() && r.what == child_request::stop)
    return r.end({});
  if (!child->is_out() && r.what != child_request::stop)
    return r.end(error{errc::not_stopped, r.path + " is not stopped"});
  clear_sequence();
  if (!children_.notice(*child)) {
    children_.notice(false);
    return r.end(error{errc::not_found, r.path + " has just stopped"});
  }
  phase_ = phase::regrouping;
  std::erase_if(deferred_, [&](const deferred_report& d) { return d.child.get() == child.get(); });
  child->record.reset(); // past failures, and the timer of a restart, are void
  switch (r.what) {
    case child_request::stop:
      to_halt_.push_back(child);
      halting_order_ = &cell::order_shelve;
      break;
    case child_request::remove:
      to_halt_.push_back(child);
      halting_order_ = &cell::order_stop;
      break;
    case child_request::restart:
      to_revive_.push_back(child);
      child->in_sequence = sequence_;
      break;
  }
  served_.emplace(std::move(r));
  served_outcome_ = {};
  order_next();
}

/// The sequence that served a request is over.
void supervisor_core::end_request() {
  if (!served_)
    return;
  auto r = std::move(*served_);
  served_.reset();
  r.end(served_outcome_);
}

void supervisor_core::on_order(supervisor_order o) {
  if (has_ended())
    return;
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

// -- the end ----------------------------------------------------------------------------------------------------------

void supervisor_core::begin_stop(bool kill) {
  const bool first_time = phase_ != phase::stopping;
  if (!first_time && (stop_kills_ || !kill))
    return;
  stop_kills_ = kill;
  served_.reset(); // which tells that the supervisor is stopping
  clear_sequence();
  if (first_time) {
    phase_ = phase::stopping;
    deferred_.clear();
    requests_.clear();
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
  requests_.clear();
  if (self_->parent() != nullptr)
    children_.move_to(core_.root->children_, *self_);
  self_->stop_now(stop_kills_       ? exit_reason::killed
                  : self_->failed() ? exit_reason::failure
                                    : exit_reason::shutdown,
                  false);
}

} // namespace troupe::detail
