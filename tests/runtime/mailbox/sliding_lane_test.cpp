// SPDX-License-Identifier: BSD-3-Clause
// Claims: the lane keeps the youngest messages, hands the oldest to whoever pushes one too many, and wakes as the
// mailbox does.
// Observed through the numbers that come out on either side.
#include <troupe/mailbox/sliding_lane.hpp>

#include "runtime/mailbox/support.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

using mailbox_test::make;
using mailbox_test::take;
using troupe::detail::envelope;
using troupe::detail::mailbox;
using troupe::detail::push_result;
using troupe::detail::sliding_lane;

TEST_CASE("sliding_lane: it keeps the youngest messages in order and evicts the oldest") {
  for (int capacity : {1, 2, 5}) {
    CAPTURE(capacity);
    mailbox right;
    sliding_lane lane{static_cast<std::size_t>(capacity)};
    for (int i = 0; i < 12; ++i) {
      envelope* evicted = nullptr;
      CHECK(lane.push(make(i), right, evicted) == push_result::queued);
      CHECK(take(evicted) == (i < capacity ? -1 : i - capacity));
    }
    CHECK(lane.depth() == static_cast<std::size_t>(capacity));
    CHECK(lane.accepted() == 12);
    CHECK(lane.removed() == 12 - static_cast<std::uint64_t>(capacity));
    for (int i = 12 - capacity; i < 12; ++i)
      CHECK(take(lane.pop()) == i);
    CHECK(lane.pop() == nullptr);
    CHECK(lane.removed() == 12);
  }
}

TEST_CASE("sliding_lane: it rests when empty and is woken by the first push") {
  mailbox right;
  sliding_lane lane{2};
  CHECK(lane.rest(right));
  envelope* evicted = nullptr;
  CHECK(lane.push(make(1), right, evicted) == push_result::queued_and_wake);
  CHECK(lane.push(make(2), right, evicted) == push_result::queued);
  CHECK_FALSE(lane.rest(right));
  take(lane.pop());
  take(lane.pop());
  right.attend();
  CHECK_FALSE(lane.rest(right));
  CHECK(right.take_attention());
  CHECK(lane.rest(right));
}

TEST_CASE("sliding_lane: once closed it refuses and evicts nothing") {
  mailbox right;
  sliding_lane lane{1};
  envelope* evicted = nullptr;
  lane.push(make(1), right, evicted);
  lane.close(right);
  auto* refused = make(2);
  CHECK(lane.push(refused, right, evicted) == push_result::closed);
  CHECK(evicted == nullptr);
  take(refused);
  CHECK(lane.accepted() == 1);
  CHECK(take(lane.pop()) == 1);
}

TEST_CASE("sliding_lane: with many senders each accepted message is popped or evicted exactly once") {
  constexpr int senders = 3;
  constexpr int each = 20'000;
  mailbox right;
  sliding_lane lane{4};
  std::atomic<int> awake{1}; // the right to run: given back by rest, given out by a push that must wake
  std::atomic<std::int64_t> evicted_count{0};
  std::atomic<int> running{senders};
  std::vector<std::jthread> threads;
  for (int s = 0; s < senders; ++s)
    threads.emplace_back([&, s] {
      for (int i = 0; i < each; ++i) {
        envelope* evicted = nullptr;
        if (lane.push(make(std::int64_t{s} * each + i), right, evicted) == push_result::queued_and_wake)
          awake.fetch_add(1);
        if (evicted != nullptr) {
          take(evicted);
          evicted_count.fetch_add(1);
        }
      }
      running.fetch_sub(1);
    });
  std::vector<std::int64_t> last(senders, -1);
  std::int64_t popped = 0;
  bool in_order = true;
  bool deep = false;
  for (;;) {
    if (awake.load() == 0) {
      if (running.load() == 0 && awake.load() == 0)
        break;
      std::this_thread::yield();
      continue;
    }
    deep = deep || lane.depth() > 4;
    if (auto* e = lane.pop()) {
      const auto n = take(e);
      auto& before = last[static_cast<std::size_t>(n / each)];
      in_order = in_order && n % each > before;
      before = n % each;
      ++popped;
    } else if (lane.rest(right)) {
      awake.fetch_sub(1);
    }
  }
  threads.clear();
  CHECK(in_order);
  CHECK_FALSE(deep);
  CHECK(lane.depth() == 0);
  CHECK(popped + evicted_count.load() == std::int64_t{senders} * each);
  CHECK(lane.accepted() == std::uint64_t{senders} * each);
}
