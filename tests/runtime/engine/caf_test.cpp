// SPDX-License-Identifier: BSD-3-Clause
// Claims: plain CAF actors and ours send to, request from, monitor and link with each other in one process, on our
// workers, and neither side can hang the other.
// Observed on threads through what plain CAF actors are told; waits are promises with a generous limit. A CAF actor to
// which no handle is left ends, hence `kept`.
#include <troupe/engine/caf.hpp>

#include <caf/all.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace caf_test {

struct add {
  int n = 0;
  using reply = int;
};
struct note {
  int n = 0;
};
struct fail {
  int n = 0;
  using reply = int;
};
struct hold {
  int n = 0;
  using reply = int;
};
struct unknown {
  int n = 0;
};
template <class Inspector>
auto inspect(Inspector& f, add& x) {
  return f(caf::meta::type_name("add"), x.n);
}
template <class Inspector>
auto inspect(Inspector& f, note& x) {
  return f(caf::meta::type_name("note"), x.n);
}
template <class Inspector>
auto inspect(Inspector& f, fail& x) {
  return f(caf::meta::type_name("fail"), x.n);
}
template <class Inspector>
auto inspect(Inspector& f, hold& x) {
  return f(caf::meta::type_name("hold"), x.n);
}
template <class Inspector>
auto inspect(Inspector& f, unknown& x) {
  return f(caf::meta::type_name("unknown"), x.n);
}

} // namespace caf_test

using namespace std::chrono_literals;
using namespace caf_test;

namespace {

struct gate {
  std::latch entered{1};
  std::latch open{1};
};

class ours : public troupe::actor<ours, add, note, fail, hold> {
public:
  explicit ours(std::shared_ptr<gate> g = nullptr) : gate_{std::move(g)} {}
  int on(const add& m) {
    sum_ += m.n;
    return sum_;
  }
  void on(const note& m) { sum_ += m.n; }
  int on(const fail&) { throw std::runtime_error{"on purpose"}; }
  int on(const hold&) {
    gate_->entered.count_down();
    gate_->open.wait();
    return 0;
  }

private:
  std::shared_ptr<gate> gate_;
  int sum_ = 0;
};

template <class T>
T soon(std::future<T> f) {
  REQUIRE(f.wait_for(30s) == std::future_status::ready);
  return f.get();
}

/// What a CAF request to `to` comes to: the reply as text, or the error's code.
template <class Reply, class M>
std::string request(troupe::system& sys, const caf::actor& to, M m, bool show_context = false) {
  auto said = std::make_shared<std::promise<std::string>>();
  auto result = said->get_future();
  auto& caf_sys = sys.caf();
  sys.caf().spawn([=, &caf_sys](caf::event_based_actor* self) {
    const auto failed = [=, &caf_sys](caf::error& e) {
      said->set_value(show_context ? caf_sys.render(e) : std::to_string(static_cast<int>(e.code())));
    };
    if constexpr (std::is_same_v<Reply, caf::unit_t>)
      self->request(to, caf::infinite, m).then([=](caf::unit_t) { said->set_value("unit"); }, failed);
    else
      self->request(to, caf::infinite, m).then([=](const Reply& r) { said->set_value(std::to_string(r)); }, failed);
  });
  return soon(std::move(result));
}

std::string code(caf::sec e) { return std::to_string(static_cast<int>(e)); }

} // namespace

TEST_CASE("caf: a plain CAF actor sends to and requests from ours") {
  troupe::allow_caf_requests<add, note, fail>();
  troupe::system sys{{.workers = 2}};
  auto a = sys.spawn<ours>();
  caf::anon_send(a.to_caf(), note{40});
  CHECK(request<int>(sys, a.to_caf(), add{2}) == "42");
  CHECK(request<caf::unit_t>(sys, a.to_caf(), note{1}) == "unit");
  CHECK(a.ask(add{0}).get() == 43);
  CHECK(a.to_caf() == a.to_caf()); // one face
  CHECK(a.books().balanced());
}

TEST_CASE("caf: a failed handler is an error at the CAF requester with what it threw") {
  troupe::allow_caf_requests<add, fail>();
  troupe::system sys{{.workers = 1}};
  auto a = sys.spawn<ours>();
  CHECK(request<int>(sys, a.to_caf(), fail{1}, true).find("on purpose") != std::string::npos);
  CHECK(request<int>(sys, a.to_caf(), add{5}) == "5"); // a fresh incarnation behind the same face
  CHECK(a.incarnation() == 1);
}

