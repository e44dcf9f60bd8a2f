// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/mailbox.hpp>

#include <cstddef>
#include <memory>
#include <mutex>

namespace troupe::detail {

/// The user lane of an actor whose overflow policy is `drop_oldest`: keeps the youngest `capacity` messages.
///
/// A sender takes out what the receiver would have taken next, so the two share a lock; the `mailbox` word beside it
/// still says who may run the receiver. Threads: `push`, `depth` any; `pop`, `rest`, `close` the holder of the right to run.
class sliding_lane {
public:
  explicit sliding_lane(std::size_t capacity) : slots_{std::make_unique<envelope*[]>(capacity)}, capacity_{capacity} {}

  /// Adds `e`. `evicted` is the oldest message if that had to go; the caller then owns it.
  push_result push(envelope* e, mailbox& right, envelope*& evicted) noexcept {
    std::unique_lock guard{mutex_};
    if (right.is_closed())
      return push_result::closed;
    evicted = size_ == capacity_ ? take() : nullptr;
    slots_[(first_ + size_) % capacity_] = e;
    ++size_;
    ++accepted_;
    return right.wake_if_idle() ? push_result::queued_and_wake : push_result::queued;
  }

  envelope* pop() noexcept {
    std::unique_lock guard{mutex_};
    return size_ == 0 ? nullptr : take();
  }

  /// See `mailbox::rest`.
  bool rest(mailbox& right) noexcept {
    std::unique_lock guard{mutex_};
    return size_ == 0 && right.rest();
  }

  /// See `mailbox::close_if_empty`.
  bool close_if_empty(mailbox& right) noexcept {
    std::unique_lock guard{mutex_};
    return size_ == 0 && right.close_if_empty();
  }

  void close(mailbox& right) noexcept {
    std::unique_lock guard{mutex_};
    right.close();
  }

  std::size_t depth() const noexcept {
    std::unique_lock guard{mutex_};
    return size_;
  }

  std::uint64_t accepted() const noexcept {
    std::unique_lock guard{mutex_};
    return accepted_;
  }

  /// Messages popped or evicted so far.
  std::uint64_t removed() const noexcept {
    std::unique_lock guard{mutex_};
    return accepted_ - size_;
  }

private:
  envelope* take() noexcept {
    auto* e = slots_[first_];
    first_ = (first_ + 1) % capacity_;
    --size_;
    return e;
  }

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // leaf lock
  std::unique_ptr<envelope*[]> slots_;
  const std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t accepted_ = 0;
};

} // namespace troupe::detail
