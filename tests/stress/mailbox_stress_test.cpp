// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever the interleaving of senders and a receiver that rests and is woken, messages of one sender keep their
// order, each accepted one is popped exactly once, the mailbox never holds more than its capacity, no wake-up is lost
// and no control message is overlooked.
// Observed: counts. How many pushes are refused and how often the receiver rests may vary; the sums may not. A lost
// wake-up shows as a hang.
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/mailbox/mailbox.hpp>

#include "runtime/mailbox/support.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <pthread.h>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using mailbox_test::make;
using mailbox_test::take;
using troupe::detail::cell;
using troupe::detail::control_lane;
using troupe::detail::control_message;
using troupe::detail::lane_push;
using troupe::detail::mailbox;
using troupe::detail::push_result;

namespace {

struct ping final : control_message {
  void deliver(cell&) noexcept override {}
  void refuse(cell&) noexcept override {}
};

/// The receiver's place at a scheduler: who must wake it posts a turn, and it runs while there is one.
class turns {
public:
  void post() {
    // seq_cst on both sides: the receiver's next turn sees what the poster saw.
    if (waiting_.fetch_add(1) != 0)
      doubled_.store(true); // two holders of the right to run
    waiting_.notify_one();
  }
  void wait() { waiting_.wait(0); }
  void done() { waiting_.fetch_sub(1); }
  bool doubled() const { return doubled_.load(); }

private:
  std::atomic<int> waiting_{0};
  std::atomic<bool> doubled_{false};
};

struct outcome {
  std::uint64_t popped = 0;
  std::uint64_t rests = 0;
  std::uint64_t pings = 0;
  bool in_order = true;
};

/// `senders` threads push numbers, one in `control_every` of them also a control message; refused pushes are repeated
/// or given up. Returns after everything that was accepted has been popped.
void run(std::uint32_t capacity, int senders, std::chrono::milliseconds how_long, bool block_at_times) {
  CAPTURE(capacity);
  CAPTURE(senders);
  mailbox m;
  control_lane lane;
  turns receiver;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> pushed_pings{0};
  std::atomic<std::uint64_t> popped_by_receiver{0};
  std::atomic<bool> too_deep{false};
  std::atomic<bool> ended{false};
  outcome seen;

  receiver.post(); // a new mailbox is busy
  std::jthread consumer{[&] {
    std::vector<std::int64_t> last(static_cast<std::size_t>(senders), -1);
    std::uint64_t n = 0;
    for (;;) {
      receiver.wait();
      for (bool holds = true; holds;) {
        if (m.take_attention()) {
          for (auto* c = lane.take(); c != nullptr;) {
            auto* next = c->next_control;
            delete static_cast<ping*>(c);
            c = next;
            ++seen.pings;
          }
          if (ended.load() && seen.popped == accepted.load() && seen.pings == pushed_pings.load())
            return;
        }
        // depth is exact for the receiver and counts nothing twice
        if (m.depth() > capacity)
          too_deep.store(true);
        if (block_at_times && ++n % 64 == 0 && !ended.load()) {
          // Blocked, only attention wakes it: ask for it first in another thread's name.
          receiver.done();
          auto* p = new ping;
          lane.push(p);
          pushed_pings.fetch_add(1);
          if (m.attend())
            receiver.post(); // cannot be: it is busy
          if (m.block())
            too_deep.store(true); // attention was wanted: it must not give up the right
          receiver.post();
        }
        if (auto* e = m.pop()) {
          const auto number = take(e);
          auto& before = last[static_cast<std::size_t>(number >> 40)];
          const auto k = number & ((std::int64_t{1} << 40) - 1);
          seen.in_order = seen.in_order && k > before;
          before = k;
          ++seen.popped;
          popped_by_receiver.store(seen.popped);
        } else {
          receiver.done(); // before the right is given up: after that another turn may be posted
          if (m.rest()) {
            ++seen.rests;
            holds = false;
          } else {
            receiver.post();
          }
        }
      }
    }
  }};

  // Looks in from outside, as metrics do.
  std::jthread observer{[&](std::stop_token done) {
    while (!done.stop_requested()) {
      if (m.depth() > capacity)
        too_deep.store(true);
      const auto before = popped_by_receiver.load();
      if (m.accepted() < before)
        too_deep.store(true);
      std::this_thread::yield();
    }
  }};

  {
    std::vector<std::jthread> producers;
    for (int s = 0; s < senders; ++s)
      producers.emplace_back([&, s] {
        std::int64_t k = 0;
        while (!stop.load(std::memory_order_relaxed)) {
          auto* e = make((std::int64_t{s} << 40) | k);
          switch (m.push(e, capacity)) {
            case push_result::queued: accepted.fetch_add(1, std::memory_order_relaxed); break;
            case push_result::queued_and_wake:
              accepted.fetch_add(1, std::memory_order_relaxed);
              receiver.post();
              break;
            default:
              take(e);
              refused.fetch_add(1, std::memory_order_relaxed);
              std::this_thread::yield();
          }
          ++k;
          if (k % 97 == 0) {
            pushed_pings.fetch_add(1);
            if (lane.push(new ping) == lane_push::first && m.attend())
              receiver.post();
          }
          if (k % 1'009 == 0) // let the receiver run dry now and then
            std::this_thread::yield();
        }
      });
    const auto end = std::chrono::steady_clock::now() + how_long;
    while (std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(5ms);
    stop.store(true);
  }
  // Each of these can only be answered by a receiver that was woken.
  pushed_pings.fetch_add(1);
  lane.push(new ping);
  if (m.attend())
    receiver.post();
  // A receiver that still had messages when it looked rests after them: one more look for the end.
  while (popped_by_receiver.load() != accepted.load())
    std::this_thread::yield();
  ended.store(true); // not before: it would leave after the first one
  pushed_pings.fetch_add(1);
  lane.push(new ping);
  if (m.attend())
    receiver.post();
  consumer.join();
  observer.request_stop();
  observer.join();

  CHECK(seen.in_order);
  CHECK_FALSE(too_deep.load());
  CHECK_FALSE(receiver.doubled());
  CHECK(seen.popped == accepted.load());
  CHECK(m.accepted() == accepted.load());
  CHECK(m.popped() == accepted.load());
  CHECK(m.depth() == 0);
  CHECK(seen.pings == pushed_pings.load());
  CHECK(seen.popped > 0);
}

} // namespace

TEST_CASE("mailbox stress: small capacities with many senders") {
  for (std::uint32_t capacity : {1u, 2u, 3u, 8u, 64u})
    run(capacity, 3, 700ms, false);
}

TEST_CASE("mailbox stress: a large capacity with many senders") { run(100'000, 4, 1'000ms, false); }

TEST_CASE("mailbox stress: one sender and a receiver that often rests") { run(4, 1, 1'000ms, false); }

TEST_CASE("mailbox stress: control messages keep a receiver from blocking") { run(16, 2, 1'000ms, true); }

TEST_CASE("mailbox stress: the last message that fits never exceeds the capacity") {
  // Nobody pops while the senders push: what is in the queue at the end is the capacity exactly.
  for (int round = 0; round < 200; ++round) {
    constexpr std::uint32_t capacity = 5;
    mailbox m;
    std::atomic<std::uint32_t> accepted{0};
    {
      std::vector<std::jthread> producers;
      for (int s = 0; s < 3; ++s)
        producers.emplace_back([&] {
          for (int i = 0; i < 4; ++i) {
            auto* e = make(i);
            if (m.push(e, capacity) == push_result::queued)
              accepted.fetch_add(1);
            else
              take(e);
          }
        });
    }
    REQUIRE(accepted.load() == capacity);
    std::uint32_t popped = 0;
    while (auto* e = m.pop()) {
      take(e);
      ++popped;
    }
    REQUIRE(popped == capacity);
  }
}

#if !defined(__SANITIZE_THREAD__) // which delivers no signal to a thread that computes

namespace {

std::atomic<bool> held{false};
std::atomic<bool> let_go{false};

} // namespace

TEST_CASE("mailbox stress: a sender that was held up while others went on does not open the mailbox to all") {
  // It is held up at any step of a push; in one of ten rounds at the one that matters.
  constexpr std::uint32_t capacity = 1'000;
  constexpr int others = 540'000; // more than half of what the count can tell apart
  struct sigaction hold_up {};
  hold_up.sa_handler = [](int) {
    held = true;
    while (!let_go) {
    }
  };
  struct sigaction before {};
  REQUIRE(::sigaction(SIGUSR1, &hold_up, &before) == 0);
  for (int round = 0; round < 60; ++round) {
    mailbox m;
    for (std::uint32_t i = 0; i < capacity; ++i)
      REQUIRE(m.push(make(i), capacity) != push_result::full);
    held = let_go = false;
    std::atomic<bool> begun{false};
    std::atomic<bool> enough{false};
    std::jthread sender{[&] {
      auto* e = make(0);
      for (; !enough; begun = true)
        if (m.push(e, capacity) != push_result::full)
          e = make(0);
      take(e);
    }};
    while (!begun) {
    }
    for (std::atomic<int> pause{round * 40}; pause > 0; --pause) {
    }
    REQUIRE(::pthread_kill(sender.native_handle(), SIGUSR1) == 0);
    while (!held) {
    }
    for (int i = 0; i < others; ++i) {
      auto* e = m.pop();
      if (m.push(e, capacity) == push_result::full)
        take(e);
    }
    enough = let_go = true;
    sender.join();
    for (std::uint32_t i = 0; i <= capacity; ++i) // nobody pops
      if (auto* e = make(0); m.push(e, capacity) == push_result::full)
        take(e);
    CHECK(m.depth() == capacity);
    while (auto* e = m.pop())
      take(e);
  }
  ::sigaction(SIGUSR1, &before, nullptr);
}

#endif
