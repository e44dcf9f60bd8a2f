// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/ref.hpp>
#include <troupe/reply.hpp>

#include <chrono>
#include <utility>

namespace troupe {

/// A reply that a suspended handler of an actor waits for and that another handler of the same actor gives.
///
///     own_answer<int> a{self(), 1s};
///     waiting_.push_back(&a);                 // another handler calls a.give(7)
///     auto got = co_await a.outcome();        // a result<int>; errc::timed_out after a second
///
/// Threads: the actor's turn. Ends with its coroutine, so whoever holds a pointer to it must forget it by then.
template <class R>
class own_answer {
public:
  /// In a handler the deadline of the message in hand is kept, if that is earlier.
  own_answer(const any_ref& self, std::chrono::nanoseconds timeout)
      : slot_{detail::typed_reply_slot<R>::make()}, reply_{slot_} {
    auto& c = detail::required(self.pointer());
    slot_->open_for(c, &c, detail::ask_deadline(c, timeout));
  }
  own_answer(const own_answer&) = delete;
  own_answer& operator=(const own_answer&) = delete;
  /// Gives up the count that a request's envelope has elsewhere.
  ~own_answer() {
    if (slot_ != nullptr)
      slot_->release();
  }

  /// The first one counts.
  template <class... Value>
  void give(Value&&... value) {
    if (auto* slot = std::exchange(slot_, nullptr))
      slot->settle(std::forward<Value>(value)...);
  }

  auto outcome() noexcept { return reply_.outcome(); }

private:
  detail::typed_reply_slot<R>* slot_; // null once given
  reply<R> reply_;
};

} // namespace troupe
