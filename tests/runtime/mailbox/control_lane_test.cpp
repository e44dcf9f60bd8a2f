// SPDX-License-Identifier: BSD-3-Clause
// Claims: first in first out, unbounded, and after the close every message is refused by its sender or by the closer.
// Observed through the numbers of the messages handed out.
#include <troupe/mailbox/control_lane.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

using troupe::detail::cell;
using troupe::detail::control_lane;
using troupe::detail::control_message;
using troupe::detail::lane_push;

namespace {

struct numbered final : control_message {
  void deliver(cell&) noexcept override {}
  void refuse(cell&) noexcept override {}
  int sender = 0;
  int number = 0;
};

std::vector<int> numbers(control_message* list) {
  std::vector<int> result;
  for (; list != nullptr; list = list->next_control)
    result.push_back(static_cast<numbered*>(list)->number);
  return result;
}

} // namespace

TEST_CASE("control_lane: messages are taken oldest first and once") {
  control_lane lane;
  std::array<numbered, 5> messages;
  for (int i = 0; i < 5; ++i) {
    messages[static_cast<std::size_t>(i)].number = i;
    CHECK(lane.push(&messages[static_cast<std::size_t>(i)]) == (i == 0 ? lane_push::first : lane_push::behind));
  }
  CHECK(numbers(lane.take()) == std::vector{0, 1, 2, 3, 4});
  CHECK(lane.take() == nullptr);
  CHECK(lane.push(&messages[3]) == lane_push::first); // a message may travel again
  CHECK(lane.push_behind(&messages[1]));
  CHECK(numbers(lane.take()) == std::vector{3, 1});
  CHECK_FALSE(lane.push_behind(&messages[1])); // there is nothing to be behind of
}

TEST_CASE("control_lane: closing hands out what waits and refuses the rest untouched") {
  control_lane lane;
  numbered a;
  a.number = 1;
  numbered b;
  b.next_control = &a;
  CHECK(lane.push(&a) == lane_push::first);
  CHECK(numbers(lane.close()) == std::vector{1});
  CHECK(lane.push(&b) == lane_push::closed);
  CHECK_FALSE(lane.push_behind(&b));
  CHECK(b.next_control == &a);
}

TEST_CASE("control_lane: each message of many senders is taken once in its sender's order or refused after the close") {
  constexpr int senders = 4;
  constexpr int each = 20'000;
  control_lane lane;
  std::vector<std::vector<numbered>> messages(senders, std::vector<numbered>(each));
  std::array<std::atomic<int>, senders> pushed{};
  std::atomic<int> running{senders};
  std::vector<std::jthread> threads;
  for (int s = 0; s < senders; ++s)
    threads.emplace_back([&, s] {
      auto& mine = messages[static_cast<std::size_t>(s)];
      for (int i = 0; i < each; ++i) {
        auto& m = mine[static_cast<std::size_t>(i)];
        m.sender = s;
        m.number = i;
        if (!lane.push_behind(&m) && lane.push(&m) == lane_push::closed)
          break;
        pushed[static_cast<std::size_t>(s)].store(i + 1);
      }
      running.fetch_sub(1);
    });
  std::array<int, senders> next{};
  bool in_order = true;
  const auto see = [&](control_message* list) {
    for (; list != nullptr; list = list->next_control) {
      const auto& m = *static_cast<numbered*>(list);
      in_order = in_order && m.number == next[static_cast<std::size_t>(m.sender)]++;
    }
  };
  while (running.load() == senders) // close in the middle of the traffic, or at its end
    see(lane.take());
  see(lane.close());
  threads.clear();
  CHECK(in_order);
  for (std::size_t s = 0; s < senders; ++s)
    CHECK(next[s] == pushed[s].load());
}
