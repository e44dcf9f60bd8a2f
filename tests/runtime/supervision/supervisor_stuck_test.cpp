// SPDX-License-Identifier: BSD-3-Clause
// Claims: handlers that do not return hold up neither a stop nor a group restart.
// Observed: real threads; each wait has a limit.
#include "support/supervision_stage.hpp"

using namespace support;

namespace {

struct hang {};

class stubborn : public actor<stubborn, hang, query> {
public:
  explicit stubborn(std::shared_ptr<std::atomic<int>> gate) : gate_{std::move(gate)} {}
  void on(const hang&) {
    gate_->store(1);
    gate_->notify_all();
    gate_->wait(1);
  }
  int on(const query&) { return 7; }

private:
  const std::shared_ptr<std::atomic<int>> gate_; // 1: in the handler, 2: may leave it
};

struct threaded {
  explicit threaded(unsigned workers = 2) : sys{system_options{.workers = workers}} {
    listening = sys.events().subscribe([this](const event& e) {
      if (const auto* s = std::get_if<supervision_event>(&e); s != nullptr && s->what == kind::stuck)
        ++stuck;
    });
  }
  ref<stubborn> start_hanging(const supervisor& under, child_options o) {
    auto r = under.start<stubborn>("s", o, gate);
    r.tell(hang{});
    gate->wait(0);
    return r;
  }
  void let_go() {
    gate->store(2);
    gate->notify_all();
  }

  std::shared_ptr<std::atomic<int>> gate = std::make_shared<std::atomic<int>>(0);
  std::atomic<int> stuck{0};
  troupe::system sys;
  event_stream::subscription listening;
};

} // namespace

TEST_CASE("supervisor: a child that does not stop in time is killed and reported stuck and not waited for") {
  for (auto how : {one_for_one, dynamic}) {
    threaded t;
    auto top = t.sys.supervise("top", with(how));
    auto inner = top.supervise("inner", with(how));
    auto s = t.start_hanging(inner, {.shutdown = 10ms});
    auto other = top.start<stubborn>("other", t.gate);
    const auto begin = std::chrono::steady_clock::now();
    top.stop();
    CHECK(t.sys.wait_stopped(top, 10s));
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= 1s);
    CHECK(took < 5s);
    CHECK(t.stuck == 1);
    CHECK(other.has_stopped());
    CHECK_FALSE(s.has_stopped());
    CHECK(t.sys.find("top/inner/s").has_value()); // its name is taken until it has gone
    const auto books = t.sys.books();
    CHECK(books.accepted == 1);
    CHECK(books.queued == 1);
    const auto report = t.sys.shutdown(100ms);
    CHECK_FALSE(report.complete);
    REQUIRE(report.survivors.size() == 1);
    CHECK(report.survivors[0].name == "top/inner/s");
    CHECK(report.survivors[0].handler.find("hang") != std::string::npos);
    t.let_go();
    CHECK(t.sys.wait_stopped(s, 10s));
    CHECK(t.sys.books().balanced());
    CHECK(t.sys.books().handled == 1);
  }
}

TEST_CASE("supervisor: a group restart does not wait for a member that is stuck and takes it in when it returns") {
  threaded t;
  auto top = t.sys.supervise("top", with(one_for_all));
  auto s = t.start_hanging(top, {.shutdown = 10ms});
  auto book = std::make_shared<diary>();
  auto a = top.start<worker>("a", book, "a");
  a.tell(crash{});
  CHECK(a.ask(query{}, 5s).get() == 0);
  CHECK(a.incarnation() == 1);
  CHECK(t.stuck == 1);
  CHECK(s.incarnation() == 0);
  t.let_go();
  CHECK(s.ask(query{}, 5s).get() == 7);
  CHECK(s.incarnation() == 1);
}

TEST_CASE("supervisor: the children of a dynamic supervisor share one shutdown timer") {
  threaded t{4};
  auto top = t.sys.supervise("top", with(dynamic));
  std::vector<std::shared_ptr<std::atomic<int>>> gates;
  for (const auto* name : {"a", "b", "c"}) {
    gates.push_back(std::make_shared<std::atomic<int>>(0));
    auto r = top.start<stubborn>(name, {.shutdown = 300ms}, gates.back());
    r.tell(hang{});
    gates.back()->wait(0);
  }
  const auto begin = std::chrono::steady_clock::now();
  top.stop();
  CHECK(t.sys.wait_stopped(top, 10s));
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 1'300ms); // all were told at once, killed at once, given up at once
  CHECK(took < 2 * 1'300ms);
  CHECK(t.stuck == 3);
  for (auto& g : gates) {
    g->store(2);
    g->notify_all();
  }
}

TEST_CASE("supervisor: many threads may start and stop children of one supervisor") {
  troupe::system sys{system_options{.workers = 2}};
  auto top = sys.supervise("top", {.children_max = 4});
  auto book = std::make_shared<diary>();
  std::atomic<int> full{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      struct idle : actor<idle, note> {
        void on(const note&) {}
      };
      for (int i = 0; i < 500; ++i) {
        auto r = top.start<idle>("child " + std::to_string(t));
        r.stop();
        if (!sys.wait_stopped(r, 10s))
          ++full;
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(full == 0);
  CHECK(top.children().empty());
  CHECK(sys.shutdown().complete);
}
