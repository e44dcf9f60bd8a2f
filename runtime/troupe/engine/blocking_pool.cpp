// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/blocking_pool.hpp>
#include <troupe/engine/scheduler.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::engine {

/// | thread   | may be    | next                                             |
/// |----------|-----------|--------------------------------------------------|
/// | starting | in submit | running: the task that started it is queued      |
/// | running  |           | idle, or gone if stopping                        |
/// | idle     | waiting   | running, or gone after `idle` or when stopping   |
/// | gone     |           | its std::jthread is joined by the next caller    |
///
/// A thread leaves by moving its own std::jthread from `threads_` to `gone_`: a thread cannot join itself.
struct blocking_pool::state : std::enable_shared_from_this<state> {
  using task = std::function<void()>;
  using thread_list = std::list<std::jthread>;

  /// A task in the stepped mode.
  struct turn final : runnable {
    turn(state& s, task t) : owner{s}, what{std::move(t)} {}
    run_result run() noexcept override {
      const auto next = std::move(what);
      const bool wanted = !owner.stopping;
      owner.turns.erase(self); // this object is gone
      if (wanted)
        next();
      return run_result::idle;
    }
    state& owner;
    task what;
    std::list<turn>::iterator self{};
  };

  state(blocking_pool_options given, thread_starter factory)
      : options{given}, make{factory ? std::move(factory) : thread_starter{make_thread}} {
    options.threads_max = std::max(options.threads_max, 1u);
  }

  /// A thread's body.
  void serve(thread_list::iterator self) noexcept {
    std::unique_lock lock{mutex};
    for (;;) {
      ++idle;
      const bool awake = wake.wait_for(lock, options.idle, [&] { return stopping || !queue.empty(); });
      --idle;
      if (stopping || !awake)
        break;
      auto next = std::move(queue.front());
      queue.pop_front();
      ++running;
      lock.unlock();
      next();
      next = nullptr; // destroys what the task holds outside the lock
      lock.lock();
      --running;
    }
    if (!abandoned)
      gone.splice(gone.end(), threads, self);
    --alive;
    lock.unlock();
    left.notify_all();
  }

  // -- immutable after construction --
  blocking_pool_options options;
  const thread_starter make;

  // -- guarded by mutex --
  mutable std::mutex mutex;     // held while a thread is started, so that the thread finds its own std::jthread
  std::condition_variable wake; // idle threads
  std::condition_variable left; // stop()
  std::deque<task> queue;
  thread_list threads;
  thread_list gone; // to be joined; they hold no lock and run no task any more
  std::size_t alive = 0;
  std::size_t idle = 0;
  std::size_t running = 0;
  bool stopping = false;
  bool abandoned = false; // stop() gave up: the std::jthreads are detached

  // -- stepped mode --
  executor* steps = nullptr;
  std::list<turn> turns;
};

blocking_pool::blocking_pool(blocking_pool_options options, thread_starter threads)
    : state_{std::make_shared<state>(options, std::move(threads))} {}

blocking_pool::blocking_pool(executor& steps)
    : state_{std::make_shared<state>(blocking_pool_options{}, thread_starter{})} {
  state_->steps = &steps;
}

blocking_pool::~blocking_pool() {
  bool abandoned;
  {
    const std::scoped_lock lock{state_->mutex};
    abandoned = state_->abandoned;
  }
  if (!abandoned)
    stop(std::chrono::steady_clock::time_point::max());
}

bool blocking_pool::submit(std::function<void()> task) {
  state::thread_list gone; // joined after the lock is released
  const std::scoped_lock lock{state_->mutex};
  auto& s = *state_;
  gone.swap(s.gone);
  if (s.stopping)
    return false;
  if (s.steps != nullptr) {
    const auto added = s.turns.emplace(s.turns.end(), s, std::move(task));
    added->self = added;
    s.steps->submit(*added);
    return true;
  }
  const auto unclaimed = s.idle - std::min(s.idle, s.queue.size()); // idle threads without a queued task
  const bool may_start = unclaimed == 0 && s.alive < s.options.threads_max;
  if (unclaimed == 0 && !may_start && s.queue.size() >= s.options.queue_max)
    return false;
  s.queue.push_back(std::move(task));
  if (may_start) {
    const auto self = s.threads.emplace(s.threads.end());
    ++s.alive;
    try {
      *self = s.make("blocking-" + std::to_string(s.alive), [shared = state_, self] { shared->serve(self); });
    } catch (...) {
      s.threads.erase(self);
      if (--s.alive == 0) {               // nobody would ever run it
        task = std::move(s.queue.back()); // destroyed by the caller, outside the lock
        s.queue.pop_back();
        return false;
      }
    }
  }
  s.wake.notify_one();
  return true;
}

std::size_t blocking_pool::stop(std::chrono::steady_clock::time_point deadline) {
  state::thread_list gone;                   // joined after the lock is released
  std::deque<std::function<void()>> dropped; // destroyed after the lock is released
  std::unique_lock lock{state_->mutex};
  auto& s = *state_;
  s.stopping = true;
  if (s.steps != nullptr)
    return 0;
  dropped.swap(s.queue);
  s.wake.notify_all();
  const auto ended = [&s] { return s.alive == 0; };
  if (deadline == std::chrono::steady_clock::time_point::max())
    s.left.wait(lock, ended); // wait_until would add the clocks' difference and overflow
  else
    s.left.wait_until(lock, deadline, ended);
  gone.swap(s.gone);
  if (s.alive != 0 && !std::exchange(s.abandoned, true))
    for (auto& thread : s.threads)
      thread.detach();
  return s.running;
}

std::size_t blocking_pool::queued() const {
  const std::scoped_lock lock{state_->mutex};
  return state_->queue.size();
}

std::size_t blocking_pool::running() const {
  const std::scoped_lock lock{state_->mutex};
  return state_->running;
}

std::size_t blocking_pool::threads() const {
  const std::scoped_lock lock{state_->mutex};
  return state_->alive;
}

} // namespace troupe::engine
