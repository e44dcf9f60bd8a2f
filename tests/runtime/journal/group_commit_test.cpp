// SPDX-License-Identifier: BSD-3-Clause
// Claim: writes are committed in the order in which they were handed over, what waits goes together, and no more waits than
// is allowed.
// Observed: the groups that a commit function is given, while it is held by a gate.
#include <troupe/journal/group_commit.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::unique_ptr<troupe::journal_write> write_of(std::string_view key, troupe::journal_completion done = {}) {
  auto w = troupe::journal_write::of({.key = key});
  w->done = std::move(done);
  return w;
}

/// Lets one commit through for each permit and notes what was in it.
struct gate {
  std::counting_semaphore<> arrived{0};
  std::counting_semaphore<> permits{0};
  std::vector<std::vector<std::string>> groups; // the writer's, until it has ended

  troupe::group_commit::write_function function() {
    return [this](troupe::group_commit::batch batch) {
      arrived.release();
      permits.acquire();
      auto& g = groups.emplace_back();
      for (const auto& w : batch)
        g.emplace_back(w->change().key);
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

TEST_CASE("group commit: what was handed over before it was known that its journal's last write failed fails, too") {
  std::counting_semaphore<> arrived{0};
  std::counting_semaphore<> permits{0};
  std::vector<std::string> written;
  std::vector<std::string> failed;
  bool fails = true;
  const auto journal = std::make_shared<troupe::open_journal>();
  const auto of_journal = [&](std::string_view key, const char* name) {
    auto w = write_of(key, [&failed, name](const std::exception_ptr& e) {
      if (e)
        failed.emplace_back(name);
    });
    w->journal = key == "a" ? journal : std::make_shared<troupe::open_journal>();
    return w;
  };
  {
    troupe::group_commit c{{}, troupe::production_threads(), [&](troupe::group_commit::batch batch) {
                             arrived.release();
                             permits.acquire();
                             if (std::exchange(fails, false))
                               throw std::runtime_error{"session"};
                             for (const auto& w : batch)
                               written.emplace_back(w->change().key);
                           }};
    c.submit(of_journal("a", "1"));
    arrived.acquire(); // it is being written
    c.submit(of_journal("a", "2"));
    c.submit(of_journal("b", "3"));
    c.submit(of_journal("a", "4"));
    permits.release(2);
    c.wait();
    CHECK(failed == std::vector<std::string>{"1", "2", "4"});
    CHECK(written == std::vector<std::string>{"b"});
    c.submit(of_journal("a", "5")); // alone: there is nothing to be written
    c.wait();
    CHECK(failed.back() == "5");
    auto erasure = troupe::journal_write::of({.key = "erased", .erase = true});
    erasure->journal = journal;
    permits.release();
    c.submit(std::move(erasure)); // whatever is there
    c.wait();
    journal->uncertain = false; // it was read again
    permits.release();
    c.submit(of_journal("a", "6"));
  }
  CHECK(written == std::vector<std::string>{"b", "erased", "a"});
  CHECK(failed.size() == 4);
}

TEST_CASE("group commit: while one group is synced the next one is written, and is synced after it") {
  gate writes;
  gate syncs;
  std::vector<std::string> told;
  const auto teller = [&told](std::string name) {
    return [&told, name = std::move(name)](const std::exception_ptr&) { told.push_back(name); };
  };
  {
    troupe::group_commit c{{}, troupe::production_threads(), writes.function(), [&] { syncs.function()({}); }};
    const auto first = c.submit(write_of("1", teller("1")));
    writes.arrived.acquire();
    writes.permits.release();
    syncs.arrived.acquire(); // it is being synced
    c.submit(write_of("2", teller("2")));
    writes.arrived.acquire(); // and the next one being written
    CHECK(told.empty());
    writes.permits.release();
    c.submit(write_of("3", teller("3"))); // waits: nobody has begun to sync the second
    c.submit(write_of("4", teller("4")));
    syncs.permits.release();
    c.wait(first);
    syncs.arrived.acquire();
    CHECK(told == std::vector<std::string>{"1"});
    writes.permits.release();
    syncs.permits.release(2);
    c.wait();
    CHECK(told == std::vector<std::string>{"1", "2", "3", "4"});
  }
  CHECK(writes.groups == std::vector<std::vector<std::string>>{{"1"}, {"2"}, {"3", "4"}});
}

TEST_CASE("group commit: a sync that fails fails its group, and a write that fails is not synced") {
  for (const auto& threads : {troupe::production_threads(), std::shared_ptr<troupe::thread_factory>{}}) {
    std::vector<std::string> ends;
    int writes = 0;
    int syncs = 0;
    {
      troupe::group_commit c{{},
                             threads,
                             [&](auto) {
                               if (++writes == 3)
                                 throw std::runtime_error{"write"};
                             },
                             [&] {
                               if (++syncs == 2)
                                 throw std::runtime_error{"sync"};
                             }};
      for (const auto* key : {"1", "2", "3", "4"})
        c.wait(c.submit(write_of(key, [&ends](const std::exception_ptr& e) {
          try {
            if (e)
              std::rethrow_exception(e);
            ends.emplace_back("kept");
          } catch (const std::exception& why) {
            ends.emplace_back(why.what());
          }
        })));
    }
    CHECK(ends == std::vector<std::string>{"kept", "sync", "write", "kept"});
    CHECK(syncs == 3);
  }
}

TEST_CASE("group commit: a write is a copy of all that its change refers to") {
  std::unique_ptr<troupe::journal_write> w;
  for (const std::size_t length : {3, 3'000}) {
    const std::string text(length, 'x');
    {
      auto gone = text;
      const troupe::record_row events[]{{1, 2, gone, 3, gone, 4}, {5, 6, gone, 7, gone, 8}};
      const troupe::outbox_row sends[]{{{9, 10, gone, 11, gone, 12}, gone, 13, gone, 14}};
      const std::uint64_t settled[]{15, 16};
      troupe::journal_change c{.key = gone, .events = events, .sends = sends, .settled = settled};
      c.handled = troupe::handled_row{gone, 17, 18};
      c.snapshot = troupe::record_row{19, 20, gone, 21, gone, 22};
      w = troupe::journal_write::of(c);
      gone.assign(length, 'y');
    }
    const auto& c = w->change();
    CHECK(w->bytes() > 10 * length);
    CHECK(c.key == text);
    REQUIRE(c.events.size() == 2);
    CHECK((c.events[1].sequence == 5 && c.events[1].type == text && c.events[1].data == text));
    REQUIRE(c.sends.size() == 1);
    CHECK((c.sends[0].message.data == text && c.sends[0].target == text && c.sends[0].due == 13 &&
           c.sends[0].timer == text && c.sends[0].checksum == 14));
    CHECK((c.settled.size() == 2 && c.settled[1] == 16));
    CHECK((c.handled->sender == text && c.handled->checksum == 18));
    CHECK((c.snapshot->type == text && c.snapshot->data == text));
  }
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

TEST_CASE("group commit: where there can be no second thread none is left behind") {
  struct one_thread final : troupe::thread_factory {
    std::jthread start(std::string name, std::function<void()> body) override {
      if (std::exchange(used, true))
        throw std::system_error{std::make_error_code(std::errc::resource_unavailable_try_again)};
      return troupe::production_threads()->start(std::move(name), std::move(body));
    }
    bool used = false;
  };
  const auto nothing = [](troupe::group_commit::batch) {};
  CHECK_THROWS_AS((troupe::group_commit{{}, std::make_shared<one_thread>(), nothing, [] {}}), std::system_error);
}
