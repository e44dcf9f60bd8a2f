// SPDX-License-Identifier: BSD-3-Clause
// Claims: the user lane's protocol, step by step, on one thread: order, exact capacity, who must wake the receiver, and
// the figures that the books are made of.
// Observed through its own calls, against a naive model for the random part.
#include <troupe/mailbox/mailbox.hpp>

#include "runtime/mailbox/support.hpp"
#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <random>
#include <string>

using mailbox_test::make;
using mailbox_test::take;
using troupe::detail::mailbox;
using troupe::detail::push_result;

namespace {

push_result push(mailbox& m, std::int64_t number, std::uint32_t capacity) {
  auto* e = make(number);
  const auto r = m.push(e, capacity);
  if (r == push_result::full || r == push_result::closed)
    take(e);
  return r;
}

} // namespace

TEST_CASE("mailbox: a new one is busy and empty") {
  mailbox m;
  CHECK(m.depth() == 0);
  CHECK(m.accepted() == 0);
  CHECK(m.popped() == 0);
  CHECK_FALSE(m.take_attention());
  CHECK_FALSE(m.is_closed());
  CHECK(m.pop() == nullptr);
  CHECK(push(m, 1, 10) == push_result::queued); // its owner holds the right to run
  CHECK(take(m.pop()) == 1);
}

TEST_CASE("mailbox: messages come out in the order of their pushes across batches") {
  mailbox m;
  for (int i = 0; i < 5; ++i)
    push(m, i, 100);
  CHECK(take(m.pop()) == 0);
  CHECK(take(m.pop()) == 1); // the rest of the batch stays ahead of what is pushed now
  for (int i = 5; i < 9; ++i)
    push(m, i, 100);
  for (int i = 2; i < 9; ++i)
    CHECK(take(m.pop()) == i);
  CHECK(m.pop() == nullptr);
}

TEST_CASE("mailbox: the capacity is exact whatever was popped before") {
  for (std::uint32_t capacity : {1u, 2u, 3u, 7u, 64u}) {
    CAPTURE(capacity);
    mailbox m;
    std::int64_t in = 0;
    std::int64_t out = 0;
    for (int round = 0; round < 50; ++round) {
      CAPTURE(round);
      while (m.depth() < capacity)
        REQUIRE(push(m, in++, capacity) == push_result::queued);
      REQUIRE(push(m, -1, capacity) == push_result::full);
      REQUIRE(push(m, -1, capacity) == push_result::full);
      // A part of a batch, so that batches end at every possible place.
      for (std::uint32_t i = 0; i < 1 + static_cast<std::uint32_t>(round) % capacity; ++i)
        REQUIRE(take(m.pop()) == out++);
    }
    while (auto* e = m.pop())
      REQUIRE(take(e) == out++);
    CHECK(in == out);
  }
}

TEST_CASE("mailbox: only the push that finds the receiver resting must wake it") {
  mailbox m;
  CHECK(m.rest());
  CHECK(push(m, 1, 10) == push_result::queued_and_wake);
  CHECK(push(m, 2, 10) == push_result::queued);
  CHECK_FALSE(m.rest()); // two are waiting
  CHECK(take(m.pop()) == 1);
  CHECK_FALSE(m.rest()); // one is left of the batch
  CHECK(take(m.pop()) == 2);
  CHECK(m.rest());
  CHECK(push(m, 3, 10) == push_result::queued_and_wake);
  CHECK(take(m.pop()) == 3);
}

TEST_CASE("mailbox: attention wakes a resting receiver once and keeps a busy one from resting") {
  mailbox m;
  CHECK_FALSE(m.attend()); // busy: it will look
  CHECK_FALSE(m.rest());
  CHECK_FALSE(m.block());
  CHECK(m.take_attention());
  CHECK_FALSE(m.take_attention());
  CHECK(m.rest());
  CHECK(m.attend());       // idle: the caller schedules
  CHECK_FALSE(m.attend()); // and only the first one
  CHECK(push(m, 1, 10) == push_result::queued);
  CHECK(m.take_attention());
  CHECK(take(m.pop()) == 1);
}

TEST_CASE("mailbox: attention survives pushes and takes") {
  mailbox m;
  push(m, 1, 10);
  m.attend();
  push(m, 2, 10);
  CHECK_FALSE(m.block());
  CHECK(take(m.pop()) == 1);
  CHECK_FALSE(m.block());
  CHECK(take(m.pop()) == 2);
  CHECK(m.take_attention());
}

TEST_CASE("mailbox: seizing takes the right to run from a resting or blocked receiver only, once") {
  mailbox m;
  CHECK_FALSE(m.seize()); // busy
  CHECK(m.rest());
  CHECK(m.seize());
  CHECK_FALSE(m.seize());
  CHECK(push(m, 1, 10) == push_result::queued); // the one who seized it schedules
  CHECK(m.block());
  CHECK(m.seize());
  CHECK_FALSE(m.take_attention()); // what came with the right needs no look at the lane
  CHECK(take(m.pop()) == 1);
  m.close();
  CHECK_FALSE(m.seize());
}

