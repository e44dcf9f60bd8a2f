// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/handler_watch.hpp>
#include <troupe/engine/timer_service.hpp>
#include <troupe/engine/worker.hpp>
#include <troupe/ref.hpp>
#include <troupe/supervision/supervisor_core.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::detail {

namespace {

constexpr auto never = std::numeric_limits<std::int64_t>::max();

} // namespace

handler_watch::handler_watch(const clock& time, engine::timer_service* timers, unsigned workers)
    : time_{time}, timers_{timers}, count_{workers}, posts_{std::make_unique<watch_post[]>(workers)}, next_{never} {
  alarm_.owner = this;
  alarm_.fire = [](engine::timer_node& node) noexcept { static_cast<alarm&>(node).owner->look(); };
}

handler_watch::~handler_watch() {
  if (armed_)
    timers_->disarm(alarm_);
}

watch_post& handler_watch::begin(cell& c, const timed_work& work) {
  const auto* w = engine::worker::current();
  auto& p = timers_ == nullptr ? nested_.emplace_back() : posts_[w != nullptr ? w->index() : 0];
  const auto now = time_.now();
  {
    const std::scoped_lock guard{p.mutex};
    p.at_work = &c;
    p.how = work.how;
    p.began = now;
    p.budget = work.budget;
    p.replaceable = work.replaceable;
    p.parked = p.noticed = p.orphaned = false;
    p.reply = work.reply;
    if (p.reply != nullptr)
      p.reply->share();
  }
  if (timers_ != nullptr && work.budget.count() != 0) {
    // Default order: either `look` sees the post, or this sees that `look` has left nothing armed.
    if ((now + work.budget).time_since_epoch().count() < next_.load())
      arm_for(now + work.budget);
  }
  return p;
}

handler_watch::verdict handler_watch::end(watch_post& p) {
  verdict v;
  reply_slot* reply = nullptr;
  {
    const std::scoped_lock guard{p.mutex};
    v.took = time_.now() - p.began;
    v.overran = !p.noticed && p.budget.count() != 0 && v.took >= p.budget;
    v.orphaned = p.orphaned;
    p.at_work = nullptr;
    p.orphaned = false;
    reply = std::exchange(p.reply, nullptr);
  }
  if (timers_ == nullptr)
    nested_.pop_back();
  if (reply != nullptr)
    reply->release();
  return v;
}

void handler_watch::arm_for(time_point due) {
  const std::scoped_lock guard{mutex_};
  if (due.time_since_epoch().count() >= next_.load())
    return;
  if (armed_ && !timers_->disarm(alarm_))
    return; // it is on its way to look(), which sees the post
  armed_ = true;
  next_.store(due.time_since_epoch().count());
  timers_->arm(alarm_, due, 0);
}

void handler_watch::look() {
  struct overdue {
    cell_pointer who;
    cell_pointer above; // its supervisor must not go meanwhile
    overrun what;
    unsigned worker;
  };
  std::vector<overdue> found;
  {
    const std::scoped_lock guard{mutex_};
    armed_ = false;
    next_.store(never); // before the look: see begin()
    const auto now = time_.now();
    auto next = time_point::max();
    for (unsigned i = 0; i < count_; ++i) {
      auto& p = posts_[i];
      const std::scoped_lock post{p.mutex};
      if (p.at_work == nullptr || p.budget.count() == 0 || p.noticed)
        continue;
      const auto due = p.began + p.budget;
      if (due > now) {
        next = std::min(next, due);
        continue;
      }
      p.noticed = true;
      // It is at work, so the tree still holds it, and its supervisor waits for it.
      found.push_back({cell_pointer{*p.at_work},
                       cell_pointer{p.at_work->parent()->self()},
                       {p.how, now - p.began, p.budget, p.replaceable},
                       i});
    }
    if (next != time_point::max()) {
      armed_ = true;
      next_.store(next.time_since_epoch().count());
      timers_->arm(alarm_, next, 0);
    }
  }
  for (const auto& f : found)
    f.who->note_stuck(f.what, f.worker);
}

bool handler_watch::take_over(cell& c) {
  for (unsigned i = 0; i < count_; ++i) {
    auto& p = posts_[i];
    reply_slot* reply = nullptr;
    {
      const std::scoped_lock guard{p.mutex};
      if (p.at_work != &c || p.orphaned)
        continue;
      if (!p.replaceable || p.parked)
        return false;
      p.orphaned = true;
      c.retain(); // the thread's; end() hands it over
      reply = std::exchange(p.reply, nullptr);
    }
    if (reply != nullptr)
      reply->settle_error(errc::failed, c.name() + " was replaced: its handler exceeded its time budget");
    return true;
  }
  return false;
}

std::vector<handler_watch::orphan> handler_watch::orphans() {
  std::vector<orphan> all;
  const auto now = time_.now();
  for (unsigned i = 0; i < count_; ++i) {
    auto& p = posts_[i];
    const std::scoped_lock guard{p.mutex};
    if (p.at_work == nullptr || !p.orphaned)
      continue;
    p.at_work->retain();
    all.push_back({p.at_work, p.how, now - p.began});
  }
  return all;
}

void turn_guard::enter() noexcept {
  post_->mutex.lock();
  held_ = !post_->orphaned;
  if (!held_)
    post_->mutex.unlock();
}

void turn_guard::enter_or_throw() {
  enter();
  if (!held_)
    throw usage_error{"this handler exceeded its time budget, and its actor was replaced"};
}

} // namespace troupe::detail
