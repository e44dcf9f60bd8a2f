// SPDX-License-Identifier: BSD-3-Clause
// Claim: no wake-up is lost, and no two workers ever run the same receiver, on the parts that carry every wake-up: the
// mailbox word, the control lane, and the scheduler with its slots, run queues, injector and parking.
// Oracle: tokens hop from seat to seat until their hops are used up; each hop is counted. A lost wake-up leaves a token
// where it is: the round makes no progress and the test says so. What may vary: the order, the worker, how many of the
// hops find their receiver idle (only those count as wake-ups), how often workers park.
// TROUPE_WAKE_UPS sets how many wake-ups are made in all (default 8,000,000), TROUPE_TEST_SEED seeds the choices.
#include <troupe/engine/scheduler.hpp>
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/mailbox/mailbox.hpp>

#include "runtime/mailbox/support.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace troupe::engine;
using namespace troupe::detail;
using mailbox_test::make;
using mailbox_test::take;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

std::uint64_t wake_ups_wanted() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return setting("TROUPE_WAKE_UPS", 1'000'000);
#else
  return setting("TROUPE_WAKE_UPS", 8'000'000);
#endif
}

struct generator {
  std::uint64_t state;
  std::uint64_t operator()(std::uint64_t below) noexcept { // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 0x2545f4914f6cdd1d >> 33) % below;
  }
};

constexpr std::uint32_t capacity = 64; // more than there are tokens and questions
constexpr std::size_t clients = 12;
constexpr std::size_t servers = 3;

struct signal final : control_message {
  explicit signal(bool is_nudge) : nudge{is_nudge} {}
  void deliver(cell&) noexcept override {}
  void refuse(cell&) noexcept override {}

  const bool nudge;                 // else an answer
  std::atomic<bool> pending{false}; // a nudge is on its way
};

class seat;

/// What the seats of one run share.
struct table {
  scheduler where;
  std::vector<std::unique_ptr<seat>> seats{}; // clients, then servers
  std::atomic<int> overlaps{0};
  std::mutex mutex{};
  std::condition_variable ended{};
  int tokens = 0; // on their way; under mutex

  void begin_token() {
    const std::scoped_lock lock{mutex};
    ++tokens;
  }

  void end_token() {
    const std::scoped_lock lock{mutex};
    if (--tokens == 0)
      ended.notify_one();
  }
};

/// An actor reduced to what wakes it. A client passes tokens on, and for one in four it first asks a server and waits,
/// blocked, for the answer on its control lane. A server answers. Now and then a client nudges another on its control
/// lane, whatever that is doing; a nudge counts as a token with no hops.
class seat final : public runnable {
public:
  seat(table& at, std::uint64_t seed) : table_{at}, random_{seed | 1} {}

  /// Returns whether that was a wake-up.
  bool receive(envelope* e) noexcept {
    const auto r = mailbox_.push(e, capacity);
    if (r == push_result::queued_and_wake)
      schedule(table_.where, *this);
    else if (r != push_result::queued)
      std::abort(); // the capacity is enough
    return r == push_result::queued_and_wake;
  }

  bool receive_control(signal& m) noexcept {
    auto* here = worker::current();
    const bool recalled = here != nullptr && here->recall(*this);
    const bool wakes = (control_.push(&m) == lane_push::first && mailbox_.attend()) || recalled;
    if (wakes)
      schedule(table_.where, *this);
    return wakes;
  }

  /// As `cell::run`.
  run_result run() noexcept override {
    enter();
    for (int messages = 0; messages < 8;) {
      if (mailbox_.take_attention())
        serve_control();
      dawdle();
      leave();
      if (kept_ != nullptr && (lingers() || mailbox_.block()))
        return run_result::idle;
      enter();
      if (kept_ != nullptr)
        continue;
      if (auto* e = mailbox_.pop()) {
        ++messages;
        handle(e);
        continue;
      }
      dawdle();
      leave();
      if (lingers() || mailbox_.rest())
        return run_result::idle;
      enter();
    }
    leave();
    return run_result::again;
  }

  bool ready_to_start() noexcept { return mailbox_.rest(); }
  bool at_rest() const noexcept { return kept_ == nullptr && mailbox_.depth() == 0; }

