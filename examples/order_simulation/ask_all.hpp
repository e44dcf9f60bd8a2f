// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/ref.hpp>
#include <troupe/reply.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

namespace order_simulation {

/// For questions from outside: failures on the way must not look like silence.
inline constexpr std::chrono::seconds audit_patience{60};

/// Asks each of `refs`, many at once, and hands the replies on in the same order. Who fails at the question is asked again.
template <class Ref, class Query, class Take>
void ask_all(const std::vector<Ref>& refs, const Query& query, Take take) {
  constexpr std::size_t window = 2'000; // requests under way at once
  constexpr int attempts = 100;
  std::deque<troupe::reply<troupe::reply_of<Query>>> under_way;
  std::size_t next = 0;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    for (; next < refs.size() && under_way.size() < window; ++next)
      under_way.push_back(refs[next].ask(query, audit_patience));
    auto answer = std::move(under_way.front()).try_get();
    under_way.pop_front();
    for (int n = 1; !answer && n < attempts; ++n)
      answer = refs[i].ask(query, audit_patience).try_get();
    take(i, std::move(answer).value());
  }
}

} // namespace order_simulation
