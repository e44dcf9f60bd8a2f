// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/ref.hpp>
#include <troupe/reply.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

namespace order_simulation {

/// For questions from outside: failures on the way must not look like silence.
inline constexpr std::chrono::seconds audit_patience{60};

/// Asks `to` until it answers, from outside of all actors: an actor may fail at the question, or wait for its restart. Throws
/// what the last attempt has come to if none succeeds.
template <class Ref, class Query>
troupe::reply_of<Query> answer_of(const Ref& to, const Query& query) {
  using namespace std::chrono_literals;
  constexpr int attempts = 500;
  for (int n = 1;; ++n) {
    auto answer = to.ask(query, audit_patience).try_get();
    if (answer || n == attempts)
      return std::move(answer).value();
    std::this_thread::sleep_for(std::min(n, 20) * 1ms);
  }
}

/// Asks each of `refs`, many at once, and hands the replies on in the same order. Who fails at the question is asked again.
template <class Ref, class Query, class Take>
void ask_all(const std::vector<Ref>& refs, const Query& query, Take take) {
  constexpr std::size_t window = 2'000; // requests under way at once
  std::deque<troupe::reply<troupe::reply_of<Query>>> under_way;
  std::size_t next = 0;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    for (; next < refs.size() && under_way.size() < window; ++next)
      under_way.push_back(refs[next].ask(query, audit_patience));
    auto answer = std::move(under_way.front()).try_get();
    under_way.pop_front();
    if (answer)
      take(i, std::move(answer).value());
    else
      take(i, answer_of(refs[i], query));
  }
}

} // namespace order_simulation
