// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace bench {

/// A message of the bare rows.
struct parcel {
  parcel* next = nullptr;
  std::int64_t number = 0;
};

/// The least that hands messages from many threads to one: a stack by compare-and-swap, taken as a whole and reversed.
/// No limit, no accounts, nobody to wake. Threads: `push` any, `pop` one.
class handover {
public:
  /// True if the queue looked empty to the pusher: the receiver must be told.
  bool push(parcel* p) noexcept {
    auto* top = top_.load(std::memory_order_relaxed); // relaxed: validated below
    do
      p->next = top;
    while (!top_.compare_exchange_weak(top, p, std::memory_order_release, std::memory_order_relaxed));
    return top == nullptr;
  }

  parcel* pop() noexcept {
    if (batch_ == nullptr) {
      if (top_.load(std::memory_order_relaxed) == nullptr) // relaxed: a hint
        return nullptr;
      auto* p = top_.exchange(nullptr, std::memory_order_acquire); // acquire: the parcels' contents
      while (p != nullptr) {
        auto* older = p->next;
        p->next = batch_;
        batch_ = p;
        p = older;
      }
    }
    auto* p = batch_;
    batch_ = p->next;
    return p;
  }

private:
  alignas(64) std::atomic<parcel*> top_{nullptr};
  alignas(64) parcel* batch_ = nullptr;
};

/// Parcels for one producer, which get back to it through a second hand-over: no malloc while it runs.
class parcel_store {
public:
  explicit parcel_store(std::size_t n) : all_(n) {
    for (auto& p : all_)
      back_.push(&p);
  }
  parcel* try_take() noexcept { return back_.pop(); }
  void give_back(parcel* p) noexcept { back_.push(p); }

private:
  std::vector<parcel> all_;
  handover back_;
};

} // namespace bench
