// SPDX-License-Identifier: BSD-3-Clause
// Oracle: every message has one end. What was handled was handled once and in its sender's order; what overran was dropped,
// once per replacement; the books say the same; at the end every actor answers and every replaced object has gone.
// What may vary: the interleaving, on real threads; which handlers overrun on a busy machine.
// TROUPE_TEST_MESSAGES: messages of one sender (default 20,000).
#include <troupe/system.hpp>

#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using namespace support;

namespace {

constexpr unsigned senders = 2;
constexpr unsigned actors = 6;

struct work {
  unsigned sender;
  std::uint64_t number; // from 1, ascending, to this actor
  enum class how : unsigned char { well, crash, hang } how;
};
struct query {
  using reply = int;
};

/// What all incarnations of one actor have handled.
struct trace {
  std::array<std::atomic<std::uint64_t>, senders> last{};
  std::atomic<std::uint64_t> handled{0}; // began to be, and did not throw
  std::atomic<std::uint64_t> disorder{0};
  std::atomic<int> objects{0};
};

class fitful : public actor<fitful, work, query> {
public:
  explicit fitful(std::shared_ptr<trace> t) : trace_{std::move(t)} { ++trace_->objects; }
  ~fitful() { --trace_->objects; }

  void on(const work& m) {
    if (m.how == work::how::crash)
      throw std::runtime_error{"crash"};
    // Numbers of one sender only ascend, whichever incarnation handles them.
    trace_->disorder += trace_->last[m.sender].exchange(m.number) >= m.number;
    ++trace_->handled;
    ++local_; // of this object alone: a data race if two threads were in it
    if (m.how == work::how::hang)
      std::this_thread::sleep_for(60ms); // the handler that hangs
  }
  int on(const query&) const { return local_; }

private:
  const std::shared_ptr<trace> trace_;
  int local_ = 0;
};

} // namespace

TEST_CASE("supervision stress: actors that are replaced at random lose nothing but what overran") {
  const auto messages = setting("TROUPE_TEST_MESSAGES", fewer_if_sanitized(20'000));
  std::atomic<std::uint64_t> replaced{0}, returned{0};
  troupe::system sys{{.workers = 2, .spare_workers = 32}};
  const auto listening = sys.events().subscribe([&](const event& e) {
    const auto* s = std::get_if<supervision_event>(&e);
    replaced += s != nullptr && s->what == supervision_event::kind::replaced;
    returned += s != nullptr && s->what == supervision_event::kind::returned;
  });
  supervisor_options o{.intensity = unlimited, .group_intensity = unlimited};
  o.backoff = {.min = 1us, .max = 1us, .jitter = 0.0};
  auto top = sys.supervise("top", o);
  child_options child;
  child.handler_budget = 20ms;
  child.on_overrun = overrun_action::replace;
  child.mailbox.capacity = mailbox_options::capacity_max;
  std::vector<std::shared_ptr<trace>> traces;
  std::vector<ref<fitful>> refs;
  for (unsigned i = 0; i < actors; ++i) {
    traces.push_back(std::make_shared<trace>());
    refs.push_back(top.start<fitful>("a" + std::to_string(i), child, traces.back()));
  }
  std::vector<std::thread> threads;
  std::array<std::atomic<std::uint64_t>, actors> accepted{};
  for (unsigned s = 0; s < senders; ++s)
    threads.emplace_back([&, s] {
      std::mt19937_64 draw{s};
      for (std::uint64_t n = 1; n <= messages; ++n) {
        const auto to = draw() % actors;
        const auto chance = draw() % 1'000;
        // Twenty hangs of one sender at most: each holds a thread for a while.
        const auto how = n % (messages / 20 + 1) == 0 ? work::how::hang
                         : chance < 10                ? work::how::crash
                                                      : work::how::well;
        accepted[to] += refs[to].tell(work{s, n, how}) == delivery::accepted;
      }
    });
  for (auto& t : threads)
    t.join();
  for (unsigned i = 0; i < actors; ++i)
    (void)refs[i].ask(query{}, 60s).get(); // throws if one does not answer
  for (int i = 0; i < 10'000 && returned < replaced; ++i)
    std::this_thread::sleep_for(1ms); // seams: real threads
  const auto report = sys.shutdown(60s);
  CHECK(report.complete);
  CHECK(report.unaccounted == 0);
  CHECK(report.books.balanced());
  std::uint64_t dropped = 0, quarantined = 0, sent = 0;
  for (unsigned i = 0; i < actors; ++i) {
    CAPTURE(i);
    const auto b = refs[i].books();
    CHECK(b.balanced());
    CHECK(b.queued == 0);
    CHECK(b.accepted == accepted[i] + 1); // the query
    CHECK(traces[i]->disorder.load() == 0);
    CHECK(traces[i]->objects.load() == 0);
    // A handler that was replaced had begun, and counts as dropped.
    CHECK(traces[i]->handled.load() >= b.handled - 1);
    CHECK(traces[i]->handled.load() <= b.handled - 1 + b.dropped);
    dropped += b.dropped;
    quarantined += b.quarantined;
    sent += b.accepted;
  }
  CHECK(dropped == replaced.load());
  CHECK(replaced.load() > 0);
  MESSAGE(sent << " messages, " << quarantined << " crashes, " << replaced.load() << " replacements, " << dropped
               << " dropped");
}
