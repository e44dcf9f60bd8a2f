// SPDX-License-Identifier: BSD-3-Clause
// Claims: who subscribes is told what became of messages that reached no handler, and not after the subscription's end.
// Observed on stepped systems and on an event_stream alone.
#include <troupe/observe/event.hpp>
#include <troupe/observe/flight_record.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using support::with_mailbox;
using troupe::dead_letter;
using troupe::drop_reason;
using troupe::event_stream;
using troupe::supervision_event;

namespace {

struct note {
  using reply = int;
};
struct boom {};

class sink : public troupe::actor<sink, note, boom> {
public:
  int on(const note&) { return 1; }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
};

struct letters {
  explicit letters(troupe::system& sys)
      : subscription{sys.events().subscribe([this](const troupe::event& e) {
          if (const auto* l = std::get_if<dead_letter>(&e))
            seen.push_back(*l);
        })} {}
  std::vector<dead_letter> seen;
  event_stream::subscription subscription;
};

} // namespace

TEST_CASE("event: a dead letter names its cause and receiver and message type") {
  troupe::system sys{stepped()};
  letters l{sys};
  dead_letter::cause why{};
  drop_reason reason{};
  SUBCASE("mailbox_full") {
    auto a = sys.root().start<sink>("a", with_mailbox(1));
    a.tell(note{});
    a.tell(note{});
    why = dead_letter::cause::mailbox_full;
    reason = drop_reason::overflow;
  }
  SUBCASE("dropped by drop_newest") {
    auto a = sys.root().start<sink>("a", with_mailbox(1, troupe::drop_newest));
    a.tell(note{});
    a.tell(note{});
    why = dead_letter::cause::dropped;
    reason = drop_reason::overflow;
  }
  SUBCASE("dropped by drop_oldest") {
    auto a = sys.root().start<sink>("a", with_mailbox(1, troupe::drop_oldest));
    a.tell(note{});
    a.tell(note{});
    why = dead_letter::cause::dropped;
    reason = drop_reason::overflow;
  }
  SUBCASE("receiver_stopped") {
    auto a = sys.root().start<sink>("a");
    a.stop();
    sys.run_until_idle();
    a.tell(note{});
    why = dead_letter::cause::receiver_stopped;
    reason = drop_reason::stopped;
  }
  SUBCASE("dropped by a stop") {
    auto a = sys.root().start<sink>("a");
    a.tell(note{});
    a.stop();
    sys.run_until_idle();
    why = dead_letter::cause::dropped;
    reason = drop_reason::stopped;
  }
  SUBCASE("expired") {
    troupe::child_options o;
    o.backoff = troupe::backoff_options{.min = 60s, .max = 60s, .jitter = 0.0, .immediate_first = false};
    auto a = sys.root().start<sink>("a", o);
    a.tell(boom{});
    sys.run_until_idle();
    auto r = a.ask(note{}, 1s);
    sys.advance(61s);
    why = dead_letter::cause::expired;
  }
  REQUIRE(l.seen.size() == 1);
  CHECK(l.seen[0].why == why);
  CHECK(l.seen[0].reason == reason);
  CHECK(l.seen[0].receiver == "a");
  CHECK(l.seen[0].message_type.find("note") != std::string::npos);
}

TEST_CASE("event: a message that did not fit into the quarantine is a dead letter") {
  auto options = stepped();
  options.quarantine_capacity = 0;
  troupe::system sys{options};
  letters l{sys};
  auto a = sys.root().start<sink>("a");
  a.tell(boom{});
  sys.run_until_idle();
  REQUIRE(l.seen.size() == 1);
  CHECK(l.seen[0].why == dead_letter::cause::dropped);
  CHECK(l.seen[0].reason == drop_reason::quarantine_full);
  CHECK(a.books() == troupe::ledger{.accepted = 1, .dropped = 1});
}

TEST_CASE("event: a subscriber is told until its subscription ends") {
  event_stream stream;
  CHECK_FALSE(stream.observed());
  stream.publish(dead_letter{});
  int a = 0;
  int b = 0;
  auto first = stream.subscribe([&](const troupe::event&) { ++a; });
  {
    auto second = stream.subscribe([&](const troupe::event&) { ++b; });
    CHECK(stream.observed());
    stream.publish(dead_letter{});
  }
  stream.publish(dead_letter{});
  CHECK(a == 2);
  CHECK(b == 1);
  auto moved = std::move(first);
  stream.publish(dead_letter{});
  CHECK(a == 3);
  moved = {};
  stream.publish(dead_letter{});
  CHECK(a == 3);
  CHECK_FALSE(stream.observed());
}

