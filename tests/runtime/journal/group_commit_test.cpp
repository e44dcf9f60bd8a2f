// SPDX-License-Identifier: BSD-3-Clause
// Claim: writes are committed in the order in which they were handed over, what waits goes together, and no more waits than
// is allowed.
// Observed: the groups that a commit function is given, while it is held by a gate.
#include <troupe/journal/group_commit.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::unique_ptr<troupe::journal_write> write_of(std::string key, std::function<void(std::exception_ptr)> done = {}) {
  auto w = std::make_unique<troupe::journal_write>();
  w->key = std::move(key);
  w->done = std::move(done);
  return w;
}

/// Lets one commit through for each permit and notes what was in it.
struct gate {
  std::counting_semaphore<> arrived{0};
  std::counting_semaphore<> permits{0};
  std::vector<std::vector<std::string>> groups; // the writer's, until it has ended

  troupe::group_commit::commit_function function() {
    return [this](std::span<const std::unique_ptr<troupe::journal_write>> batch) {
      arrived.release();
      permits.acquire();
      auto& g = groups.emplace_back();
      for (const auto& w : batch)
        g.push_back(w->key);
    };
  }
};

} // namespace

TEST_CASE("group commit: what arrives during a commit goes into the next one together, in order") {
  gate g;
  {
    troupe::group_commit c{{}, troupe::production_threads(), g.function()};
    c.submit(write_of("1"));
    g.arrived.acquire(); // it is being committed
    for (const auto* key : {"2", "3", "4"})
      c.submit(write_of(key));
    g.permits.release(2);
    c.wait();
    CHECK(c.counted().commits == 2);
    CHECK(c.counted().writes == 4);
  }
  CHECK(g.groups == std::vector<std::vector<std::string>>{{"1"}, {"2", "3", "4"}});
}

TEST_CASE("group commit: a group has a largest size") {
  gate g;
  {
    troupe::group_commit c{{.max_group = 2}, troupe::production_threads(), g.function()};
    c.submit(write_of("1"));
    g.arrived.acquire();
    for (const auto* key : {"2", "3", "4"})
      c.submit(write_of(key));
    g.permits.release(3);
  } // the end waits for all
  CHECK(g.groups == std::vector<std::vector<std::string>>{{"1"}, {"2", "3"}, {"4"}});
}

TEST_CASE("group commit: a first write waits for company if it is told to") {
  gate g;
  g.permits.release(10);
  {
    troupe::group_commit c{{.max_group = 3, .max_delay = 10min}, troupe::production_threads(), g.function()};
    for (const auto* key : {"1", "2", "3"})
      c.submit(write_of(key));
    c.wait(); // the third ends the waiting
    c.submit(write_of("4"));
  } // so does the end
  CHECK(g.groups == std::vector<std::vector<std::string>>{{"1", "2", "3"}, {"4"}});
}

TEST_CASE("group commit: who hands over more than may wait is held until there is room") {
  gate g;
  const auto size = write_of("1")->bytes();
  troupe::group_commit c{{.max_waiting_bytes = 2 * size}, troupe::production_threads(), g.function()};
  c.submit(write_of("1"));
  g.arrived.acquire();
  c.submit(write_of("2"));
  c.submit(write_of("3"));
  std::atomic<bool> through{false};
  std::jthread fourth{[&] {
    c.submit(write_of("4"));
    through = true;
  }};
  std::this_thread::sleep_for(20ms); // can only miss a fault, never make one
  CHECK_FALSE(through);
  g.permits.release(10);
  fourth.join();
  CHECK(through);
  c.wait();
  CHECK(c.counted().writes == 4);
}

TEST_CASE("group commit: a failure reaches every write of its group and no other") {
  std::vector<std::string> failed;
  int commits = 0;
  {
    troupe::group_commit c{{}, nullptr, [&](auto) {
                             if (++commits == 2)
                               throw std::runtime_error{"disk"};
                           }};
    CHECK_FALSE(c.has_thread());
    for (const auto* key : {"1", "2", "3"})
      c.submit(write_of(key, [&failed, key](const std::exception_ptr& e) {
        if (e)
          failed.emplace_back(key);
      }));
  }
  CHECK(failed == std::vector<std::string>{"2"});
}

TEST_CASE("group commit: what a completion holds is gone before anybody is told") {
  auto held = std::make_shared<int>(1);
  troupe::group_commit c{{}, troupe::production_threads(), [](auto) {}};
  for (int i = 0; i < 100; ++i) {
    c.wait(c.submit(write_of("1", [held](const std::exception_ptr&) {})));
    REQUIRE(held.use_count() == 1);
  }
}

TEST_CASE("group commit: nonsense is refused") {
  CHECK_THROWS(troupe::group_commit{{.max_group = 0}, nullptr, [](auto) {}});
  CHECK_THROWS(troupe::group_commit{{.max_delay = -1us}, nullptr, [](auto) {}});
}
