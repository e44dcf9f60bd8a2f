// SPDX-License-Identifier: BSD-3-Clause
// Claims: under threads nothing is lost, and what is torn down while it fails ends.
// TROUPE_STRESS_PERCENT: scales the flood, of which 100 means 10^6 messages.
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using namespace support;

namespace {

struct numbered {
  std::uint32_t sender;
  std::uint32_t number;
  bool fails;
};

struct tally {
  static constexpr unsigned senders = 4;
  std::array<std::uint32_t, senders> last{};
  std::uint64_t seen = 0, out_of_order = 0;
};

/// What outlives its incarnations: read when all has ended.
class receiver : public actor<receiver, numbered> {
public:
  explicit receiver(std::shared_ptr<tally> t) : tally_{std::move(t)} {}
  void on(const numbered& m) {
    auto& last = tally_->last[m.sender];
    tally_->out_of_order += m.number <= last;
    last = m.number;
    ++tally_->seen;
    if (m.fails)
      throw std::runtime_error{"crash"};
  }

private:
  const std::shared_ptr<tally> tally_;
};

} // namespace

TEST_CASE("supervision stress: a flood with one crash in a hundred loses nothing and keeps each sender's order") {
  const auto messages = fewer_if_sanitized(1'000'000) * setting("TROUPE_STRESS_PERCENT", 100) / 100;
  constexpr unsigned actors = 64;
  troupe::system sys{system_options{.workers = 2, .quarantine_capacity = 1'000}};
  auto top =
      sys.supervise("top", {.intensity = unlimited, .group_intensity = unlimited, .backoff = {.min = 1ms, .max = 1ms}});
  std::vector<std::shared_ptr<tally>> tallies;
  std::vector<ref<receiver>> refs;
  for (unsigned i = 0; i < actors; ++i) {
    tallies.push_back(std::make_shared<tally>());
    refs.push_back(top.start<receiver>("r" + std::to_string(i), {.mailbox = {.capacity = 10'000}}, tallies.back()));
  }
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> crashes{0};
  std::vector<std::thread> threads;
  for (unsigned s = 0; s < tally::senders; ++s)
    threads.emplace_back([&, s] {
      std::mt19937_64 draw{s + 1};
      std::array<std::uint32_t, actors> numbers{};
      std::uint64_t failing = 0;
      for (std::uint64_t i = 0; i < messages / tally::senders; ++i) {
        const auto to = draw() % actors;
        const bool fails = draw() % 100 == 0;
        failing += fails;
        while (refs[to].tell(numbered{s, numbers[to] + 1, fails}) != delivery::accepted)
          std::this_thread::yield();
        ++numbers[to];
      }
      crashes += failing;
    });
  for (auto& t : threads)
    t.join();
  const auto report = sys.shutdown(120s);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  MESSAGE(messages << " messages and " << crashes.load() << " crashes in " << took.count() << " s, " << sys.restarts()
                   << " restarts");
  std::uint64_t seen = 0, disorder = 0;
  for (const auto& t : tallies) {
    seen += t->seen;
    disorder += t->out_of_order;
  }
  const auto sent = messages / tally::senders * tally::senders;
  CHECK(report.complete);
  CHECK(report.drained);
  CHECK(report.unaccounted == 0);
  CHECK(seen == sent);
  CHECK(disorder == 0);
  CHECK(sys.restarts() == crashes);
  CHECK(report.books.balanced());
  CHECK(report.books.accepted == sent);
  CHECK(report.books.handled == sent - crashes);
  CHECK(report.books.quarantined == std::min<std::uint64_t>(crashes, 1'000));
  CHECK(report.books.queued == 0);
}

namespace {

struct trip {
  bool fails;
};

class brittle : public actor<brittle, trip> {
public:
  void on(const trip& t) {
    if (t.fails)
      throw std::runtime_error{"trip"};
  }
};

} // namespace

TEST_CASE("supervision stress: trees that are torn down by threads while they fail always end") {
  const auto rounds = fewer_if_sanitized(3'000);
  constexpr strategy kinds[] = {one_for_one, one_for_all, rest_for_one, dynamic};
  troupe::system sys{system_options{.workers = 2}};
  auto top = sys.supervise("top", {.strategy = dynamic, .intensity = unlimited, .group_intensity = unlimited});
  std::atomic<unsigned> late{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      std::mt19937_64 draw{t + 1};
      for (std::uint64_t i = 0; i < rounds; ++i) {
        supervisor_options o{.strategy = kinds[draw() % 4], .intensity = static_cast<unsigned>(draw() % 3)};
        o.backoff = {.min = 1ms, .max = 1ms};
        auto outer = top.supervise("outer" + std::to_string(t), o);
        auto inner = outer.supervise("inner", o);
        for (int n = 0; n < 6; ++n) {
          // A failure may have halted or ended its supervisor by now; both are fine.
          auto a = (n % 2 != 0 ? inner : outer).start<brittle>("");
          for (int m = 0; m < 4; ++m)
            a.tell(trip{draw() % 4 == 0});
          if (draw() % 8 == 0)
            a.stop();
        }
        draw() % 2 != 0 ? outer.stop() : outer.kill();
        late += !sys.wait_stopped(outer, 20s);
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(late == 0);
  CHECK(top.children().empty());
  const auto report = sys.shutdown();
  CHECK(report.complete);
  CHECK(report.unaccounted == 0);
  CHECK(report.books.balanced());
  CHECK(report.books.accepted == report.books.handled + report.books.dropped + report.books.quarantined);
}
