// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/own_answer.hpp>
#include <troupe/ref.hpp>
#include <troupe/task.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace troupe {

/// Lets one handler of an actor at a time work at a key; others that want the same wait, in the order of their coming.
/// So a request that is repeated while it is under way costs a message, and not the work once more:
///
///     const auto mine = co_await under_way_.enter(self(), m.order);
///     if (!mine)
///       co_return unfinished;                      // the time is over
///     if (const auto* before = answered(m.order))  // the one before has done it
///       co_return *before;
///
/// Memory: one key for each handler that works, one entry for each that waits; the actor's limit of suspended handlers
/// bounds both. Threads: the actor's turn. A member of the actor, so that it ends with the incarnation.
template <class Key>
class turnstile {
public:
  /// The right to work at a key, until it is destroyed; or none.
  class [[nodiscard]] pass {
  public:
    pass() = default;
    pass(pass&& other) noexcept : at_{std::exchange(other.at_, nullptr)}, key_{other.key_} {}
    pass& operator=(pass&&) = delete;
    ~pass() {
      if (at_ != nullptr)
        at_->leave(key_);
    }
    explicit operator bool() const noexcept { return at_ != nullptr; }

  private:
    friend turnstile;
    pass(turnstile& at, const Key& key) : at_{&at}, key_{key} {}

    turnstile* at_ = nullptr;
    Key key_{};
  };

  turnstile() = default;
  turnstile(const turnstile&) = delete;
  turnstile& operator=(const turnstile&) = delete;

  bool taken(const Key& key) const { return std::ranges::find(taken_, key) != taken_.end(); }

  /// Waits at most `patience`, and to the deadline of the message in hand; then there is no pass.
  task<pass> enter(any_ref self, Key key, std::chrono::nanoseconds patience) {
    if (!taken(key)) {
      taken_.push_back(key);
      co_return pass{*this, key};
    }
    waiter mine{*this, key, self, patience};
    const auto turn = co_await mine.turn.outcome();
    if (!turn)
      co_return pass{};
    mine.handed = false; // to the pass
    co_return pass{*this, key};
  }

private:
  /// In the frame of the handler that waits, which may end at any moment.
  struct waiter {
    waiter(turnstile& turnstile, const Key& k, const any_ref& self, std::chrono::nanoseconds patience)
        : at{turnstile}, key{k}, turn{self, patience} {
      at.waiting_.push_back(this);
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() {
      if (handed) // and it ends all the same
        at.leave(key);
      else
        std::erase(at.waiting_, this);
    }

    turnstile& at;
    const Key key;
    own_answer<void> turn;
    bool handed = false; ///< The key is this one's.
  };

  /// To the first one that waits for the key; else it is free.
  void leave(const Key& key) {
    const auto next = std::ranges::find_if(waiting_, [&](const waiter* w) { return w->key == key; });
    if (next == waiting_.end()) {
      std::erase(taken_, key);
      return;
    }
    auto* w = *next;
    waiting_.erase(next);
    w->handed = true;
    w->turn.give();
  }

  std::vector<Key> taken_;
  std::vector<waiter*> waiting_;
};

} // namespace troupe
