// SPDX-License-Identifier: BSD-3-Clause
// Claims: what an actor's class may look like, how it is built and rebuilt, and how it ends.
// Observed on a stepped system through replies and through a log that outlives the actors.
#include <troupe/actor.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;

namespace {

using log_book = std::shared_ptr<std::vector<std::string>>;

log_book new_log() { return std::make_shared<std::vector<std::string>>(); }

struct by_const {
  std::string text;
  using reply = std::string;
};
struct by_value {
  std::string text;
  using reply = std::string;
};
struct narrow {
  using reply = double;
};
struct text_reply {
  using reply = std::string;
};
struct quiet {};
struct counted_up {
  using reply = int;
};

class all_kinds : public troupe::actor<all_kinds, by_const, by_value, narrow, text_reply, quiet, counted_up> {
public:
  std::string on(const by_const& m) { return "const " + m.text; }
  std::string on(by_value m) {
    m.text += "!";
    return std::move(m.text);
  }
  int on(const narrow&) { return 7; }                     // int to double
  const char* on(const text_reply&) { return "literal"; } // const char* to std::string
  void on(const quiet&) { ++count_; }
  const int& on(const counted_up&) { return count_; } // a reference is copied

private:
  int count_ = 0;
};

struct boom {};
struct read_start {
  using reply = std::string;
};

/// Fails on demand; is built from a vector that its constructor takes apart.
class rebuilt : public troupe::actor<rebuilt, boom, read_start> {
public:
  explicit rebuilt(std::vector<std::string> words) : words_{std::move(words)} {}
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  std::string on(const read_start&) { return words_.at(0) + std::to_string(incarnation()); }

private:
  std::vector<std::string> words_;
};

struct finish {};

class hooked : public troupe::actor<hooked, finish, boom> {
public:
  explicit hooked(log_book log) : log_{std::move(log)} { log_->push_back("built"); }
  ~hooked() { log_->push_back("destroyed"); }
  void on(const finish&) {
    stop();
    log_->push_back("handler goes on");
  }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
  void on_stop() { log_->push_back("on_stop"); }

private:
  log_book log_;
};

troupe::child_options restarting(troupe::restart_type type) {
  troupe::child_options o;
  o.restart = type;
  return o;
}

} // namespace

TEST_CASE("actor: handlers take messages by reference and by value and their replies convert") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<all_kinds>();
  CHECK(a.ask(by_const{"x"}).get() == "const x");
  CHECK(a.ask(by_value{"x"}).get() == "x!");
  CHECK(a.ask(narrow{}).get() == 7.0);
  CHECK(a.ask(text_reply{}).get() == "literal");
  a.ask(quiet{}).get(); // a message without a reply is acknowledged
  a.tell(quiet{});
  CHECK(a.ask(counted_up{}).get() == 2);
}

TEST_CASE("actor: an lvalue message is copied and stays as it was") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<all_kinds>();
  by_value m{"kept"};
  const by_const c{"kept"};
  CHECK(a.ask(m).get() == "kept!");
  CHECK(a.ask(c).get() == "const kept");
  CHECK(m.text == "kept");
}

TEST_CASE("actor: a request that is only told is handled and its reply is dropped") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<all_kinds>();
  CHECK(a.tell(counted_up{}) == troupe::delivery::accepted);
  sys.run_until_idle();
  CHECK(a.books().handled == 1);
}

TEST_CASE("actor: each incarnation is built from the arguments of the first") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<rebuilt>(std::vector<std::string>{"first", "second"});
  CHECK(a.ask(read_start{}).get() == "first0");
  a.tell(boom{});
  CHECK(a.ask(read_start{}).get() == "first1");
  a.tell(boom{});
  CHECK(a.ask(read_start{}).get() == "first2");
  CHECK(a.incarnation() == 2);
  sys.run_until_idle();
  CHECK(sys.restarts() == 2);
}

TEST_CASE("actor: an argument passed as an lvalue is copied at the spawn") {
  troupe::system sys{stepped()};
  std::vector<std::string> words{"mine"};
  auto a = sys.spawn<rebuilt>(words);
  words[0] = "changed";
  a.tell(boom{});
  CHECK(a.ask(read_start{}).get() == "mine1");
}

namespace {

class refuses : public troupe::actor<refuses, quiet, counted_up> {
public:
  refuses(std::shared_ptr<int> token, troupe::ref<refuses>* leaked) : token_{std::move(token)} {
    after("t", 1s, quiet{});
    if (leaked != nullptr)
      *leaked = self();
    throw std::domain_error{"not today"};
  }
  void on(const quiet&) {}
  int on(const counted_up&) { return 0; }

private:
  std::shared_ptr<int> token_;
};

} // namespace