TEST_CASE("event: a subscriber may end its own subscription and others and begin new ones") {
  event_stream stream;
  const auto kept = std::make_shared<std::string>(100, 'x');
  std::string seen;
  std::optional<event_stream::subscription> self;
  std::optional<event_stream::subscription> other;
  std::optional<event_stream::subscription> fresh;
  int others = 0;
  int fresh_ones = 0;
  self = stream.subscribe([&, kept](const troupe::event&) {
    self.reset();
    other.reset();
    fresh = stream.subscribe([&](const troupe::event&) { ++fresh_ones; });
    seen += *kept; // what it captured is still there
  });
  other = stream.subscribe([&](const troupe::event&) { ++others; });
  stream.publish(dead_letter{});
  stream.publish(dead_letter{});
  CHECK(seen == *kept);
  CHECK(kept.use_count() == 1); // and goes when it has returned
  CHECK(others == 0);
  CHECK(fresh_ones == 1);
}

TEST_CASE("event: a subscriber may cause an event itself") {
  event_stream stream;
  int calls = 0;
  auto s = stream.subscribe([&](const troupe::event&) {
    if (++calls < 3)
      stream.publish(dead_letter{});
  });
  stream.publish(dead_letter{});
  CHECK(calls == 3);
}

TEST_CASE("event: no call is under way on another thread when a subscription has ended") {
  event_stream stream;
  std::atomic<bool> stop{false};
  std::jthread publisher{[&] {
    while (!stop.load())
      stream.publish(dead_letter{});
  }};
  std::atomic<int> after{0};
  for (int i = 0; i < 2'000; ++i) {
    auto ended = std::make_unique<std::atomic<bool>>(false);
    {
      auto s = stream.subscribe([&, flag = ended.get()](const troupe::event&) {
        if (flag->load())
          after.fetch_add(1);
      });
      if (i % 3 == 0)
        std::this_thread::yield();
    }
    ended->store(true);
  }
  stop.store(true);
  publisher.join();
  CHECK(after.load() == 0);
}

TEST_CASE("event: everything that reports name has a name of its own, as written in the source") {
  const auto names = [](auto first) {
    std::vector<std::string> all;
    for (int i = 0; i < 256; ++i)
      if (const std::string name = to_string(static_cast<decltype(first)>(i)); name != "?")
        all.push_back(name);
    return all;
  };
  using list = std::vector<std::string>;
  CHECK(names(troupe::errc{}) == list{"timed_out", "mailbox_full", "stopped", "restarted", "failed", "dropped",
                                      "no_reply", "name_taken", "unavailable", "not_found", "not_stopped",
                                      "bad_options", "shutting_down"});
  CHECK(names(troupe::delivery{}) == list{"accepted", "dropped", "rejected", "stopped"});
  CHECK(names(drop_reason{}) == list{"overflow", "stopped", "restarted", "resumed", "quarantine_full", "overran"});
  CHECK(names(dead_letter::cause{}) ==
        list{"mailbox_full", "receiver_stopped", "dropped", "expired", "unavailable", "unhandled"});
  CHECK(names(supervision_event::kind{}) == list{"started", "failed", "restarted", "resumed", "quarantined", "stopped",
                                                 "gave_up", "escalated", "stuck", "overran", "replaced", "returned",
                                                 "questionable", "rehearsed"});
  const dead_letter l{dead_letter::cause::dropped, drop_reason::overflow, "order", "shop/till"};
  CHECK(to_string(l) == "dropped (overflow): order for shop/till");
}

TEST_CASE("event: the text of a supervision event has what is known and leaves out what is not") {
  using kind = supervision_event::kind;
  supervision_event e;
  e.what = kind::started;
  e.child = "shop";
  CHECK(to_string(e) == "root: shop started");
  e = {};
  e.what = kind::restarted;
  e.supervisor = "shop";
  e.child = "shop/till";
  e.why = "std::runtime_error: no paper";
  e.message_type = "print";
  e.attempt = 3;
  e.delay = 400ms;
  CHECK(to_string(e) ==
        "shop: shop/till restarted: std::runtime_error: no paper (handling print) (attempt 3) after 400 ms");
  e.what = kind::quarantined;
  e.delay = {};
  e.at = troupe::time_point{5s};
  e.recent.push_back(
      {.at = troupe::time_point{2s}, .sender = 7, .message_type = "scan", .took = 1500ns, .failed = true});
  CHECK(to_string(e) == "shop: shop/till quarantined: std::runtime_error: no paper (handling print) (attempt 3)\n"
                        "        3 s ago  scan  from #7  took 1.5 us  FAILED\n");
}

TEST_CASE("event: durations are readable from nanoseconds to hours") {
  using troupe::readable;
  CHECK(readable(0ns) == "0 ns");
  CHECK(readable(999ns) == "999 ns");
  CHECK(readable(1'000ns) == "1 us");
  CHECK(readable(12'345ns) == "12.3 us");
  CHECK(readable(1ms) == "1 ms");
  CHECK(readable(250ms) == "250 ms");
  CHECK(readable(1s) == "1 s");
  CHECK(readable(90min) == "5400 s");
}
