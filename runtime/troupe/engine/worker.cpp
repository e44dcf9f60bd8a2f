// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/worker.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <sys/prctl.h>
#include <utility>

namespace troupe::engine {

namespace {

/// Begins to fetch what a turn touches first.
void fetch(const runnable& r) noexcept {
  constexpr std::size_t bytes = 704; // a cell, and the beginning of the actor's object behind it
  const auto* first = reinterpret_cast<const char*>(&r);
  for (std::size_t line = 0; line < bytes; line += 64)
    __builtin_prefetch(first + line);
}

std::int64_t coarse_now() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace

worker::worker(crew& shared, unsigned index, unsigned workers, std::uint64_t seed)
    : crew_{shared}, index_{index}, until_injector_{shared.injector_interval},
      random_{(seed ^ (index + 1) * 0xbf58476d1ce4e5b9) | 1}, // | 1: xorshift stays at zero for ever
      looks_(workers), hot_{shared.barriers}, lingering_{shared.barriers} {}

bool worker::work() noexcept {
  prctl(PR_SET_TIMERSLACK, 1000UL); // ns; the default of 50 us would triple a nap
  current_ = this;
  detail::trail::use(trails_.data());
  // relaxed, here and below: only ends the loop; a worker that may sleep looks again in default order, see park()
  while (!crew_.stopping.load(std::memory_order_relaxed)) {
    auto* r = search_and_spin();
    if (r != nullptr)
      hand_over();
    else
      r = park();
    if (r == nullptr)
      continue; // woken: still searching
    do
      run_turn(*r);
    while (!replaced_.load(std::memory_order_relaxed) && !crew_.stopping.load(std::memory_order_relaxed) &&
           (r = next()) != nullptr);
    running_.store(nullptr, std::memory_order_relaxed); // relaxed: observers only compare it
    if (replaced_.load(std::memory_order_relaxed)) [[unlikely]] {
      leave();
      end();
      return true;
    }
    crew_.lot.start_search();
  }
  end();
  return false;
}

void worker::end() noexcept {
  current_ = nullptr;
  detail::trail::use(nullptr);
}

/// An active worker goes for good. What is queued with it goes to the others.
void worker::leave() noexcept {
  std::vector<runnable*> rest;
  drain_to(rest);
  for (auto* r : rest)
    crew_.outside.push(*r);
  leftover_ = false;
  replaced_.store(false, std::memory_order_relaxed); // published by the lock over the spare seats
  crew_.lot.resign_active();
  if (!rest.empty())
    crew_.lot.work_queued();
}

void worker::enlist() noexcept {
  auto seated = crew_.seated.load();
  while (seated <= index_ && !crew_.seated.compare_exchange_weak(seated, index_ + 1)) {
  }
  crew_.lot.enlist();
}

void worker::resign() noexcept {
  crew_.lot.resign_searching();
  if (anything_queued()) // somebody may have woken nobody because this worker was searching
    crew_.lot.work_queued();
}

// -- submitting --

void worker::submit_second(runnable& r) noexcept {
  if (auto* first = hot_.put_instead(r)) {
    enqueue(*first);
    crew_.lot.work_queued();
  }
  if (crew_.lot.wants_watch(cold_))
    crew_.lot.call_watch(index_, turns_.load(std::memory_order_relaxed)); // relaxed: this thread writes it
}

void worker::enqueue(runnable& r) noexcept {
  while (!queue_.push(r)) {
    std::array<runnable*, queue::capacity / 2 + 1> batch;
    const auto half = queue_.take_half(std::span{batch}.first<queue::capacity / 2>());
    if (half == 0)
      continue; // thieves made room
    batch[half] = &r;
    crew_.outside.push(std::span{batch}.first(half + 1));
    count(overflows_);
    return;
  }
}

/// A yield does not wake anybody as long as it is this worker's only work: the runnable would move to another worker on
/// every turn. If something else is run before it, `next` makes up for it.
void worker::enqueue_again(runnable& r) noexcept {
  const bool alone = queue_.empty() && !hot_.seems_filled() && !lingering_.seems_filled();
  enqueue(r);
  if (alone)
    leftover_ = true;
  else
    crew_.lot.work_queued();
}

// -- running --

void worker::run_turn(runnable& r) noexcept {
  // relaxed, all three: for observers, which draw conclusions from the number of turns standing still, not from order
  running_.store(&r, std::memory_order_relaxed);
  if (cold_ || turns_.load(std::memory_order_relaxed) % turns_per_look == 0)
    started_.store(coarse_now(), std::memory_order_relaxed);
  count(turns_);
  if (r.run() == run_result::again)
    enqueue_again(r);
}

/// The next runnable of an active worker without looking at the others: partner, queue, injector.
runnable* worker::next() noexcept {
  cold_ = true;
  if (--until_injector_ == 0) {
    until_injector_ = crew_.injector_interval;
    if (auto* r = crew_.outside.pop()) {
      hot_turns_ = 0;
      bool news = std::exchange(leftover_, false);
      if (auto* partner = std::exchange(due_, nullptr)) { // it waits a turn longer, where the watch may take it
        news = news || hot_.seems_filled();
        if (auto* other = hot_.put_instead(*partner))
          enqueue(*other);
      }
      if (news)
        crew_.lot.work_queued();
      return r;
    }
  }
  if (auto* partner = next_partner()) {
    if (++hot_turns_ <= crew_.hot_turns_max || queue_.empty()) {
      cold_ = false;
      return partner;
    }
    enqueue(*partner); // they have had their share: behind the others, which all go first
    if (auto* other = hot_.take())
      enqueue(*other);
    crew_.lot.work_queued();
  }
  hot_turns_ = 0;
  leftover_ = false; // if it is still there it is the oldest and goes now
  if (auto* r = queue_.pop()) {
    if (const auto* coming = queue_.peek())
      fetch(*coming); // during the turn of `r`
    return r;
  }
  if (auto* r = take_outside())
    return r;
  return lingers_ ? next_partner() : nullptr; // partners gave way to others, which thieves have taken
}

/// Who has lingered for a turn, then the hot partner; null only if nobody lingers either.
runnable* worker::next_partner() noexcept {
  if (!lingers_) [[likely]]
    return hot_.take();
  const bool afresh = std::exchange(lingers_afresh_, false);
  if (auto* r = std::exchange(due_, nullptr))
    return r;
  if (afresh)
    if (auto* r = hot_.take())
      return r;
  lingers_ = false;
  if (auto* r = lingering_.take()) // or the watch has taken its partner
    return r;
  return hot_.take();
}

/// Takes a fair share of the injector: one to run, the others into the queue, which is empty.
runnable* worker::take_outside() noexcept {
  const auto waiting = crew_.outside.size();
  if (waiting == 0)
    return nullptr;
  std::array<runnable*, queue::capacity / 2> batch;
  const auto share = std::min(waiting / crew_.seated.load(std::memory_order_relaxed) + 1, batch.size());
  const auto taken = crew_.outside.pop(std::span{batch}.first(share));
  if (taken == 0)
    return nullptr;
  for (std::size_t i = 1; i < taken; ++i)
    enqueue(*batch[i]);
  if (taken > 1)
    crew_.lot.work_queued(); // while they were in our hands a searcher could see them nowhere and go to sleep
  return batch[0];
}

// -- searching --

runnable* worker::search() noexcept {
  if (auto* r = take_outside())
    return r;
  return steal();
}

runnable* worker::search_and_spin() noexcept {
  if (auto* r = search())
    return r;
  if (crew_.spin.count() == 0)
    return nullptr;
  const auto end = std::chrono::steady_clock::now() + crew_.spin;
  do {
    if (auto* r = search())
      return r;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  } while (!crew_.stopping.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < end); // as in work()
  return nullptr;
}

runnable* worker::steal() noexcept {
  const auto others = crew_.seated.load(std::memory_order_relaxed); // relaxed: a new one has nothing to steal yet
  const auto first = random() % others;
  for (std::size_t i = 0; i < others; ++i) {
    auto& victim = *crew_.workers[(first + i) % others];
    if (&victim == this)
      continue;
    unsigned taken = 0;
    if (auto* r = queue_.steal_from(victim.queue_, &taken)) {
      count(steals_);
      count(stolen_, taken);
      return r;
    }
  }
  return nullptr;
}

bool worker::anything_queued() const noexcept {
  return !crew_.outside.empty() ||
         std::any_of(crew_.workers.begin(), crew_.workers.end(), [](auto& w) { return !w->queue_.empty(); });
}

/// Searching to active, see *hand over* in `parking`.
void worker::hand_over() noexcept {
  cold_ = true;
  hot_turns_ = 0;
  if (crew_.lot.end_search() && anything_queued())
    crew_.lot.work_queued();
}

// -- parked --

/// Returns what to run, now active; or null, searching.
runnable* worker::park() noexcept {
  count(parks_);
  const auto posture = crew_.lot.announce(index_);
  // re-check, in default order; stopping is one more thing that may have happened before the announcement
  if (crew_.stopping.load())
    crew_.lot.wake_all();
  else if (anything_queued())
    crew_.lot.work_queued();
  if (posture == parking::posture::on_watch)
    return watch(false);
  return crew_.lot.sleep(index_) == parking::woken::to_watch ? watch(true) : nullptr;
}

/// On watch: takes what waits behind a turn that has not ended since the last look. Returns as `park` does.
runnable* worker::watch(bool called) noexcept {
  auto nap = crew_.nap;
  for (auto& w : crew_.workers)
    looks_[w->index_] = w->turns();
  for (bool first = !called;; first = false) {
    if (called && crew_.lot.caller(index_) < looks_.size()) // the call was the first look at the caller's turn
      looks_[crew_.lot.caller(index_)] = crew_.lot.caller_turn(index_);
    if (!first) {
      if (auto* loot = look_at_turns()) {
        count(steals_);
        count(stolen_);
        cold_ = true;
        hot_turns_ = 0;
        if (!crew_.lot.leave_watch(index_))
          hand_over();
        return loot;
      }
    }
    if (crew_.lot.retire_watch(index_)) {
      if (crew_.lot.sleep(index_) == parking::woken::to_search)
        return nullptr;
      return watch(true);
    }
    count(naps_);
    switch (crew_.lot.nap(index_, nap)) {
      case parking::woken::to_search: return nullptr;
      case parking::woken::to_watch:
        called = true;
        nap = crew_.nap;
        break;
      case parking::woken::by_time:
        called = false;
        nap = std::min(nap * 2, crew_.nap_max);
        if (nap == crew_.nap_max)
          crew_.lot.slow_down(index_);
        break;
    }
  }
}

runnable* worker::look_at_turns() noexcept {
  runnable* loot = nullptr;
  for (auto& victim : crew_.workers) {
    const auto turns = victim->turns();
    const bool stands_still = turns == looks_[victim->index_];
    looks_[victim->index_] = turns;
    if (!stands_still || loot != nullptr || victim.get() == this)
      continue;
    loot = victim->hot_.raid();
    if (loot == nullptr)
      loot = victim->lingering_.raid();
    if (loot == nullptr)
      loot = victim->queue_.pop();
  }
  return loot;
}

// -- the rest --

std::uint64_t worker::random() noexcept {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

void worker::drain_to(std::vector<runnable*>& out) {
  for (auto* r : {std::exchange(due_, nullptr), hot_.take(), lingering_.take()})
    if (r != nullptr)
      out.push_back(r);
  while (auto* r = queue_.pop())
    out.push_back(r);
}

worker_statistics worker::statistics() const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  return {.turns = read(turns_),
          .handled = read(handled_),
          .queued = queue_.size() + (hot_.seems_filled() ? 1 : 0),
          .steals = read(steals_),
          .stolen = read(stolen_),
          .overflows = read(overflows_),
          .parks = read(parks_),
          .naps = read(naps_)};
}

} // namespace troupe::engine