TEST_CASE("actor: a constructor that throws makes the spawn throw and nothing stays") {
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  const auto token = std::make_shared<int>();
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_WITH_AS(shop.start<refuses>("r", token, nullptr), "not today", std::domain_error);
    CHECK_THROWS_AS(sys.spawn<refuses>(token, nullptr), std::domain_error);
  }
  CHECK(token.use_count() == 1);
  CHECK(shop.children().empty());
  CHECK_FALSE(sys.find("shop/r"));
  CHECK_NOTHROW(shop.start<all_kinds>("r")); // the name is free
  sys.advance(10s);                          // its timer is gone
  CHECK(sys.books().balanced());
  CHECK(sys.restarts() == 0);
}

TEST_CASE("actor: a ref that leaked from a failed constructor is a ref to a stopped actor") {
  troupe::system sys{stepped()};
  troupe::ref<refuses> leaked;
  CHECK_THROWS_AS(sys.spawn<refuses>(std::make_shared<int>(), &leaked), std::domain_error);
  REQUIRE(leaked);
  CHECK(leaked.has_stopped());
  CHECK(leaked.tell(quiet{}) == troupe::delivery::stopped);
  const auto r = leaked.ask(counted_up{}).try_get();
  REQUIRE_FALSE(r);
  CHECK(r.error().code == troupe::errc::stopped);
}

TEST_CASE("actor: stop ends it after the handler at work") {
  troupe::system sys{stepped()};
  const auto log = new_log();
  auto a = sys.spawn<hooked>(log);
  a.tell(finish{});
  a.tell(boom{}); // dropped
  sys.run_until_idle();
  CHECK(a.has_stopped());
  CHECK(*log == std::vector<std::string>{"built", "handler goes on", "on_stop", "destroyed"});
  CHECK(a.books() == troupe::ledger{.accepted = 2, .handled = 1, .dropped = 1});
}

TEST_CASE("actor: on_stop is called once at every graceful end") {
  troupe::system sys{stepped()};
  const auto log = new_log();
  const std::vector<std::string> expected{"built", "on_stop", "destroyed"};
  SUBCASE("ref::stop") {
    auto a = sys.spawn<hooked>(log);
    a.stop();
    a.stop();
    sys.run_until_idle();
    CHECK(*log == expected);
  }
  SUBCASE("ref::drain") {
    auto a = sys.spawn<hooked>(log);
    a.drain();
    sys.run_until_idle();
    CHECK(*log == expected);
  }
  SUBCASE("shutdown") {
    auto a = sys.spawn<hooked>(log);
    CHECK(sys.shutdown(1s).complete);
    CHECK(*log == expected);
  }
}

TEST_CASE("actor: on_stop is called neither at a kill nor at a failure") {
  troupe::system sys{stepped()};
  const auto log = new_log();
  SUBCASE("kill") {
    auto a = sys.spawn<hooked>(log);
    a.kill();
    sys.run_until_idle();
    CHECK(a.has_stopped());
    CHECK(*log == std::vector<std::string>{"built", "destroyed"});
  }
  SUBCASE("failure with a restart") {
    auto a = sys.spawn<hooked>(log);
    a.tell(boom{});
    sys.run_until_idle();
    CHECK(*log == std::vector<std::string>{"built", "destroyed", "built"});
  }
  SUBCASE("failure without a restart") {
    auto a = sys.root().start<hooked>("h", restarting(troupe::temporary), log);
    a.tell(boom{});
    sys.run_until_idle();
    CHECK(a.has_stopped());
    CHECK(*log == std::vector<std::string>{"built", "destroyed"});
  }
}

TEST_CASE("actor: a permanent actor that stops itself starts anew") {
  troupe::system sys{stepped()};
  const auto log = new_log();
  auto a = sys.root().start<hooked>("h", restarting(troupe::permanent), log);
  a.tell(finish{});
  sys.run_until_idle();
  CHECK_FALSE(a.has_stopped());
  CHECK(a.incarnation() == 1);
  CHECK(*log == std::vector<std::string>{"built", "handler goes on", "on_stop", "destroyed", "built"});
}

