// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cpu_quota.hpp>
#include <troupe/engine/scheduler.hpp>

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace troupe::engine {

namespace {

unsigned worker_count(unsigned wanted) {
  return std::clamp(wanted != 0 ? wanted : cpu_quota(), 1u, parking::workers_max);
}

} // namespace

std::jthread make_thread(std::string name, std::function<void()> body) {
  return std::jthread{[name = name.substr(0, 15), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    body();
  }};
}

scheduler::scheduler(scheduler_options options, thread_starter threads)
    : thread_starter_{threads ? std::move(threads) : thread_starter{make_thread}},
      workers_{worker_count(options.workers)}, // once: the quota may change
      crew_{.owner = this,
            .spin = options.spin,
            .nap = options.nap,
            .nap_max = std::max(options.nap, options.nap_max),
            .barriers = thread_barrier::enable(),
            .hot_turns_max = std::max(options.hot_turns_max, 1u),
            .injector_interval = std::max(options.injector_interval, 1u),
            .workers = {},
            .outside = injector{},
            .lot = parking{workers_, std::min(options.spare_workers, parking::workers_max - workers_)}} {
  const auto seats = workers_ + std::min(options.spare_workers, parking::workers_max - workers_);
  crew_.seated = workers_;
  for (unsigned i = 0; i < seats; ++i)
    crew_.workers.push_back(std::make_unique<worker>(crew_, i, seats, options.seed));
  for (unsigned i = seats; i-- > workers_;)
    spare_.push_back(i);
}

scheduler::~scheduler() { stop(); }

void scheduler::start() {
  const std::scoped_lock lock{mutex_};
  if (std::exchange(started_, true))
    return;
  try {
    for (unsigned i = 0; i < workers_; ++i)
      start_thread(*crew_.workers[i]);
  } catch (...) {
    crew_.stopping.store(true);
    crew_.lot.wake_all();
    threads_.clear();
    throw;
  }
}

void scheduler::start_thread(worker& w) {
  threads_.push_back(thread_starter_("worker-" + std::to_string(w.index()), [this, &w] {
    if (w.work()) { // replaced
      const std::scoped_lock lock{spare_mutex_};
      spare_.push_back(w.index());
    }
    const std::scoped_lock ended{ended_mutex_};
    ended_.push_back(std::this_thread::get_id());
    ended_changed_.notify_all();
  }));
}

/// A thread keeps its stack until it is joined. Requires the lock of mutex_.
void scheduler::join_ended() {
  std::vector<std::thread::id> ended;
  {
    const std::scoped_lock lock{ended_mutex_};
    ended.swap(ended_);
  }
  std::erase_if(threads_, [&](const std::jthread& t) { return std::ranges::find(ended, t.get_id()) != ended.end(); });
}

bool scheduler::compensate(unsigned stuck) {
  const std::unique_lock lock{mutex_, std::try_to_lock}; // who stops waits for this very worker
  if (!lock || crew_.stopping.load() || !started_)
    return false;
  unsigned seat = 0;
  {
    const std::scoped_lock spares{spare_mutex_};
    if (spare_.empty())
      return false;
    seat = spare_.back();
    spare_.pop_back();
  }
  if (!crew_.workers[stuck]->replace()) {
    give_back(seat);
    return true; // it has its successor already
  }
  join_ended();
  auto& w = *crew_.workers[seat];
  w.enlist();
  try {
    start_thread(w);
  } catch (...) {
    w.resign();
    crew_.workers[stuck]->keep();
    give_back(seat);
    return false;
  }
  return true;
}

void scheduler::give_back(unsigned seat) {
  const std::scoped_lock lock{spare_mutex_};
  spare_.push_back(seat);
}

// Stop protocol:
// - *raise*: store `stopping` in default order.
// - *wake*: take everybody who is parked; they find `stopping` and leave.
// - *catch up*: a worker that announces itself after that loads `stopping` next, in default order, and wakes everybody
//   again, itself included. Without it: it looks at `stopping`, then we raise and wake, then it announces and sleeps.
// - *join*.
void scheduler::stop() {
  const std::scoped_lock lock{mutex_};
  started_ = true; // no start after stop
  crew_.stopping.store(true);
  crew_.lot.wake_all();
  threads_.clear(); // joins
}

bool scheduler::stop_within(std::chrono::nanoseconds timeout) {
  const std::scoped_lock lock{mutex_};
  started_ = true;
  crew_.stopping.store(true);
  crew_.lot.wake_all();
  {
    std::unique_lock ended{ended_mutex_};
    if (!ended_changed_.wait_for(ended, timeout, [this] { return ended_.size() == threads_.size(); })) {
      for (auto& t : threads_)
        t.detach();
      threads_.clear();
      return false;
    }
  }
  threads_.clear(); // joins
  return true;
}

std::vector<runnable*> scheduler::drain() {
  const std::scoped_lock lock{mutex_};
  std::vector<runnable*> rest;
  for (auto& w : crew_.workers)
    w->drain_to(rest);
  while (auto* r = crew_.outside.pop())
    rest.push_back(r);
  return rest;
}

void scheduler::submit(runnable& r) noexcept {
  auto* here = worker::current();
  if (here != nullptr && here->owner() == this) {
    here->submit(r);
    return;
  }
  crew_.outside.push(r);
  crew_.lot.work_queued();
}

void scheduler::submit_fair(runnable& r) noexcept {
  auto* here = worker::current();
  if (here != nullptr && here->owner() == this) {
    here->submit_fair(r);
    return;
  }
  crew_.outside.push(r);
  crew_.lot.work_queued();
}

std::vector<worker_statistics> scheduler::statistics() const {
  std::vector<worker_statistics> all;
  for (unsigned i = 0; i < crew_.seated.load(); ++i) // not of spare ones that never were at work
    all.push_back(crew_.workers[i]->statistics());
  return all;
}

} // namespace troupe::engine
