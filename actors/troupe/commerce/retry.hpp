// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <vector>

#include <troupe/commerce/own_answer.hpp>
#include <troupe/ref.hpp>
#include <troupe/task.hpp>

namespace troupe::commerce {

/// How often, and for how long, an actor of the shop asks for one thing before it leaves the rest to a later attempt.
struct retry_policy {
  unsigned attempts = 12;
  std::chrono::milliseconds timeout{5'000}; ///< Of each attempt.
  std::chrono::milliseconds pause{2};       ///< Before asking a receiver again that has no room.
};

/// Whether the same request, sent again, may get a reply. Safe because every request of the shop has a key.
constexpr bool worth_asking_again(errc code) noexcept {
  switch (code) {
    case errc::restarted:
    case errc::timed_out:
    case errc::failed:
    case errc::no_reply:
    case errc::dropped:
    case errc::mailbox_full: return true;
    case errc::stopped:
    case errc::name_taken:
    case errc::bad_options:
    case errc::shutting_down: return false;
  }
  return false;
}

/// Asks `to` again after `first` came back as an error, with the same message, so often as the policy allows.
/// `message` and `first` stay the caller's, which awaits this at once.
template <class Ref, class M>
task<result<reply_of<M>>> ask_again(any_ref self, const Ref& to, const M& message, error first, retry_policy policy) {
  result<reply_of<M>> last{std::move(first)};
  for (unsigned i = 1; i < policy.attempts && worth_asking_again(last.error().code); ++i) {
    if (last.error().code == errc::mailbox_full)
      co_await pause(self, policy.pause);
    auto asked = to.ask(message, policy.timeout);
    last = co_await asked.outcome();
    if (last)
      break;
  }
  co_return last;
}

/// Asks, and again if need be.
template <class Ref, class M>
task<result<reply_of<M>>> ask_persistently(any_ref self, const Ref& to, const M& message, retry_policy policy = {}) {
  auto asked = to.ask(message, policy.timeout);
  auto answer = co_await asked.outcome();
  if (answer || !worth_asking_again(answer.error().code))
    co_return answer;
  const error first = answer.error();
  co_return co_await ask_again(self, to, message, first, policy);
}

} // namespace troupe::commerce