TEST_CASE("caf: a request for which no reply was allowed is an error") {
  troupe::system sys{{.workers = 1}};
  const auto g = std::make_shared<gate>();
  g->open.count_down();
  auto a = sys.spawn<ours>(g);
  CHECK(request<int>(sys, a.to_caf(), hold{1}) == code(caf::sec::unexpected_response));
}

TEST_CASE("caf: a full mailbox is an error at the CAF requester") {
  troupe::allow_caf_requests<add>();
  for (auto policy : {troupe::reject, troupe::drop_newest}) {
    const auto g = std::make_shared<gate>();
    troupe::system sys{{.workers = 2}};
    troupe::child_options o;
    o.mailbox = {.capacity = 1, .overflow = policy};
    auto a = sys.root().start<ours>("a", o, g);
    a.tell(hold{});
    g->entered.wait();
    a.tell(note{});
    CHECK(request<int>(sys, a.to_caf(), add{5}) == code(caf::sec::runtime_error));
    g->open.count_down();
  }
}

TEST_CASE("caf: requests that are queued when ours stops get an error") {
  troupe::allow_caf_requests<add>();
  const auto g = std::make_shared<gate>();
  troupe::system sys{{.workers = 2}};
  auto a = sys.spawn<ours>(g);
  a.tell(hold{});
  g->entered.wait();
  std::promise<std::string> said;
  auto to = a.to_caf();
  sys.caf().spawn([&said, to](caf::event_based_actor* self) {
    self->request(to, caf::infinite, add{1})
        .then([&said](int) { said.set_value("value"); },
              [&said](caf::error& e) { said.set_value(std::to_string(static_cast<int>(e.code()))); });
  });
  while (a.depth() != 1)
    std::this_thread::yield();
  a.stop();
  g->open.count_down();
  CHECK(soon(said.get_future()) == code(caf::sec::request_receiver_down));
  CHECK(sys.wait_stopped(a, 20s));
  CHECK(a.books().balanced());
  CHECK(request<int>(sys, a.to_caf(), add{1}) == code(caf::sec::request_receiver_down));
}

TEST_CASE("caf: a message without a handler is counted and does not end its sender") {
  troupe::allow_caf_requests<add>();
  troupe::system sys{{.workers = 1}};
  std::atomic<int> letters{0};
  auto sub = sys.events().subscribe([&](const troupe::event& e) {
    const auto* l = std::get_if<troupe::dead_letter>(&e);
    if (l != nullptr && l->why == troupe::dead_letter::cause::unhandled)
      letters.fetch_add(1);
  });
  auto a = sys.spawn<ours>();
  std::promise<int> said;
  auto to = a.to_caf();
  sys.caf().spawn([&said, to](caf::event_based_actor* self) {
    self->send(to, unknown{1});
    self->send(to, std::string{"two"}, 2);
    self->request(to, caf::infinite, add{7}).then([&said](int n) { said.set_value(n); });
  });
  CHECK(soon(said.get_future()) == 7);
  CHECK(letters.load() == 2);
  CHECK(a.books().refused == 2);
  CHECK(request<int>(sys, to, unknown{1}) == code(caf::sec::unexpected_message));
}

TEST_CASE("caf: a CAF monitor learns of the end of ours and not of its restarts") {
  for (bool killed : {false, true}) {
    troupe::system sys{{.workers = 1}};
    auto a = sys.spawn<ours>();
    std::promise<caf::error> down;
    std::promise<void> ready;
    auto to = a.to_caf();
    const auto kept = sys.caf().spawn([&, to](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(to);
      self->set_down_handler([&down](caf::down_msg& m) { down.set_value(m.reason); });
      ready.set_value();
      return {[](int) {}};
    });
    soon(ready.get_future());
    a.tell(fail{});
    CHECK(a.ask(add{1}).get() == 1);
    auto ended = down.get_future();
    CHECK(ended.wait_for(0s) != std::future_status::ready);
    if (killed)
      a.kill();
    else
      a.stop();
    const auto reason = soon(std::move(ended));
    CHECK(reason == (killed ? caf::exit_reason::kill : caf::exit_reason::user_shutdown));
  }
}

