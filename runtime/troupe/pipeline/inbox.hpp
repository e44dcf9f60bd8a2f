// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/ref.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::pipeline {

/// Offers an element to an inbox, or, without one, closes it. The reply says whether it was taken: false, if the inbox is full
/// or closed.
template <class T>
struct offer {
  std::optional<T> value;
  using reply = bool;
};

/// How much an inbox holds.
struct inbox_options {
  /// Elements that wait for demand; further ones are refused, and counted. At least 1.
  std::size_t capacity = 10'000;
};

namespace detail {

/// What an inbox shares with the pipeline that reads it.
template <class T>
struct inbox_state {
  inbox_options options;
  ref_to<offer<T>> to;                  // written once, when the pipeline starts
  std::atomic<bool> close_again{false}; // when the mailbox of the source, which was full, has room
};

} // namespace detail

/// A source that others fill: actors and threads send it elements, while its pipeline runs.
///
/// `tell` never waits: beyond `capacity` elements, and beyond the mailbox of the source, elements are refused. `ask` says so to
/// the sender, who then sends later or less: that is how back-pressure goes on beyond the pipeline.
/// Threads: any, once the pipeline was started. Copies are the same inbox.
template <class T>
class inbox {
public:
  using value_type = T;
  explicit inbox(inbox_options options = {}) : state_{std::make_shared<detail::inbox_state<T>>()} {
    state_->options = options;
  }

  troupe::delivery tell(T x) const { return state_->to.tell(offer<T>{std::move(x)}); }

  auto ask(T x) const {
    offer<T> o{std::move(x)};
    return state_->to.ask(o);
  }

  /// There will be no more: once what was taken has flowed on, the source ends. What is offered later is refused.
  void close() const {
    if (state_->to.tell(offer<T>{}) != troupe::delivery::rejected)
      return;
    state_->close_again = true; // first, so that if there is no room yet, an offer that is still to be handled sees it
    state_->to.tell(offer<T>{});
  }

  /// For the runtime.
  const std::shared_ptr<detail::inbox_state<T>>& state() const noexcept { return state_; }

private:
  std::shared_ptr<detail::inbox_state<T>> state_;
};

} // namespace troupe::pipeline