TEST_CASE("mailbox: while blocked messages queue up and only attention wakes") {
  mailbox m;
  push(m, 1, 2);
  CHECK(m.block());
  CHECK(push(m, 2, 2) == push_result::queued);
  CHECK(push(m, 3, 2) == push_result::full); // the limit holds all the same
  CHECK(m.depth() == 2);
  CHECK_FALSE(m.wake_if_idle());
  CHECK(m.attend());
  CHECK(m.take_attention());
  CHECK(take(m.pop()) == 1);
  CHECK(take(m.pop()) == 2);
}

TEST_CASE("mailbox: wake_if_idle takes the right to run from a resting receiver only") {
  mailbox m;
  CHECK_FALSE(m.wake_if_idle());
  CHECK(m.rest());
  CHECK(m.wake_if_idle());
  CHECK_FALSE(m.wake_if_idle());
}

TEST_CASE("mailbox: once closed it refuses for ever and hands out what was waiting") {
  mailbox m;
  push(m, 1, 10);
  push(m, 2, 10);
  m.close();
  CHECK(m.is_closed());
  CHECK(push(m, 3, 10) == push_result::closed);
  CHECK_FALSE(m.attend());
  CHECK(m.depth() == 2);
  CHECK(take(m.pop()) == 1);
  CHECK(take(m.pop()) == 2);
  CHECK(m.pop() == nullptr);
  CHECK(m.is_closed());
  CHECK(m.accepted() == 2);
  CHECK(m.popped() == 2);
}

TEST_CASE("mailbox: popped reaches a mark taken from accepted after exactly the messages before it") {
  mailbox m;
  for (int i = 0; i < 3; ++i)
    push(m, i, 10);
  CHECK(take(m.pop()) == 0);
  const auto mark = m.accepted();
  for (int i = 3; i < 6; ++i)
    push(m, i, 10);
  CHECK(mark == 3);
  CHECK(take(m.pop()) == 1);
  CHECK(m.popped() < mark);
  CHECK(take(m.pop()) == 2);
  CHECK(m.popped() == mark);
  while (auto* e = m.pop())
    take(e);
}

TEST_CASE("mailbox: the largest capacity is exact") {
  mailbox m;
  constexpr auto capacity = static_cast<std::uint32_t>(mailbox::capacity_max);
  std::uint32_t n = 0;
  while (push(m, n, capacity) == push_result::queued)
    ++n;
  CHECK(n == capacity);
  CHECK(take(m.pop()) == 0); // all are one batch now, and as many more fit beside it
  std::uint32_t popped = 1;
  while (popped < capacity) {
    take(m.pop());
    ++popped;
  }
  n = 0;
  while (push(m, n, capacity) == push_result::queued)
    ++n;
  CHECK(n == capacity);
  CHECK(m.accepted() == 2 * std::uint64_t{capacity});
  while (auto* e = m.pop())
    take(e);
}

TEST_CASE("mailbox: random calls agree with a deque") {
  const auto seed = support::test_seed();
  CAPTURE(seed);
  std::mt19937_64 draw{seed};
  for (int run = 0; run < 300; ++run) {
    const auto capacity = static_cast<std::uint32_t>(1 + draw() % 4);
    CAPTURE(run);
    CAPTURE(capacity);
    mailbox m;
    std::deque<std::int64_t> model;
    std::uint64_t accepted = 0;
    std::uint64_t popped = 0;
    bool holds = true; // the right to run
    bool attention = false;
    for (int step = 0; step < 100; ++step) {
      CAPTURE(step);
      switch (draw() % 8) {
        case 0:
        case 1:
        case 2: {
          const auto r = push(m, step, capacity);
          if (model.size() == capacity) {
            REQUIRE(r == push_result::full);
          } else {
            REQUIRE(r == (holds ? push_result::queued : push_result::queued_and_wake));
            holds = true;
            model.push_back(step);
            ++accepted;
          }
          break;
        }
        case 3:
        case 4:
          if (holds) {
            REQUIRE(take(m.pop()) == (model.empty() ? -1 : model.front()));
            if (!model.empty()) {
              model.pop_front();
              ++popped;
            }
          }
          break;
        case 5:
          REQUIRE(m.attend() == !holds);
          holds = attention = true;
          break;
        case 6:
          if (holds) {
            REQUIRE(m.take_attention() == attention);
            attention = false;
          }
          break;
        case 7:
          if (holds) {
            const bool rests = model.empty() && !attention;
            REQUIRE(m.rest() == rests);
            holds = !rests;
          }
          break;
      }
      REQUIRE(m.depth() == model.size());
      REQUIRE(m.accepted() == accepted);
      REQUIRE(m.popped() == popped);
    }
    while (auto* e = m.pop())
      take(e);
  }
}