TEST_CASE("caf: a link ends the CAF actor with ours and ours with the CAF actor") {
  troupe::system sys{{.workers = 1}};
  SUBCASE("ours first") {
    auto a = sys.spawn<ours>();
    auto to = a.to_caf();
    std::promise<void> linked;
    std::promise<caf::error> ended;
    const auto kept = sys.caf().spawn([&, to](caf::event_based_actor* self) -> caf::behavior {
      self->attach_functor([&ended](const caf::error& e) { ended.set_value(e); });
      self->link_to(to);
      linked.set_value();
      return {[](int) {}};
    });
    soon(linked.get_future());
    a.stop();
    CHECK(soon(ended.get_future()) == caf::exit_reason::user_shutdown);
  }
  SUBCASE("CAF's first") {
    auto a = sys.spawn<ours>();
    auto to = a.to_caf();
    sys.caf().spawn([to](caf::event_based_actor* self) {
      self->link_to(to);
      self->quit(caf::exit_reason::user_shutdown);
    });
    CHECK(sys.wait_stopped(a, 20s));
  }
}

TEST_CASE("caf: an exit message with a reason stops ours and one without does not") {
  troupe::system sys{{.workers = 1}};
  auto a = sys.spawn<ours>();
  caf::anon_send_exit(a.to_caf(), caf::exit_reason::normal);
  CHECK(a.ask(add{1}).get() == 1);
  caf::anon_send_exit(a.to_caf(), caf::exit_reason::user_shutdown);
  CHECK(sys.wait_stopped(a, 20s));
}

TEST_CASE("caf: the face of a stopped actor is a CAF actor that has ended") {
  troupe::system sys{{.workers = 1}};
  auto a = sys.spawn<ours>();
  a.stop();
  REQUIRE(sys.wait_stopped(a, 20s));
  auto to = a.to_caf();
  std::promise<void> down;
  const auto kept = sys.caf().spawn([&, to](caf::event_based_actor* self) -> caf::behavior {
    self->monitor(to);
    self->set_down_handler([&down](caf::down_msg&) { down.set_value(); });
    return {[](int) {}};
  });
  soon(down.get_future());
  caf::anon_send(to, note{1}); // nobody there: counted, nothing more
  CHECK(a.books().balanced());
}

namespace {

struct see {
  caf::actor who;
};
struct tell_caf {
  caf::actor whom;
  int n = 0;
};
struct ends_seen {
  using reply = int;
};

class neighbour : public troupe::actor<neighbour, see, tell_caf, ends_seen> {
public:
  explicit neighbour(std::shared_ptr<std::promise<troupe::stopped>> told) : told_{std::move(told)} {}
  void on(const see& m) { troupe::watch_caf(self(), m.who); }
  void on(const tell_caf& m) { caf::anon_send(m.whom, m.n); }
  int on(const ends_seen&) { return seen_; }
  void on(const troupe::stopped& s) {
    ++seen_;
    told_->set_value(s);
  }

private:
  std::shared_ptr<std::promise<troupe::stopped>> told_;
  int seen_ = 0;
};

} // namespace

TEST_CASE("caf: ours watches a CAF actor and sends to it from a handler") {
  troupe::system sys{{.workers = 2}};
  auto told = std::make_shared<std::promise<troupe::stopped>>();
  auto a = sys.spawn<neighbour>(told);
  std::promise<int> got;
  auto theirs = sys.caf().spawn([&got](caf::event_based_actor* self) -> caf::behavior {
    return {[&got, self](int n) {
      got.set_value(n);
      self->quit(caf::exit_reason::user_shutdown);
    }};
  });
  a.tell(see{theirs});
  a.tell(tell_caf{theirs, 17});
  CHECK(soon(got.get_future()) == 17);
  const auto s = soon(told->get_future());
  CHECK(s.id == theirs.id());
  CHECK(s.reason == troupe::exit_reason::shutdown);
  CHECK(a.ask(ends_seen{}).get() == 1);
}

TEST_CASE("caf: a CAF actor that has ended already is told at once") {
  troupe::system sys{{.workers = 1}};
  auto told = std::make_shared<std::promise<troupe::stopped>>();
  auto a = sys.spawn<neighbour>(told);
  std::promise<void> ended;
  auto theirs = sys.caf().spawn([&ended](caf::event_based_actor* self) {
    self->attach_functor([&ended](const caf::error&) { ended.set_value(); });
  });
  soon(ended.get_future());
  a.tell(see{theirs});
  const auto s = soon(told->get_future());
  CHECK(s.id == theirs.id());
}

