// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/timer_service.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <ctime>
#include <limits>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// How the thread goes to sleep and no deadline is slept through.
///
/// Steps of the thread:
///   *answer*  doorbell_ becomes `awake`.
///   *pass*    each shard in turn, under its lock: fire what is due, note the earliest deadline left.
///   *tell*    if that differs from next_wake_, store it there and start again at *answer*.
///   *lie down* doorbell_ from `awake` to `sleeping`, and wait on it until next_wake_ (see `grain`). If it has been
///             rung, start again.
/// Steps of arm:
///   *put*     under the shard's lock, add the node, and compare its deadline with next_wake_.
///   *ring*    if it is earlier: doorbell_ becomes `rung`, and if it was `sleeping`, wake the thread.
///
/// The thread lies down only after a pass that began after next_wake_ got its value and found just this value. For
/// each shard, *put* comes before or after the visit of that pass, by the shard's lock. Before: the visit saw the node.
/// After: the lock also makes next_wake_ visible to *put*, which rings if that is needed. Were next_wake_ stored after
/// the pass instead, a node put behind the thread's back would be compared with the old value and slept through.
///
/// doorbell_ | who may act                                                   | next
/// awake     | the thread: answer, pass, tell; anyone: ring                  | sleeping, rung
/// sleeping  | anyone: ring, and then wakes the thread; the thread: time out | rung, awake
/// rung      | the thread: answer                                            | awake

namespace troupe::engine {

namespace {

enum : std::uint32_t { awake, sleeping, rung };

/// Timers of one shard that are fired before the next shard has its turn.
constexpr std::size_t turn_length = 256;

/// After it has fired timers, the thread sleeps at least this long. A timer on its own is fired at its time; of dense
/// ones, those due in such a span share one wake-up, which costs some 10 us, far more than firing.
constexpr std::chrono::microseconds grain{300};

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "a futex is a plain 32-bit word");

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec* timeout) noexcept {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, expected, timeout, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

} // namespace

timer_service::timer_service(const clock& time, thread_factory& threads, unsigned shards)
    : shard_count_{std::clamp(shards, 1u, 65'535u)}, shards_{std::make_unique<shard[]>(shard_count_)}, time_{&time},
      next_wake_{time_point::max()} {
  thread_ = threads.start("troupe.timers", [this] { run(); });
}

timer_service::timer_service(stepped_t)
    : shard_count_{1}, shards_{std::make_unique<shard[]>(1)}, time_{nullptr}, next_wake_{time_point::min()} {}

timer_service::~timer_service() { stop(); }

void timer_service::stop() noexcept {
  if (!thread_.joinable())
    return;
  stopping_.store(true);
  wake();
  thread_.join();
  next_wake_.store(time_point::min()); // spares those who still arm the ring
}

time_point timer_service::next_deadline() const noexcept {
  auto earliest = time_point::max();
  for (unsigned i = 0; i < shard_count_; ++i) {
    const std::lock_guard guard{shards_[i].mutex};
    earliest = std::min(earliest, shards_[i].queue.first());
  }
  return earliest;
}

std::size_t timer_service::size() const noexcept {
  std::size_t sum = 0;
  for (unsigned i = 0; i < shard_count_; ++i) {
    const std::lock_guard guard{shards_[i].mutex};
    sum += shards_[i].queue.size();
  }
  return sum;
}

std::size_t timer_service::run_due(time_point now) noexcept {
  assert(time_ == nullptr && "run_due is for the stepped mode");
  std::size_t fired = 0;
  fire_due(shards_[0], now, std::numeric_limits<std::size_t>::max(), fired);
  return fired;
}

time_point timer_service::fire_due(shard& s, time_point now, std::size_t most, std::size_t& fired) noexcept {
  for (;;) {
    timer_node* node = nullptr;
    {
      const std::lock_guard guard{s.mutex};
      if (most == 0 || (node = s.queue.pop_due(now)) == nullptr)
        return s.queue.first();
    }
    --most;
    ++fired;
    node->fire(*node); // from here on the node may be gone
  }
}

void timer_service::wake() noexcept {
  if (doorbell_.exchange(rung) == sleeping)
    futex_wake(doorbell_);
}

void timer_service::run() noexcept {
  // The kernel may delay a sleeper by its slack, 50 us by default. 1 ns is the least that can be set.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  auto rested = time_point::min(); // not to sleep for less than until then
  for (;;) {
    doorbell_.exchange(awake);
    if (stopping_.load())
      return;
    const auto now = time_->now();
    auto earliest = time_point::max();
    std::size_t fired = 0;
    for (unsigned i = 0; i < shard_count_ && !stopping_.load(std::memory_order_relaxed); ++i) // relaxed: a hint
      earliest = std::min(earliest, fire_due(shards_[i], now, turn_length, fired));
    if (fired > 0)
      rested = now + grain;
    if (earliest == next_wake_.load(std::memory_order_relaxed) && fired == 0) // relaxed: only this thread writes it
      sleep_until(std::max(earliest, rested));
    else
      next_wake_.store(earliest, std::memory_order_relaxed); // relaxed: ordered by the locks of the next pass
  }
}

void timer_service::sleep_until(time_point at) noexcept {
  using std::chrono::nanoseconds;
  timespec timeout{};
  const bool endless = at == time_point::max();
  if (!endless) {
    const auto left = at - time_->now(); // relative, because `time_` need not count from where the kernel does
    if (left <= nanoseconds::zero())
      return;
    timeout.tv_sec = static_cast<std::time_t>(left.count() / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
  }
  auto expected = std::uint32_t{awake};
  if (doorbell_.compare_exchange_strong(expected, sleeping))
    futex_wait(doorbell_, sleeping, endless ? nullptr : &timeout);
}

} // namespace troupe::engine
