// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace troupe::detail {

/// Figures and lists that most actors never need.
struct cell::incidents {
  // -- the turn writes, anyone reads --
  std::atomic<std::uint64_t> expired{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> quarantined{0};
  // -- any sender --
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> refused_stopped{0}; // because the actor had stopped
  std::atomic<std::uint64_t> door_accepted{0};   // by drop_newest, and dropped at once
  std::atomic<std::uint64_t> door_dropped{0};
  // -- the turn only --
  std::map<std::uint64_t, cell*> watchers; // counted; by id, so that they are told in an order that can be repeated
  std::size_t prune_at = 64;               // watchers at which those that have stopped are let go
  struct held_handler {
    std::coroutine_handle<> rest;
    envelope* message;
    const reply_slot* reply;
  };
  std::deque<held_handler> held; // their replies are there, and a write to the journal is pending
};

/// Adds to a figure that only one thread writes: no RMW needed.
inline void count(std::atomic<std::uint64_t>& figure) noexcept {
  // release: pairs with books(), which must not see the outcome without the acceptance.
  figure.store(figure.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

/// The reply that `e` may want is an error.
inline void settle(envelope& e, errc code, std::string what = {}) noexcept {
  if (e.reply != nullptr)
    std::exchange(e.reply, nullptr)->settle_error(code, std::move(what));
}

} // namespace troupe::detail
