// SPDX-License-Identifier: BSD-3-Clause
// Claims: a shutdown drains, then stops, then kills, within its time, and says once and exactly what is left.
// Observed on stepped systems, and on threads with a handler that returns only when the test lets it.
#include <troupe/observe/shutdown_report.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using troupe::errc;
using troupe::task;

namespace {

struct work {
  using reply = int;
};
struct hang {
  using reply = int;
};
struct shut {
  using reply = std::string;
};

class worker : public troupe::actor<worker, work, shut> {
public:
  explicit worker(std::shared_ptr<int> handled = std::make_shared<int>()) : handled_{std::move(handled)} {}
  int on(const work&) { return ++*handled_; }
  std::string on(const shut&) {
    try {
      system().shutdown();
    } catch (const troupe::usage_error& e) {
      return e.what();
    }
    return "no exception";
  }

private:
  std::shared_ptr<int> handled_;
};

/// Its handler returns when the test opens the gate.
struct gate {
  std::latch entered{1};
  std::latch open{1};
};

class stuck : public troupe::actor<stuck, hang, work> {
public:
  explicit stuck(std::shared_ptr<gate> g) : gate_{std::move(g)} {}
  int on(const hang&) {
    gate_->entered.count_down();
    gate_->open.wait();
    return 1;
  }
  int on(const work&) { return 2; }

private:
  std::shared_ptr<gate> gate_;
};

class asks : public troupe::actor<asks, work> {
public:
  explicit asks(troupe::ref<stuck> whom) : whom_{std::move(whom)} {}
  task<int> on(const work& m) { co_return co_await whom_.ask(m, 1h); }

private:
  troupe::ref<stuck> whom_;
};

/// What is written to standard error while this lives.
class captured_stderr {
public:
  captured_stderr() : file_{std::tmpfile()}, saved_{::dup(2)} {
    std::fflush(stderr);
    ::dup2(::fileno(file_), 2);
  }
  ~captured_stderr() {
    restore();
    std::fclose(file_);
  }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;

  std::string text() {
    restore();
    std::string result;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_))
      result += static_cast<char>(c);
    return result;
  }

private:
  void restore() {
    if (saved_ < 0)
      return;
    std::fflush(stderr);
    ::dup2(saved_, 2);
    ::close(saved_);
    saved_ = -1;
  }
  std::FILE* file_;
  int saved_;
};

} // namespace