namespace {

class ends_at_once : public troupe::actor<ends_at_once, quiet> {
public:
  explicit ends_at_once(log_book log) : log_{std::move(log)} { stop(); }
  void on(const quiet&) { log_->push_back("handled"); }
  void on_stop() { log_->push_back("on_stop"); }

private:
  log_book log_;
};

class throws_in_on_stop : public troupe::actor<throws_in_on_stop, finish> {
public:
  explicit throws_in_on_stop(log_book log) : log_{std::move(log)} {}
  ~throws_in_on_stop() { log_->push_back("destroyed"); }
  void on(const finish&) { stop(); }
  void on_stop() { throw std::runtime_error{"hook"}; }

private:
  log_book log_;
};

class starts_a_timer_in_on_stop : public troupe::actor<starts_a_timer_in_on_stop, quiet, finish, counted_up> {
public:
  void on(const quiet&) { ++ticks_; }
  void on(const finish&) { stop(); }
  int on(const counted_up&) { return ticks_; }
  void on_stop() { every(1s, quiet{}); }

private:
  int ticks_ = 0;
};

} // namespace

TEST_CASE("actor: stop in the constructor ends it before its first message") {
  troupe::system sys{stepped()};
  const auto log = new_log();
  auto a = sys.spawn<ends_at_once>(log);
  sys.run_until_idle();
  CHECK(a.has_stopped());
  CHECK(*log == std::vector<std::string>{"on_stop"});
}

TEST_CASE("actor: an exception in on_stop is contained and the actor ends all the same") {
  troupe::system sys{stepped()};
  const auto log = new_log();
  std::string reported;
  auto watch = sys.events().subscribe([&](const troupe::event& e) {
    if (const auto* s = std::get_if<troupe::supervision_event>(&e);
        s && s->what == troupe::supervision_event::kind::failed)
      reported = s->why;
  });
  auto a = sys.spawn<throws_in_on_stop>(log);
  a.tell(finish{});
  sys.run_until_idle();
  CHECK(a.has_stopped());
  CHECK(*log == std::vector<std::string>{"destroyed"});
  CHECK(reported.find("hook") != std::string::npos);
}

TEST_CASE("actor: what on_stop starts does not reach the next incarnation") {
  troupe::system sys{stepped()};
  auto a = sys.root().start<starts_a_timer_in_on_stop>("t", restarting(troupe::permanent));
  a.tell(finish{});
  sys.advance(10s);
  CHECK(a.incarnation() == 1);
  CHECK(a.ask(counted_up{}).get() == 0);
}

namespace {

class builds_another : public troupe::actor<builds_another, quiet, text_reply> {
public:
  void on(const quiet&) {}
  std::string on(const text_reply&) {
    try {
      all_kinds local;
      return "built";
    } catch (const troupe::usage_error&) {
      return "usage_error";
    }
  }
};

} // namespace

TEST_CASE("actor: building one outside of a spawn is a usage_error") {
  CHECK_THROWS_AS(all_kinds{}, troupe::usage_error);
  troupe::system sys{stepped()};
  CHECK_THROWS_AS(all_kinds{}, troupe::usage_error);
  auto a = sys.spawn<builds_another>();
  CHECK(a.ask(text_reply{}).get() == "usage_error"); // in the handler of another actor
}

TEST_CASE("actor: messages of one sender are handled in order across restarts") {
  struct numbered {
    int n;
  };
  // A local class cannot have the templates' members, so the log is in the handler of a plain actor.
  static std::vector<int> seen;
  seen.clear();
  class collector : public troupe::actor<collector, numbered> {
  public:
    void on(const numbered& m) {
      if (m.n % 10 == 3 && incarnation() * 10 < static_cast<unsigned>(m.n))
        throw std::runtime_error{"once in ten"};
      seen.push_back(m.n);
    }
  };
  troupe::system sys{stepped()};
  troupe::child_options o;
  o.retries = 1;
  o.intensity = troupe::unlimited;
  o.backoff = troupe::backoff_options{};
  auto a = sys.root().start<collector>("c", o);
  for (int i = 0; i < 40; ++i)
    a.tell(numbered{i});
  sys.advance(60s);
  CHECK(seen.size() == 40);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(a.incarnation() == 4);
}

TEST_CASE("actor: drain handles what was accepted before and drops what came later") {
  for (auto policy : {troupe::reject, troupe::drop_oldest}) {
    troupe::system sys{stepped()};
    auto a = sys.root().start<all_kinds>("a", support::with_mailbox(100, policy));
    for (int i = 0; i < 5; ++i)
      a.tell(quiet{});
    a.drain();
    a.tell(quiet{}); // before its turn comes the mark moves with the order
    sys.run_until_idle();
    CHECK(a.has_stopped());
    const auto b = a.books();
    CHECK(b.accepted == 6);
    CHECK(b.handled >= 5);
    CHECK(b.balanced());
  }
}
