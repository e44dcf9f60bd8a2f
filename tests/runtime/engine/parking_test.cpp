// SPDX-License-Identifier: BSD-3-Clause
// Claims: the single steps of the parking protocol, and that no wake-up is lost when they meet on real threads.
// Observed by its own counters on one thread (a token given before `sleep` lets it return at once), then with threads
// that hand work over through one counter. All interleavings of small cases: tests/models/parking.pml.
#include <troupe/engine/parking.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace troupe::engine;
using namespace std::chrono_literals;
using posture = parking::posture;
using woken = parking::woken;

TEST_CASE("parking: all workers start as searchers and no submitter wakes anybody then") {
  parking lot{3};
  lot.work_queued();
  CHECK(lot.searching() == 3);
  CHECK(lot.parked() == 0);
}

TEST_CASE("parking: end_search tells the last searcher") {
  parking lot{2};
  CHECK_FALSE(lot.end_search());
  CHECK(lot.end_search());
  lot.start_search();
  CHECK(lot.end_search());
}

TEST_CASE("parking: who announces while nobody is active goes to sleep") {
  parking lot{2};
  CHECK(lot.announce(0) == posture::asleep);
  CHECK(lot.announce(1) == posture::asleep);
  CHECK(lot.parked() == 2);
  CHECK_FALSE(lot.is_watched());
}

TEST_CASE("parking: the first to announce while another is active goes on watch and the next sleeps") {
  parking lot{3};
  lot.end_search(); // worker 0 is active
  CHECK(lot.announce(1) == posture::on_watch);
  CHECK(lot.announce(2) == posture::asleep);
  CHECK(lot.parked() == 2);
}

TEST_CASE("parking: queued work wakes one worker and none while that one searches") {
  parking lot{2};
  lot.announce(0);
  lot.announce(1);
  lot.work_queued();
  lot.work_queued();
  CHECK(lot.searching() == 1);
  CHECK(lot.parked() == 1);
  CHECK(lot.sleep(1) == woken::to_search); // the last to sleep is the first to wake
}

TEST_CASE("parking: queued work takes a sleeper before it takes the watch") {
  parking lot{3};
  lot.end_search();
  lot.announce(1);
  lot.announce(2);
  lot.work_queued();
  CHECK(lot.is_watched());
  CHECK(lot.sleep(2) == woken::to_search);
  lot.end_search();
  lot.work_queued();
  CHECK_FALSE(lot.is_watched());
  CHECK(lot.nap(1, 10s) == woken::to_search);
}

TEST_CASE("parking: a push into a hot slot wants a watch only while somebody sleeps and nobody watches") {
  parking lot{3};
  lot.announce(1);
  lot.announce(2);
  lot.end_search();
  REQUIRE(lot.wants_watch(false));
  lot.call_watch(0, 42);
  CHECK_FALSE(lot.wants_watch(false));
  CHECK(lot.is_watched());
  CHECK(lot.sleep(2) == woken::to_watch);
  CHECK(lot.caller(2) == 0);
  CHECK(lot.caller_turn(2) == 42);
}

TEST_CASE("parking: a cold push calls a slow watch to attention once") {
  parking lot{2};
  lot.end_search();
  REQUIRE(lot.announce(1) == posture::on_watch);
  CHECK_FALSE(lot.wants_watch(true));
  lot.slow_down(1);
  CHECK_FALSE(lot.wants_watch(false));
  REQUIRE(lot.wants_watch(true));
  lot.call_watch(0, 7);
  CHECK_FALSE(lot.wants_watch(true));
  CHECK(lot.nap(1, 10s) == woken::to_watch);
  CHECK(lot.nap(1, 1us) == woken::by_time);
}

TEST_CASE("parking: the watch retires only when no worker is active") {
  parking lot{2};
  lot.end_search();
  lot.announce(1);
  CHECK_FALSE(lot.retire_watch(1));
  lot.start_search(); // worker 0 is not active any more
  CHECK(lot.retire_watch(1));
  CHECK_FALSE(lot.is_watched());
  CHECK(lot.parked() == 1);
}

TEST_CASE("parking: who leaves the watch with loot passes it on to a sleeper") {
  parking lot{3};
  lot.end_search();
  lot.announce(1);
  lot.announce(2);
  CHECK(lot.leave_watch(1));
  CHECK(lot.is_watched());
  CHECK(lot.sleep(2) == woken::to_watch);
  CHECK(lot.leave_watch(2)); // nobody left to pass it on to
  CHECK_FALSE(lot.is_watched());
}

TEST_CASE("parking: a watch that was taken meanwhile does not leave but searches") {
  parking lot{2};
  lot.end_search();
  lot.announce(1);
  lot.work_queued();
  CHECK_FALSE(lot.leave_watch(1));
  CHECK(lot.searching() == 1);
}

TEST_CASE("parking: a called worker that is taken before it noticed gets one token") {
  parking lot{2};
  lot.announce(1);
  lot.end_search();
  lot.call_watch(0, 0);
  lot.work_queued(); // takes the called watch
  CHECK(lot.sleep(1) == woken::to_search);
  CHECK(lot.announce(1) == posture::on_watch);
  CHECK(lot.nap(1, 1us) == woken::by_time); // a second token would show here
}

TEST_CASE("parking: wake_all takes sleepers and the watch whoever searches") {
  parking lot{4};
  lot.end_search();
  lot.announce(1);
  lot.announce(2);
  lot.wake_all();
  CHECK(lot.parked() == 0);
  CHECK(lot.searching() == 3);
}

TEST_CASE("parking: no wake-up is lost between submitters and workers that park") {
  constexpr unsigned workers = 3;
  constexpr int items = 30'000;
  parking lot{workers};
  std::atomic<int> queued{0};
  std::atomic<int> done{0};
  std::atomic<bool> stopping{false};
  const auto try_take = [&] {
    for (auto seen = queued.load(); seen > 0;)
      if (queued.compare_exchange_weak(seen, seen - 1))
        return true;
    return false;
  };
  const auto work = [&](unsigned me) {
    for (;;) {
      if (stopping.load())
        return;
      if (try_take()) {
        if (lot.end_search() && queued.load() > 0)
          lot.work_queued();
        do
          done.fetch_add(1);
        while (try_take());
        lot.start_search();
        continue;
      }
      auto at = lot.announce(me);
      if (stopping.load())
        lot.wake_all();
      else if (queued.load() > 0)
        lot.work_queued();
      auto next = woken::to_watch;
      do { // on watch, the others' turns are not looked at: only waking is tested here
        if (at == posture::on_watch && !lot.retire_watch(me)) {
          next = lot.nap(me, 50us);
          continue;
        }
        at = posture::asleep;
        next = lot.sleep(me);
      } while (next != woken::to_search);
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < workers; ++i)
    threads.emplace_back(work, i);
  for (int i = 0; i < items; ++i) {
    queued.fetch_add(1);
    lot.work_queued();
    while (i % 3 == 0 && queued.load() > 0) // a lost wake-up hangs here
      std::this_thread::yield();
  }
  while (done.load() < items)
    std::this_thread::yield();
  CHECK(done.load() == items);
  stopping.store(true);
  lot.wake_all();
}