TEST_CASE("shutdown: what is queued is handled before the actors are stopped") {
  troupe::system sys{stepped()};
  const auto handled = std::make_shared<int>();
  auto shop = sys.supervise("shop");
  auto a = shop.start<worker>("a", handled);
  auto b = sys.spawn<worker>(handled);
  for (int i = 0; i < 500; ++i) {
    a.tell(work{});
    b.tell(work{});
  }
  const auto report = sys.shutdown(1s);
  CHECK(report.complete);
  CHECK(report.drained);
  CHECK_FALSE(report.gave_up);
  CHECK(report.survivors.empty());
  CHECK(report.exit_code() == 0);
  CHECK(report.unaccounted == 0);
  CHECK(*handled == 1'000);
  CHECK(report.books == troupe::ledger{.accepted = 1'000, .handled = 1'000});
  CHECK(a.has_stopped());
  CHECK(shop.has_stopped());
}

TEST_CASE("shutdown: on threads too what is queued is handled") {
  troupe::system sys{{.workers = 2}};
  const auto handled = std::make_shared<int>();
  auto a = sys.spawn<worker>(handled);
  for (int i = 0; i < 5'000; ++i)
    a.tell(work{});
  const auto report = sys.shutdown();
  CHECK(report.complete);
  CHECK(report.drained);
  CHECK(*handled == 5'000);
}

TEST_CASE("shutdown: it is reported once and later calls return the first report") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<worker>();
  a.tell(work{});
  const auto first = sys.shutdown(1s);
  a.tell(work{}); // refused: would change the books
  const auto second = sys.shutdown(5s);
  CHECK(second.books == first.books);
  CHECK(second.elapsed == first.elapsed);
  CHECK(to_string(second) == to_string(first));
}

TEST_CASE("shutdown: afterwards refs and the system still answer and nothing starts any more") {
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  auto a = shop.start<worker>("a");
  sys.shutdown(1s);
  CHECK(a.tell(work{}) == troupe::delivery::stopped);
  CHECK(a.ask(work{}).try_get().error().code == errc::stopped);
  CHECK(a.has_stopped());
  a.stop();
  a.kill();
  const auto code = [](auto start) {
    try {
      start();
    } catch (const troupe::request_error& e) {
      return e.code();
    }
    return errc::failed;
  };
  CHECK(code([&] { sys.spawn<worker>(); }) == errc::shutting_down);
  CHECK(code([&] { shop.start<worker>("b"); }) == errc::shutting_down);
  CHECK(code([&] { sys.supervise("more"); }) == errc::shutting_down);
  CHECK_FALSE(sys.find("shop/a"));
  CHECK(sys.root().children().empty());
}

TEST_CASE("shutdown: inside an actor it is a usage_error and request_shutdown is the way") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<worker>();
  CHECK(a.ask(shut{}).get().find("request_shutdown") != std::string::npos);
  class requests : public troupe::actor<requests, work> {
  public:
    int on(const work&) {
      system().request_shutdown();
      return 0;
    }
  };
  sys.spawn<requests>().tell(work{});
  sys.run_until_idle();
  CHECK(sys.wait()); // returns at once
}

TEST_CASE("shutdown: an actor that waits for the end is told that it must not") {
  class waits : public troupe::actor<waits, work> {
  public:
    int on(const work&) { return system().wait() ? 1 : 0; }
  };
  troupe::system sys{stepped()};
  const auto a = sys.spawn<waits>();
  sys.request_shutdown(); // so that it would return
  CHECK(a.ask(work{}).try_get().error().what.find("would block a worker") != std::string::npos);
}

TEST_CASE("shutdown: a request from another thread ends the wait") {
  troupe::system sys{{.workers = 1}};
  std::jthread other{[&] { sys.request_shutdown(); }};
  CHECK(sys.wait());
}

TEST_CASE("shutdown: an actor that keeps itself busy is stopped after half of the time") {
  class chatter : public troupe::actor<chatter, work> {
  public:
    int on(const work&) {
      after(10ms, work{});
      auto again = self().tell(work{});
      return static_cast<int>(again);
    }
  };
  troupe::system sys{{.workers = 1}};
  auto c = sys.spawn<chatter>();
  c.tell(work{});
  const auto report = sys.shutdown(400ms);
  CHECK(report.complete);
  CHECK_FALSE(report.drained);
  CHECK(report.elapsed >= 200ms);
  CHECK(report.books.balanced());
}

TEST_CASE("shutdown: a handler that does not return is reported with all that is known and does not hold it up") {
  const auto g = std::make_shared<gate>();
  troupe::system sys{{.workers = 2}};
  auto shop = sys.supervise("shop");
  troupe::child_options o;
  o.shutdown = 50ms;
  auto s = shop.start<stuck>("stuck", o, g);
  auto asker = shop.start<asks>("asker", s);
  auto outside = s.ask(hang{}, 1h);
  g->entered.wait();
  auto through = asker.ask(work{}, 1h);
  for (int i = 0; i < 3; ++i)
    s.tell(work{});
  while (s.depth() != 4) // the asker's request among them
    std::this_thread::yield();

  const auto begin = std::chrono::steady_clock::now();
  const auto report = sys.shutdown(600ms);
  const auto took = std::chrono::steady_clock::now() - begin;

  CHECK(took < 5s); // its time, and what a busy machine adds
  CHECK_FALSE(report.complete);
  CHECK_FALSE(report.drained);
  CHECK(report.exit_code() == 1);
  REQUIRE(report.survivors.size() == 1);
  const auto& left = report.survivors[0];
  CHECK(left.name == "shop/stuck");
  CHECK(left.id == s.id());
  CHECK(left.handler.find("hang") != std::string::npos);
  CHECK(left.since >= 500ms);
  CHECK(left.since < 60s);
  CHECK(left.queued == 4);
  CHECK(std::find(left.awaited_by.begin(), left.awaited_by.end(), "outside") != left.awaited_by.end());
  const auto text = to_string(report);
  CHECK(text.find("INCOMPLETE") != std::string::npos);
  CHECK(text.find("shop/stuck") != std::string::npos);
  CHECK(text.find("hang") != std::string::npos);
  CHECK(text.find("4 queued") != std::string::npos);
  CHECK(text.find("outside") != std::string::npos);
  CHECK(report.books.balanced());

  g->open.count_down();
  CHECK(sys.wait_stopped(s, 20s));
  CHECK(s.books().balanced());
  CHECK(s.books().queued == 0);
  CHECK(std::move(outside).get() == 1); // its handler did return
  CHECK_FALSE(std::move(through).try_get());
}

TEST_CASE("shutdown: the report names the actor that awaits a stuck one") {
  const auto g = std::make_shared<gate>();
  troupe::system sys{{.workers = 2}};
  auto s = sys.root().start<stuck>("stuck", g);
  // An asker that cannot be stopped either: it stays, and so does its ask.
  class blocked_asker : public troupe::actor<blocked_asker, work> {
  public:
    blocked_asker(troupe::ref<stuck> whom, std::shared_ptr<gate> g) : whom_{std::move(whom)}, gate_{std::move(g)} {}
    int on(const work&) {
      auto r = whom_.ask(hang{}, 1h);
      gate_->open.wait();
      return 0;
    }

  private:
    troupe::ref<stuck> whom_;
    std::shared_ptr<gate> gate_;
  };
  auto asker = sys.root().start<blocked_asker>("asker", s, g);
  asker.tell(work{});
  g->entered.wait();
  const auto report = sys.shutdown(200ms);
  REQUIRE(report.survivors.size() == 2);
  for (const auto& left : report.survivors) {
    if (left.name == "stuck")
      CHECK(left.awaited_by == std::vector<std::string>{"asker"});
    else
      CHECK(left.name == "asker");
  }
  g->open.count_down();
  CHECK(sys.wait_stopped(s, 20s));
  CHECK(sys.wait_stopped(asker, 20s));
}

TEST_CASE("shutdown: a report of many survivors holds them all and its text the first hundred") {
  captured_stderr err; // the destructor prints the report, too
  const auto g = std::make_shared<gate>();
  troupe::system sys{{.workers = 1}};
  auto s = sys.root().start<stuck>("stuck", g);
  std::vector<troupe::ref<worker>> others;
  for (int i = 0; i < 20'000; ++i)
    others.push_back(sys.spawn<worker>());
  s.tell(hang{});
  g->entered.wait(); // the only worker, so nobody else can end
  const auto report = sys.shutdown(200ms);
  CHECK(report.survivors.size() == 20'001);
  const auto text = to_string(report);
  CHECK(std::count(text.begin(), text.end(), '\n') == 101);
  CHECK(text.ends_with("still alive: 19901 more"));
  g->open.count_down();
  CHECK(sys.wait_stopped(s, 20s));
  CHECK(std::ranges::all_of(others, [&](const auto& w) { return sys.wait_stopped(w, 20s); }));
}

TEST_CASE("shutdown: the destructor shuts down and prints only what went wrong") {
  SUBCASE("all went well") {
    captured_stderr err;
    {
      troupe::system sys{{.workers = 1}};
      sys.spawn<worker>().tell(work{});
    }
    CHECK(err.text().empty());
  }
  SUBCASE("an actor was stuck") {
    const auto g = std::make_shared<gate>();
    captured_stderr err;
    {
      troupe::system sys{{.workers = 1, .shutdown_timeout = 100ms}};
      auto s = sys.root().start<stuck>("stuck", g);
      s.tell(hang{});
      g->entered.wait();
      sys.shutdown();
      g->open.count_down();
      sys.wait_stopped(s, 20s);
    }
    const auto text = err.text();
    CHECK(text.find("troupe: shutdown INCOMPLETE") != std::string::npos);
    CHECK(text.find("stuck") != std::string::npos);
  }
}

TEST_CASE("shutdown: the report of a good end is one line") {
  troupe::shutdown_report r;
  r.complete = true;
  r.elapsed = 12ms;
  r.books = {.accepted = 3, .handled = 2, .dropped = 1};
  CHECK(to_string(r) ==
        "shutdown complete in 12 ms: 3 messages accepted, 2 handled, 0 expired, 1 dropped, 0 quarantined, 0 queued");
  r.gave_up = true;
  CHECK(r.exit_code() == 1);
  r.unaccounted = 2;
  CHECK(to_string(r).find("2 UNACCOUNTED") != std::string::npos);
}

TEST_CASE("shutdown: the report names a hundred survivors with what holds them up, and counts the others") {
  troupe::shutdown_report r;
  r.survivors.push_back({"shop/till", 7, "print", 40ms, 3, {"shop/cart", "shop/desk"}});
  r.survivors.resize(103, {"idle", 9, "", 0ms, 0, {}});
  const auto text = to_string(r);
  CHECK(text.find("shutdown INCOMPLETE") == 0);
  CHECK(text.find("\n  still alive: shop/till (id 7), handling print since 40 ms, 3 queued, awaited by shop/cart, "
                  "shop/desk\n  still alive: idle (id 9), in no handler, 0 queued\n") != std::string::npos);
  CHECK(text.ends_with("\n  still alive: 3 more"));
}
