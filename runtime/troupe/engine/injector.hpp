// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <utility>

namespace troupe::engine {

/// The queue for runnables that come from outside the workers, and for what overflows a worker's own queue.
///
/// First in, first out; a batch stays together. A ring under a mutex: it doubles when full and halves when a pop leaves
/// it at most one eighth full, so a steady load allocates nothing and a burst's memory goes back, down to
/// `kept_capacity` (default 1024). A runnable is queued at most once, so the number of runnables bounds it.
///
/// Errors: a push that cannot grow the ring ends the process; dropping a runnable would lose its messages silently.
/// Threads: any.
class injector {
public:
  explicit injector(std::size_t kept_capacity = 1024)
      : kept_capacity_{std::max<std::size_t>(kept_capacity, 2)}, capacity_{kept_capacity_},
        ring_{std::make_unique<runnable*[]>(kept_capacity_)} {}

  void push(runnable& r) noexcept {
    runnable* one = &r;
    push(std::span{&one, 1});
  }

  void push(std::span<runnable* const> batch) noexcept {
    storage old; // declared before the lock: freed after it
    const std::scoped_lock lock{mutex_};
    if (size_now() + batch.size() > capacity_)
      old = grow(size_now() + batch.size());
    auto position = index(first_ + size_now());
    for (auto* r : batch) {
      ring_[position] = r;
      position = index(position + 1);
    }
    // Default order: a worker that is about to park announces itself and then looks at size_; we store size_ and then
    // look at who is parked. One of the two must see the other.
    size_.store(size_now() + batch.size());
  }

  /// Takes up to `out.size()` of the oldest, in order, and returns how many.
  std::size_t pop(std::span<runnable*> out) noexcept {
    if (empty())
      return 0;
    storage old; // declared before the lock: freed after it
    const std::scoped_lock lock{mutex_};
    const auto count = std::min(out.size(), size_now());
    for (std::size_t i = 0; i < count; ++i)
      out[i] = ring_[index(first_ + i)];
    first_ = index(first_ + count);
    size_.store(size_now() - count);
    if (capacity_ > kept_capacity_ && size_now() <= capacity_ / 8)
      old = shrink();
    return count;
  }

  /// Takes the oldest, or returns null.
  runnable* pop() noexcept {
    runnable* one = nullptr;
    pop(std::span{&one, 1});
    return one;
  }

  /// One load. Default order: part of the re-check before parking.
  bool empty() const noexcept { return size_.load() == 0; }

  std::size_t size() const noexcept { return size_.load(); }

  /// Slots allocated at present.
  std::size_t capacity() const noexcept {
    const std::scoped_lock lock{mutex_};
    return capacity_;
  }

private:
  using storage = std::unique_ptr<runnable*[]>;

  /// The size under the lock. relaxed: only written under the mutex that is held.
  std::size_t size_now() const noexcept { return size_.load(std::memory_order_relaxed); }

  /// Reduces a position below `2 * capacity_` to an index.
  std::size_t index(std::size_t position) const noexcept {
    return position < capacity_ ? position : position - capacity_;
  }

  /// Both return the old storage, so that it is freed outside the lock.
  storage grow(std::size_t needed) {
    auto wider = capacity_;
    while (wider < needed)
      wider *= 2;
    return move_to(std::make_unique<runnable*[]>(wider), wider);
  }

  storage shrink() noexcept {
    auto narrower = capacity_;
    while (narrower > kept_capacity_ && size_now() <= narrower / 8)
      narrower /= 2;
    narrower = std::max(narrower, kept_capacity_);
    storage fresh{new (std::nothrow) runnable*[narrower]};
    return fresh == nullptr ? storage{} : move_to(std::move(fresh), narrower); // no memory: keep the wide one
  }

  storage move_to(storage fresh, std::size_t capacity) noexcept {
    for (std::size_t i = 0; i < size_now(); ++i)
      fresh[i] = ring_[index(first_ + i)];
    ring_.swap(fresh);
    capacity_ = capacity;
    first_ = 0;
    return fresh;
  }

  // -- immutable after construction --
  const std::size_t kept_capacity_;

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // leaf lock: nothing is called under it but the allocator
  std::size_t capacity_;
  storage ring_;
  std::size_t first_ = 0; // index of the oldest

  // -- atomic --
  alignas(64) std::atomic<std::size_t> size_{0}; // written under mutex_, read by any thread
};

} // namespace troupe::engine
