// SPDX-License-Identifier: BSD-3-Clause
// Claims: a watcher learns once of the end of whom it watches, with the reason; restarts on either side change nothing;
// watching keeps nothing alive.
// Observed on stepped systems by probes, and through the log of the `stopped` messages of watchers that fail.
#include <troupe/testing/probe.hpp>
#include <troupe/watch.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using troupe::exit_reason;

namespace {

struct look {
  troupe::any_ref who;
};
struct look_away {
  troupe::any_ref who;
};
struct boom {};
struct finish {};

struct entry {
  std::uint64_t id;
  std::string name;
  exit_reason reason;
  bool operator==(const entry&) const = default;
};
using log_book = std::shared_ptr<std::vector<entry>>;

class watcher : public troupe::actor<watcher, look, look_away, boom, finish> {
public:
  explicit watcher(log_book log) : log_{std::move(log)} {}
  void on(const look& m) { watch(m.who); }
  void on(const look_away& m) { unwatch(m.who); }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  void on(const finish&) { stop(); }
  void on(const troupe::stopped& s) { log_->push_back({s.id, s.name, s.reason}); }

private:
  log_book log_;
};

class target : public troupe::actor<target, boom, finish> {
public:
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  void on(const finish&) { stop(); }
};

struct world {
  troupe::system sys{stepped()};
  log_book log = std::make_shared<std::vector<entry>>();
  troupe::ref<watcher> w = sys.spawn<watcher>(log);
  troupe::ref<target> t = sys.spawn<target>();
  void settle() { sys.run_until_idle(); }
};

} // namespace

TEST_CASE("watch: the reason of the end is told") {
  troupe::system sys{stepped()};
  troupe::child_options o;
  o.restart = troupe::temporary;
  const auto t = sys.root().start<target>("t", o);
  troupe::probe<troupe::stopped> w{sys};
  w.watch(t);
  exit_reason expected{};
  SUBCASE("stop") {
    t.stop();
    expected = exit_reason::shutdown;
  }
  SUBCASE("drain") {
    t.drain();
    expected = exit_reason::shutdown;
  }
  SUBCASE("kill") {
    t.kill();
    expected = exit_reason::killed;
  }
  SUBCASE("its own end") {
    t.tell(finish{});
    expected = exit_reason::normal;
  }
  SUBCASE("a failure that leads to no restart") {
    t.tell(boom{});
    expected = exit_reason::failure;
  }
  const auto end = w.expect<troupe::stopped>(0s);
  CHECK(end.id == t.id());
  CHECK(end.name == "t");
  CHECK(end.reason == expected);
  w.expect_nothing(1h);
  CHECK(sys.books().balanced());
}

TEST_CASE("watch: an actor that has stopped already is told at once") {
  world x;
  troupe::probe<troupe::stopped> w{x.sys};
  x.t.kill();
  x.settle();
  w.watch(x.t);
  CHECK(w.expect<troupe::stopped>(0s).reason == exit_reason::killed);
}

TEST_CASE("watch: a restart of the watched is not a stop") {
  world x;
  x.w.tell(look{x.t});
  x.settle();
  x.t.tell(boom{});
  x.settle();
  CHECK(x.t.incarnation() == 1);
  CHECK(x.log->empty());
  x.t.stop();
  x.settle();
  CHECK(x.log->size() == 1);
}

TEST_CASE("watch: a watcher that was restarted keeps watching") {
  world x;
  x.w.tell(look{x.t});
  x.w.tell(boom{});
  x.settle();
  CHECK(x.w.incarnation() == 1);
  x.t.stop();
  x.settle();
  CHECK(x.log->size() == 1);
}

TEST_CASE("watch: two watches of the same actor are one message") {
  world x;
  x.w.tell(look{x.t});
  x.w.tell(look{x.t});
  x.w.tell(boom{});
  x.w.tell(look{x.t});
  x.settle();
  x.t.stop();
  x.settle();
  CHECK(x.log->size() == 1);
}

TEST_CASE("watch: unwatch ends it and is harmless without a watch") {
  world x;
  x.w.tell(look_away{x.t});
  x.w.tell(look{x.t});
  x.w.tell(look{x.t});
  x.w.tell(look_away{x.t});
  x.settle();
  x.t.stop();
  x.settle();
  CHECK(x.log->empty());
  x.w.tell(look_away{x.t});
  x.settle();
}

TEST_CASE("watch: an actor may watch many and be watched by many") {
  world x;
  std::vector<troupe::ref<watcher>> watchers;
  std::vector<troupe::ref<target>> targets;
  for (int i = 0; i < 100; ++i) {
    watchers.push_back(x.sys.spawn<watcher>(x.log));
    targets.push_back(x.sys.spawn<target>());
    watchers.back().tell(look{x.t});
    x.w.tell(look{targets.back()});
  }
  x.settle();
  x.t.stop();
  x.settle();
  CHECK(x.log->size() == 100);
  for (const auto& t : targets)
    t.kill();
  x.settle();
  CHECK(x.log->size() == 200);
}

TEST_CASE("watch: when the watcher handles the message the actor has stopped and its name is free") {
  struct nothing {};
  class replaces : public troupe::actor<replaces, look> {
  public:
    explicit replaces(troupe::supervisor s) : s_{std::move(s)} {}
    void on(const look& m) {
      who_ = m.who;
      watch(m.who);
    }
    void on(const troupe::stopped&) {
      if (who_.has_stopped() && who_.books().queued == 0)
        s_.start<target>("t");
    }

  private:
    troupe::supervisor s_;
    troupe::any_ref who_;
  };
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  auto t = shop.start<target>("t");
  auto r = sys.spawn<replaces>(shop);
  r.tell(look{t});
  sys.run_until_idle();
  troupe::child_options o;
  t.kill();
  sys.run_until_idle();
  REQUIRE(sys.find<target>("shop/t"));
  CHECK(*sys.find<target>("shop/t") != t);
}

TEST_CASE("watch: mutual and own watches keep nothing alive") {
  const auto log = std::make_shared<std::vector<entry>>();
  troupe::system sys{stepped()};
  auto a = sys.spawn<watcher>(log);
  auto b = sys.spawn<watcher>(log);
  a.tell(look{b});
  b.tell(look{a});
  a.tell(look{a});
  sys.run_until_idle();
  a.stop();
  sys.run_until_idle();
  CHECK(log->size() == 1);
  b.stop();
  sys.run_until_idle();
  a = {};
  b = {};
  CHECK(log.use_count() == 1);
}

TEST_CASE("watch: an actor that could not be told, for want of a public handler, is refused") {
  class deaf : public troupe::actor<deaf, look> {
  public:
    void on(const look& m) { watch(m.who); }

  private:
    void on(const troupe::stopped&) {}
  };
  world x;
  const auto refused = x.sys.spawn<deaf>().ask(look{x.t}).try_get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("watch needs a public handler on(const troupe::stopped&)") != std::string::npos);
}

TEST_CASE("watch: 100000 watchers that came and went leave nothing behind") {
  world x;
  const auto token = std::make_shared<std::vector<entry>>();
  long most = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto w = x.sys.spawn<watcher>(token);
    w.tell(look{x.t});
    w.tell(finish{});
    x.settle();
    most = std::max(most, token.use_count());
  }
  CHECK(most < 1'000); // the watched actor lets those that have stopped go, in time
  x.t.stop();
  x.settle();
  CHECK(token.use_count() == 1);
  CHECK(token->empty());
}