  // -- the turn writes, any thread reads --
  std::atomic<std::uint64_t> hops{0};
  std::atomic<std::uint64_t> wake_ups{0};

private:
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t by) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed); // relaxed: figures only
  }

  /// Every other time that it can. Not always: two could go on with that for ever.
  bool lingers() noexcept {
    auto* here = worker::current();
    if (here == nullptr || random_(2) != 0 || !here->may_linger())
      return false;
    here->linger(*this);
    return true;
  }

  void enter() noexcept {
    if (inside_.exchange(true))
      table_.overlaps.fetch_add(1);
  }
  void leave() noexcept { inside_.store(false); }

  void serve_control() noexcept {
    for (auto* m = control_.take(); m != nullptr;) {
      auto& s = static_cast<signal&>(*std::exchange(m, m->next_control));
      if (s.nudge) {
        s.pending.store(false);
        table_.end_token();
      } else {
        pass_on(std::exchange(kept_, nullptr));
      }
    }
  }

  /// Lets others in between a look and the step that relies on it.
  void dawdle() noexcept {
    if (random_(16) == 0)
      for (auto n = random_(400); n > 0; --n)
        asm volatile("" ::: "memory");
  }

  void handle(envelope* e) noexcept {
    if (e->deadline < 0) { // a question
      auto& from = *table_.seats[static_cast<std::size_t>(-take(e) - 1)];
      add(wake_ups, from.receive_control(from.answer_) ? 1 : 0);
      return;
    }
    if (random_(64) == 0)
      for (auto n = random_(20'000); n > 0; --n) // a long turn now and then
        asm volatile("" ::: "memory");
    if (random_(16) == 0 && !nudge_.pending.exchange(true)) {
      table_.begin_token();
      add(wake_ups, table_.seats[random_(clients)]->receive_control(nudge_) ? 1 : 0);
    }
    if (random_(4) != 0)
      return pass_on(e);
    kept_ = e;
    auto& server = *table_.seats[clients + random_(servers)];
    add(wake_ups, server.receive(make(-1 - index())) ? 1 : 0);
  }

  void pass_on(envelope* e) noexcept {
    const auto left = take(e);
    if (left == 0)
      return table_.end_token();
    add(hops, 1);
    add(wake_ups, table_.seats[random_(clients)]->receive(make(left - 1)) ? 1 : 0);
  }

  std::int64_t index() const noexcept {
    std::int64_t i = 0;
    while (table_.seats[static_cast<std::size_t>(i)].get() != this)
      ++i;
    return i;
  }

  table& table_;
  mailbox mailbox_;
  control_lane control_;
  std::atomic<bool> inside_{false};

  // -- the turn only --
  generator random_;
  envelope* kept_ = nullptr; // the token for which an answer is awaited
  signal answer_{false};     // at most one on its way
  signal nudge_{true};       // set by this seat, cleared by its receiver
};

/// Rounds of one to eight tokens, most of them with so few hops that the workers park after each, until `wanted`
/// wake-ups were made.
void play(unsigned workers, std::uint64_t wanted, unsigned hot_turns_max = 64) {
  CAPTURE(workers);
  const auto seed = setting("TROUPE_TEST_SEED", 1);
  CAPTURE(seed);
  generator random{seed * 31 + workers};
  table t{.where = scheduler{{.workers = workers, .hot_turns_max = hot_turns_max, .seed = seed}}};
  for (std::size_t i = 0; i < clients + servers; ++i) {
    t.seats.push_back(std::make_unique<seat>(t, seed * 1000 + i + 7919 * workers));
    REQUIRE(t.seats.back()->ready_to_start());
  }
  t.where.start();
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t hops = 0;
  std::uint64_t from_outside = 0;
  std::uint64_t wake_ups = 0;
  while (wake_ups < wanted) {
    const auto tokens = static_cast<int>(random(8) + 1);
    const auto length = random(32) != 0 ? 8u : 4'000u;
    {
      const std::scoped_lock lock{t.mutex};
      t.tokens = tokens;
    }
    for (int i = 0; i < tokens; ++i) {
      const auto left = random(length);
      hops += left;
      from_outside += t.seats[random(clients)]->receive(make(static_cast<std::int64_t>(left))) ? 1 : 0;
    }
    {
      std::unique_lock lock{t.mutex};
      const bool over = t.ended.wait_for(lock, std::chrono::seconds{30}, [&] { return t.tokens == 0; });
      if (!over) { // the receivers are still in use: nothing may be destroyed
        std::fprintf(stderr, "a wake-up was lost: %d tokens stand still after %llu wake-ups, %u workers, seed %llu\n",
                     t.tokens, static_cast<unsigned long long>(wake_ups), workers,
                     static_cast<unsigned long long>(seed));
        std::_Exit(1);
      }
    }
    wake_ups = from_outside;
    for (auto& s : t.seats)
      wake_ups += s->wake_ups.load(std::memory_order_relaxed);
  }
  t.where.stop();
  for (auto* r : t.where.drain()) // a seat that gave its worker back with its last message handled
    CHECK(r->run() == run_result::idle);
  std::uint64_t hopped = 0;
  for (auto& s : t.seats) {
    hopped += s->hops.load();
    CHECK(s->at_rest());
  }
  CHECK(hopped == hops);
  CHECK(t.overlaps.load() == 0);
  std::uint64_t parks = 0;
  for (auto& w : t.where.statistics())
    parks += w.parks;
  CHECK(parks > 0);
  const auto took = std::chrono::duration<double>{std::chrono::steady_clock::now() - begun}.count();
  MESSAGE(workers << " workers: " << wake_ups << " wake-ups, " << from_outside << " of them from outside, " << hops
                  << " hops, " << parks << " parks, " << took << " s");
}

} // namespace

TEST_CASE("wake-up stress: one worker loses no wake-up") { play(1, wake_ups_wanted() / 10); }

TEST_CASE("wake-up stress: two workers lose no wake-up") { play(2, wake_ups_wanted() / 2); }

TEST_CASE("wake-up stress: three workers lose no wake-up") { play(3, wake_ups_wanted() / 5); }

TEST_CASE("wake-up stress: five workers lose no wake-up") { play(5, wake_ups_wanted() / 5); }

TEST_CASE("wake-up stress: partners that give way to others at once lose no wake-up") {
  for (const unsigned hot_turns_max : {1u, 3u})
    play(4, wake_ups_wanted() / 20, hot_turns_max);
}