TEST_CASE("caf: CAF actors run on our workers and their delayed messages arrive") {
  troupe::system sys{{.workers = 2}};
  std::mutex mutex;
  struct where {
    using reply = std::string;
  };
  class tells_thread : public troupe::actor<tells_thread, where> {
  public:
    std::string on(const where&) {
      const auto n = std::hash<std::thread::id>{}(std::this_thread::get_id());
      return std::to_string(n);
    }
  };
  // Both kinds are spread over the same two threads.
  std::set<std::string> threads;
  auto a = sys.spawn<tells_thread>();
  for (int i = 0; i < 50; ++i)
    threads.insert(a.ask(where{}).get());
  std::promise<int> done;
  const auto kept = sys.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 5ms, 10);
    return {[&, self](int n) {
      {
        std::unique_lock guard{mutex};
        threads.insert(std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id())));
      }
      if (n == 0) {
        done.set_value(1);
        self->quit();
      } else {
        self->delayed_send(self, 1ms, n - 1);
      }
    }};
  });
  CHECK(soon(done.get_future()) == 1);
  std::unique_lock guard{mutex};
  CHECK(threads.size() <= 2);
}

TEST_CASE("caf: CAF actors run on a spare worker while a handler of ours holds the only other one") {
  troupe::allow_caf_requests<add>();
  auto g = std::make_shared<gate>();
  troupe::system sys{{.workers = 1, .spare_workers = 1}};
  troupe::child_options replaced;
  replaced.handler_budget = 50ms;
  replaced.on_overrun = troupe::overrun_action::replace;
  auto stuck = sys.supervise("top").start<ours>("stuck", replaced, g);
  const auto to = sys.spawn<ours>().to_caf(); // CAF's part of the system is made before there are spare workers
  stuck.tell(hold{});
  g->entered.wait();
  CHECK(request<int>(sys, to, add{2}) == "2");
  g->open.count_down();
}

TEST_CASE("caf: a requester is told once that ours was replaced and what the old handler returns comes too late") {
  troupe::allow_caf_requests<hold>();
  auto g = std::make_shared<gate>();
  troupe::system sys{{.workers = 2}};
  std::promise<void> returned;
  const auto listening = sys.events().subscribe([&](const troupe::event& e) {
    const auto* s = std::get_if<troupe::supervision_event>(&e);
    if (s != nullptr && s->what == troupe::supervision_event::kind::returned)
      returned.set_value();
  });
  troupe::child_options replaced;
  replaced.handler_budget = 50ms;
  replaced.on_overrun = troupe::overrun_action::replace;
  auto stuck = sys.supervise("top").start<ours>("stuck", replaced, g);
  CHECK(request<int>(sys, stuck.to_caf(), hold{}, true).find("was replaced") != std::string::npos);
  CHECK(sys.late_replies() == 0);
  g->open.count_down();
  soon(returned.get_future());
  CHECK(sys.late_replies() == 1);
}

TEST_CASE("caf: the system ends though a CAF actor keeps itself busy") {
  auto lives = std::make_shared<int>();
  {
    troupe::system sys{{.workers = 2}};
    std::promise<void> ready;
    const auto busy = sys.caf().spawn([&ready, lives](caf::event_based_actor* self) -> caf::behavior {
      self->send(self, 1);
      ready.set_value();
      return {[self, lives](int n) { self->send(self, n); }};
    });
    soon(ready.get_future());
  }
  CHECK(lives.use_count() == 1); // the actor was ended, not left
}

TEST_CASE("caf: the system ends though a CAF actor does not return from its handler") {
  auto g = std::make_shared<gate>();
  std::promise<void> returned;
  {
    troupe::system sys{{.workers = 2}};
    sys.caf().spawn([g, &returned](caf::event_based_actor* self) {
      g->entered.count_down();
      g->open.wait();
      self->send(self, 1); // CAF is still there
      returned.set_value();
    });
    g->entered.wait();
  }
  g->open.count_down();
  soon(returned.get_future());
}

TEST_CASE("caf: the system ends with CAF actors still alive and holding ours") {
  for (int i = 0; i < 5; ++i) {
    troupe::system sys{{.workers = 2}};
    auto a = sys.spawn<ours>();
    auto to = a.to_caf();
    std::promise<void> ready;
    sys.caf().spawn([&, to](caf::event_based_actor* self) -> caf::behavior {
      self->monitor(to);
      self->set_down_handler([](caf::down_msg&) {});
      self->delayed_send(self, 1h, 1);
      ready.set_value();
      return {[to, self](int n) { self->send(to, note{n}); }};
    });
    soon(ready.get_future());
  }
  CHECK(true); // it came here
}
