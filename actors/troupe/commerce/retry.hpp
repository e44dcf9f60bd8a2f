// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/patterns/growing_pause.hpp>

#include <troupe/pause.hpp>
#include <troupe/ref.hpp>
#include <troupe/task.hpp>
#include <troupe/this_handler.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace troupe::commerce {

/// How often, and for how long, an actor of the shop asks for one thing before it leaves the rest to a later attempt.
struct retry_policy {
  unsigned attempts = 12;
  std::chrono::milliseconds timeout{5'000}; ///< Of an attempt; twice as long after one for which it was too short.
  /// Before the third attempt, or the second at a receiver that has no room or no time; twice as long each time, to
  /// `pause_longest` (see growing_pause).
  std::chrono::milliseconds pause{2};
  std::chrono::milliseconds pause_longest{250};
};

/// For what takes as long as a whole order, or a good part of it: more than any backlog that the shop lets come about. A
/// request must not give up on work that goes on, since what it repeats only waits behind that.
inline constexpr std::chrono::seconds order_patience{60};

/// The policy for such requests.
constexpr retry_policy patient(retry_policy policy) noexcept {
  policy.timeout = order_patience;
  return policy;
}

/// Whether the same request, sent again, may get a reply. Safe because every request of the shop has a key.
constexpr bool worth_asking_again(errc code) noexcept {
  switch (code) {
    case errc::restarted:
    case errc::timed_out:
    case errc::failed:
    case errc::no_reply:
    case errc::dropped:
    case errc::unavailable:
    case errc::mailbox_full: return true;
    case errc::stopped:
    case errc::name_taken:
    case errc::not_found:
    case errc::not_stopped:
    case errc::bad_options:
    case errc::shutting_down: return false;
  }
  return false;
}

/// Waits before attempt `i` (1: the second) after one that came back with `last`. What has failed by itself mostly succeeds
/// the next time, so its second attempt follows at once; a receiver that has no room or no time gets a rest. False, at once:
/// the deadline of the message in hand comes first, so that nobody would wait for what the attempt brings.
inline task<bool> pause_before_attempt(any_ref self, growing_pause& pauses, unsigned i, errc last) {
  using namespace std::chrono_literals;
  const bool rests = i > 1 || last == errc::mailbox_full || last == errc::unavailable || last == errc::timed_out;
  const auto wait = rests ? pauses.next(this_handler::random()) : 0ns;
  if (wait >= this_handler::time_left())
    co_return false;
  if (rests)
    co_await pause(self, wait);
  co_return true;
}

/// The reply is wanted whatever happens meanwhile.
struct always_wanted {
  constexpr bool operator()() const noexcept { return true; }
};

/// Asks `to` again after `first` came back instead of a reply, with the same message, so often as the policy allows, as
/// long as somebody waits for it and `wanted` says so. `to` and `message` stay the caller's, which awaits this at once.
template <class Ref, class M, class Wanted = always_wanted>
task<result<reply_of<M>>> ask_again(any_ref self, const Ref& to, const M& message, errc first, retry_policy policy,
                                    Wanted wanted = {}) {
  result<reply_of<M>> last{error{first, {}}};
  growing_pause pauses{policy.pause, policy.pause_longest};
  for (unsigned i = 1; i < policy.attempts && worth_asking_again(last.error().code); ++i) {
    if (!co_await pause_before_attempt(self, pauses, i, last.error().code) || !wanted())
      break;
    if (last.error().code == errc::timed_out) // its queue may be longer than that
      policy.timeout = std::min<std::chrono::milliseconds>(2 * policy.timeout, order_patience);
    auto asked = to.ask(message, policy.timeout);
    last = co_await asked.outcome();
    if (last)
      break;
  }
  co_return last;
}

/// Asks, and again if need be.
template <class Ref, class M, class Wanted = always_wanted>
task<result<reply_of<M>>> ask_persistently(any_ref self, const Ref& to, const M& message, retry_policy policy = {},
                                           Wanted wanted = {}) {
  auto asked = to.ask(message, policy.timeout);
  auto answer = co_await asked.outcome();
  if (answer || !worth_asking_again(answer.error().code))
    co_return answer;
  const auto first = answer.error().code;
  co_return co_await ask_again(self, to, message, first, policy, wanted);
}

/// A request that is under way, with what it takes to send it again.
template <class Ref, class M>
struct call {
  const Ref* to;
  M message;
  reply<reply_of<M>> answer;

  call(const Ref& receiver, M m, const retry_policy& policy)
      : to{&receiver}, message{std::move(m)}, answer{receiver.ask(message, policy.timeout)} {}
};

/// Waits for all calls, sent in parallel before, and repeats those that fail. False: some have failed to the end.
template <class Ref, class M>
task<bool> finish(any_ref self, std::vector<call<Ref, M>>& calls, retry_policy policy) {
  bool all = true;
  for (auto& c : calls) {
    const auto answer = co_await c.answer.outcome();
    if (answer)
      continue;
    const auto first = answer.error().code;
    const auto again = co_await ask_again(self, *c.to, c.message, first, policy);
    all = all && again.has_value();
  }
  co_return all;
}

} // namespace troupe::commerce
