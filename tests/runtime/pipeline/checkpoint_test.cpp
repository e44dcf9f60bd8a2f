// SPDX-License-Identifier: BSD-3-Clause
// Claim: a run that is interrupted and goes on from its last checkpoint gives the answer of one that was not, however often and
// wherever that happens.
// Observed: on stepped systems that end after a random number of steps and are followed by others with the same store; with a
// program that kills itself at random moments, its journal and its output in files.
#include <troupe/journal/memory_store.hpp>
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/pipeline/pipeline.hpp>
#include <troupe/testing/simulated_disk.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <support/stepped_system.hpp>
#include <support/temporary_directory.hpp>
#include <sys/wait.h>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
namespace pl = troupe::pipeline;

namespace {

struct reading {
  void archive(auto& a) { a(key, ms, value); }
  int key = 0;
  std::int64_t ms = 0;
  std::int64_t value = 0;
  pl::event_time time() const { return pl::event_time{std::chrono::milliseconds{ms}}; }
};

std::vector<reading> readings(std::size_t n, std::uint64_t seed) {
  auto random = seeded_random(seed);
  std::vector<reading> all;
  for (std::size_t i = 0; i < n; ++i)
    all.push_back({static_cast<int>(random->below(7)),
                   static_cast<std::int64_t>(i) * 10 - static_cast<std::int64_t>(random->below(200)),
                   static_cast<std::int64_t>(random->below(1'000))});
  return all;
}

/// Lets so many elements pass, then none: what the process of a run meets sooner or later.
struct fuse {
  template <class T>
  T operator()(const T& x) const {
    if ((*left)-- <= 0)
      throw std::runtime_error{"cut off"};
    return x;
  }
  std::shared_ptr<std::int64_t> left = std::make_shared<std::int64_t>(1'000'000);
};

struct square_of {
  std::int64_t x = 0;
  using reply = std::int64_t;
};
class squarer : public actor<squarer, square_of> {
public:
  std::int64_t on(const square_of& s) { return s.x * s.x; }
};
ref<squarer> squares(troupe::system& sys) {
  child_options o;
  o.intensity = unlimited;
  o.backoff = {.min = 1ms, .max = 1ms, .factor = 1, .jitter = 0, .reset_after = 1ms};
  return sys.supervise("shop", {.group_intensity = unlimited}).start<squarer>("squares", o);
}

/// The answers of a graph with all kinds of state: windows, sessions, joins, folds, pairs, groups, requests.
struct answers {
  pl::collection<pl::windowed<int, std::uint64_t>> windows;
  pl::collection<pl::windowed<int, std::uint64_t>> sessions;
  pl::collection<std::pair<std::int64_t, std::int64_t>> joined;
  pl::collection<std::pair<int, std::int64_t>> sums;
  pl::collection<std::int64_t> numbered;
  pl::collection<std::int64_t> total;

  pl::pipeline_plan plan(std::uint64_t seed, const ref<squarer>& asked, const fuse& f = {}) const {
    const auto source = [&](std::size_t n, std::uint64_t s) {
      return pl::from_values(readings(n, s)).throttle(40, 1ms).event_times(200ms).boundary().map(f).boundary();
    };
    auto left = source(600, seed);
    auto right = source(500, seed + 1);
    auto value = [](const reading& r) { return r.value; };
    return left.key_by(&reading::key, 2)
        .window(pl::sliding{1s, 500ms}, pl::count{})
        .collect(windows)
        .with(pl::merge(left, right).key_by(&reading::key, 3).window(pl::session{150ms}, pl::count{}).collect(sessions))
        .with(pl::both_by_key(left, right, &reading::key, &reading::key, 2)
                  .join(
                      [](const reading& l, const reading& r) {
                        return std::pair{l.value, r.value};
                      },
                      {300ms, 200ms})
                  .collect(joined))
        .with(right.key_by(&reading::key, 2)
                  .fold(std::int64_t{0}, [](std::int64_t& s, const reading& r) { s += r.value; })
                  .collect(sums))
        .with(pl::zip(left, right)
                  .group(3)
                  .flat_map([](const std::vector<std::pair<reading, reading>>& g) {
                    std::vector<std::int64_t> products;
                    for (const auto& [l, r] : g)
                      products.push_back(l.value * r.value);
                    return products;
                  })
                  .collect(numbered))
        .with(left.map(value)
                  .ask(
                      asked, [](std::int64_t x) { return square_of{x}; },
                      [](std::int64_t x, std::int64_t square) { return square - x; })
                  .fold(total, std::int64_t{0}, [](std::int64_t& s, std::int64_t x) { s += x; }));
  }

  /// As text; in order where the order is fixed.
  std::string text() const {
    std::vector<std::string> lines;
    for (const auto& [what, all] : {std::pair{"w", windows.take()}, std::pair{"s", sessions.take()}})
      for (const auto& w : all)
        lines.push_back(what + std::to_string(w.key) + ' ' + std::to_string(w.window.start.time_since_epoch().count()) +
                        ' ' + std::to_string(w.window.end.time_since_epoch().count()) + ' ' + std::to_string(w.value));
    for (const auto& [l, r] : joined.take())
      lines.push_back("j" + std::to_string(l) + ' ' + std::to_string(r));
    for (const auto& [k, s] : sums.take())
      lines.push_back("f" + std::to_string(k) + ' ' + std::to_string(s));
    std::ranges::sort(lines);
    std::string all;
    for (const auto& l : lines)
      all += l + '\n';
    for (const auto x : numbered.take())
      all += std::to_string(x) + ' ';
    for (const auto x : total.take())
      all += "total " + std::to_string(x);
    return all;
  }
};

pl::options kept_in(const std::shared_ptr<journal_store>& store, std::size_t batch = 16) {
  pl::options o;
  o.stages.batch_size = batch;
  o.demand = {4, 2};
  o.checkpoints = {.store = store, .every = 1ms};
  return o;
}

/// Runs it until it is over or cut off. True: over.
bool run(troupe::system& sys, const pl::running& r) {
  for (int ms = 0; ms < 10'000 && !r.outcome(); ++ms)
    sys.advance(1ms);
  REQUIRE(r.outcome().has_value());
  if (!r.outcome().value())
    CHECK(r.outcome().value().error().what.find("cut off") != std::string::npos);
  return static_cast<bool>(*r.outcome());
}

system_options life(std::uint64_t seed, double failures) {
  auto o = support::stepped(seed);
  if (failures > 0)
    o.faults = std::make_shared<fault_injector>(failures, seed);
  return o;
}

} // namespace

TEST_CASE("checkpoints: a run that is cut off at random steps gives the answer of one that is not") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::string expected;
    {
      troupe::system sys{support::stepped(seed)};
      answers a;
      REQUIRE(run(sys, a.plan(seed, squares(sys)).start(sys, "p")));
      expected = a.text();
      REQUIRE(expected.size() > 5'000);
    }
    for (const double failures : {0.0, 0.05}) {
      CAPTURE(failures);
      auto random = seeded_random(seed);
      const auto store = std::make_shared<memory_store>();
      int lives = 0;
      for (bool over = false; !over; ++lives) {
        REQUIRE(lives < 200);
        troupe::system sys{life(seed * 1'000 + static_cast<std::uint64_t>(lives), failures)};
        const answers a; // what a process had gathered ends with it
        const fuse f{std::make_shared<std::int64_t>(static_cast<std::int64_t>(150 + random->below(300)))};
        over = run(sys, a.plan(seed, squares(sys), f).start(sys, "p", kept_in(store)));
        if (over)
          CHECK((a.text() == expected));
      }
      CHECK(lives > 2);
      troupe::system sys{support::stepped(seed)};
      const answers again;
      CHECK(run(sys, again.plan(seed, squares(sys)).start(sys, "p", kept_in(store))));
      CHECK((again.text() == expected)); // too long to print
      REQUIRE(sys.shutdown().exit_code() == 0);
    }
  }
}

TEST_CASE("checkpoints: batches that fail, whole or in part, and the last ones of sources, count once across lives") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const auto random = seeded_random(seed);
    const auto store = std::make_shared<memory_store>();
    const fuse f;
    const auto flaky = [random](std::int64_t x) {
      return random->below(4) == 0 ? throw std::runtime_error{"this time"} : x;
    };
    for (int lives = 0;; ++lives) {
      REQUIRE(lives < 200);
      *f.left = static_cast<std::int64_t>(10 + random->below(40));
      troupe::system sys{life(seed * 1'000 + static_cast<std::uint64_t>(lives), 0.1)};
      pl::collection<std::int64_t> out;
      const auto source = [&](std::int64_t begin, std::int64_t n) {
        std::vector<std::int64_t> all;
        for (std::int64_t x = begin; x < begin + n; ++x)
          all.push_back(x);
        return pl::from_values(all).map(flaky);
      };
      auto o = kept_in(store, 8);
      o.demand = {1, 0};
      o.stages.retries = 1'000;
      const auto plan = pl::merge(source(0, 16), source(100, 60)).throttle(2, 1ms).map(f).collect(out);
      o.stages.batch_size = 8;
      if (!run(sys, plan.start(sys, "p", o)))
        continue;
      auto seen = out.take();
      CHECK(seen.size() == 76);
      std::ranges::sort(seen);
      CHECK(std::ranges::adjacent_find(seen) == seen.end());
      break;
    }
  }
}

TEST_CASE("checkpoints: a state that cannot be written down is refused with the names of stage and step") {
  struct opaque {
    int n = 0;
  };
  troupe::system sys{support::stepped()};
  pl::collection<std::int64_t> out;
  auto plan = pl::from(pl::numbers(0, 10))
                  .together()
                  .scan(opaque{}, [](opaque& o, std::int64_t x) { return x + o.n++; })
                  .named("odd")
                  .collect(out);
  const auto store = std::make_shared<memory_store>();
  CHECK_THROWS_WITH(plan.start(sys, "p", kept_in(store)), doctest::Contains("'odd'"));
  CHECK_THROWS_WITH(plan.start(sys, "q", kept_in(store)), doctest::Contains("process"));
  CHECK(run(sys, plan.start(sys, "r")));
  auto o = kept_in(store);
  o.checkpoints.every = 0ms;
  CHECK_THROWS_WITH(plan.start(sys, "s", o), doctest::Contains("checkpoints.every"));
}

TEST_CASE("checkpoints: those of another plan, other partitions or another version are refused") {
  const auto store = std::make_shared<memory_store>();
  const auto plan = [](unsigned partitions, bool longer) {
    auto keyed = pl::from(pl::numbers(0, 10)).key_by([](std::int64_t x) { return x; }, partitions);
    auto sums = keyed.fold(std::int64_t{0}, [](std::int64_t& s, std::int64_t x) { s += x; });
    pl::collection<std::pair<std::int64_t, std::int64_t>> out;
    return longer ? sums.filter([](const auto&) { return true; }).collect(out) : sums.collect(out);
  };
  {
    troupe::system sys{support::stepped()};
    REQUIRE(run(sys, plan(0, false).start(sys, "p", kept_in(store))));
  }
  troupe::system sys{support::stepped()};
  CHECK_THROWS_WITH(plan(0, true).start(sys, "p", kept_in(store)), doctest::Contains("another pipeline"));
  sys.run_until_idle();
  auto o = kept_in(store);
  o.checkpoints.version = 2;
  CHECK_THROWS_WITH(plan(0, false).start(sys, "p", o), doctest::Contains("version"));
  sys.run_until_idle();
  o = kept_in(store);
  o.partitions = 3;
  CHECK_THROWS_WITH(plan(0, false).start(sys, "p", o), doctest::Contains("partitions"));
  sys.run_until_idle();
  pl::forget_checkpoint(store, "p");
  CHECK(run(sys, plan(0, true).start(sys, "p", kept_in(store))));
}

TEST_CASE("checkpoints: one that was made with more partitions is refused, too") {
  const auto store = std::make_shared<memory_store>();
  const fuse f{std::make_shared<std::int64_t>(300)};
  pl::collection<std::int64_t> out;
  const auto plan = pl::from(pl::numbers(0, 1'000))
                        .throttle(20, 1ms)
                        .map(f)
                        .key_by([](std::int64_t x) { return x % 50; })
                        .scan(std::int64_t{0}, [](std::int64_t& s, std::int64_t) { return ++s; })
                        .collect(out);
  auto o = kept_in(store);
  o.partitions = 4;
  {
    troupe::system sys{support::stepped()};
    REQUIRE_FALSE(run(sys, plan.start(sys, "p", o)));
    REQUIRE(out.take().size() > 0);
  }
  *f.left = 1'000'000;
  troupe::system sys{support::stepped()};
  o.partitions = 2;
  CHECK_THROWS_WITH(plan.start(sys, "p", o), doctest::Contains("other partitions"));
  sys.run_until_idle();
  CHECK(out.size() == 0); // a start that fails restores nothing that is seen
  o.partitions = 4;
  CHECK(run(sys, plan.start(sys, "p", o)));
  auto seen = out.take();
  CHECK(seen.size() == 1'000);
  CHECK(std::ranges::count(seen, 20) == 50);
}

TEST_CASE("checkpoints: groups by size alone stay whole when a run goes on") {
  const auto store = std::make_shared<memory_store>();
  const fuse f;
  for (int lives = 0;; ++lives) {
    REQUIRE(lives < 200);
    *f.left = 100;
    troupe::system sys{support::stepped()};
    pl::collection<std::vector<std::int64_t>> out;
    const auto plan = pl::from(pl::numbers(0, 400)).throttle(3, 2ms).boundary().map(f).group(7).collect(out);
    if (!run(sys, plan.start(sys, "p", kept_in(store))))
      continue;
    CHECK(lives > 2);
    const auto groups = out.take();
    REQUIRE(groups.size() == 58);
    for (std::size_t i = 0; i + 1 < groups.size(); ++i)
      CHECK(groups[i].size() == 7);
    break;
  }
}

TEST_CASE("checkpoints: a file of lines has each line once, whatever was written after the last checkpoint") {
  std::string expected;
  for (int i = 0; i < 1'000; ++i)
    expected += std::to_string(i) + '\n';
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    auto random = seeded_random(seed);
    const auto disk = std::make_shared<simulated_disk>();
    disk->put("/in", expected);
    const auto store = std::make_shared<memory_store>();
    const fuse f;
    const auto plan = pl::from_lines("/in", pl::whole_line{}, {.files = disk})
                          .throttle(40, 1ms)
                          .boundary()
                          .map(f)
                          .write_lines(
                              "/out", [](const std::string& l) { return l; }, disk);
    int lives = 0;
    for (bool over = false; !over; ++lives) {
      REQUIRE(lives < 200);
      troupe::system sys{life(seed * 1'000 + static_cast<std::uint64_t>(lives), 0.02)};
      *f.left = static_cast<std::int64_t>(100 + random->below(400));
      over = run(sys, plan.start(sys, "p", kept_in(store, 4)));
      if (lives % 2 == 0) // the power fails; else the process alone ends, and what it wrote stays
        disk->crash();
    }
    CHECK(lives > 2);
    CHECK(disk->content("/out") == expected);
  }
}

TEST_CASE("checkpoints: one that was damaged is an error and no new beginning") {
  const support::temporary_directory here;
  const auto path = here / "journal.db";
  const fuse f{std::make_shared<std::int64_t>(100)};
  pl::collection<std::int64_t> out;
  const auto plan = pl::from(pl::numbers(0, 1'000)).throttle(10, 1ms).map(f).collect(out);
  {
    const std::shared_ptr<journal_store> store = open_sqlite_store(path);
    troupe::system sys{support::stepped()};
    REQUIRE_FALSE(run(sys, plan.start(sys, "p", kept_in(store))));
  }
  REQUIRE(out.take().size() > 0);
  sqlite_connection{path, sqlite_connection::mode::write}.execute("UPDATE snapshots SET data = '{}'");
  *f.left = 10'000;
  const std::shared_ptr<journal_store> store = open_sqlite_store(path);
  troupe::system sys{support::stepped()};
  CHECK_THROWS_WITH(plan.start(sys, "p", kept_in(store)), doctest::Contains("its checksum is wrong"));
  sys.run_until_idle();
  pl::forget_checkpoint(store, "p");
  CHECK(run(sys, plan.start(sys, "p", kept_in(store))));
  CHECK(out.take().size() == 1'000);
}

TEST_CASE("checkpoints: a file that is shorter than the last one says ends the run") {
  const auto disk = std::make_shared<simulated_disk>();
  const auto store = std::make_shared<memory_store>();
  const fuse f{std::make_shared<std::int64_t>(100)};
  const auto plan = pl::from(pl::numbers(0, 1'000))
                        .throttle(10, 1ms)
                        .map(f)
                        .write_lines(
                            "/out", [](std::int64_t x) { return std::to_string(x); }, disk);
  {
    troupe::system sys{support::stepped()};
    REQUIRE_FALSE(run(sys, plan.start(sys, "p", kept_in(store, 4))));
  }
  REQUIRE(!disk->content("/out").empty());
  disk->remove("/out");
  *f.left = 10'000;
  troupe::system sys{support::stepped()};
  const auto r = plan.start(sys, "p", kept_in(store, 4));
  for (int ms = 0; ms < 1'000 && !r.outcome(); ++ms)
    sys.advance(1ms);
  REQUIRE(r.outcome());
  REQUIRE_FALSE(*r.outcome());
  CHECK(r.outcome()->error().what.find("/out: has 0 bytes") != std::string::npos);
}

TEST_CASE("checkpoints: none speaks of lines that a failed sync has lost") {
  std::string expected;
  for (int i = 0; i < 200; ++i)
    expected += std::to_string(i) + '\n';
  const auto disk = std::make_shared<simulated_disk>();
  disk->put("/in", expected);
  int syncs = 0; // one of the directory
  disk->faults({.sync_fails = [&] { return ++syncs == 4; }});
  const auto store = std::make_shared<memory_store>();
  const fuse f;
  const auto plan = pl::from_lines("/in", pl::whole_line{}, {.files = disk})
                        .throttle(10, 1ms)
                        .boundary()
                        .map(f)
                        .write_lines(
                            "/out", [](const std::string& l) { return l; }, disk);
  *f.left = 100;
  {
    troupe::system sys{support::stepped()};
    const auto r = plan.start(sys, "p", kept_in(store, 4));
    for (int ms = 0; ms < 1'000 && !r.outcome(); ++ms)
      sys.advance(1ms);
    REQUIRE(r.outcome());
    REQUIRE_FALSE(*r.outcome()); // the lost lines are made again by the next one
    CHECK(r.outcome()->error().what.find("/out") != std::string::npos);
  }
  CHECK(syncs >= 4);
  disk->crash();
  *f.left = 1'000;
  troupe::system sys{support::stepped()};
  CHECK(run(sys, plan.start(sys, "p", kept_in(store, 4))));
  CHECK(disk->content("/out") == expected);
}

TEST_CASE("checkpoints: a process that is killed again and again leaves the answer of one that is not") {
  const support::temporary_directory here;
  std::map<std::pair<int, std::int64_t>, std::int64_t> sums;
  {
    std::ofstream in{here / "in"};
    auto random = seeded_random(4);
    for (std::int64_t i = 0; i < 20'000; ++i) {
      const auto key = static_cast<int>(random->below(50));
      const auto ms = i - static_cast<std::int64_t>(random->below(100)) + 100;
      in << key << ' ' << ms << ' ' << i << '\n';
      sums[{key, ms / 1'000}] += i;
    }
  }
  int kills = 0;
  for (bool over = false; !over;) {
    REQUIRE(kills < 100);
    std::string directory = here.path().string(), life = std::to_string(kills);
    std::string program = TROUPE_KILLED_PIPELINE;
    std::array<char*, 4> arguments{program.data(), directory.data(), life.data(), nullptr};
    pid_t child = 0;
    REQUIRE(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) {
      REQUIRE(WTERMSIG(status) == SIGKILL);
      ++kills;
    } else {
      REQUIRE(WEXITSTATUS(status) == 0);
      over = true;
    }
  }
  CHECK(kills >= 3);
  std::vector<std::string> expected, found;
  for (const auto& [k, sum] : sums)
    expected.push_back(std::to_string(k.first) + ' ' + std::to_string(k.second) + ' ' + std::to_string(sum));
  std::ifstream out{here / "out"};
  for (std::string line; std::getline(out, line);)
    found.push_back(line);
  std::ranges::sort(expected);
  std::ranges::sort(found);
  CHECK(found == expected);
}
