// SPDX-License-Identifier: BSD-3-Clause
// Claims: failures in unusual places are failures like others, or end the process as documented; ends and restarts that
// meet do not disturb each other; storms of restarts stay within the product of their budgets.
// Observed: births and ends in a diary, in a stepped system; what ends the process, in a child process.
#include "support/supervision_stage.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace support;

namespace {

/// The signal that ended a process in which `act` ran, 0 if none did.
template <class Act>
int signal_of(Act act) {
  const auto child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL); // doctest's
    std::signal(SIGSEGV, SIG_DFL);
    ::close(STDERR_FILENO);
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

struct burst {}; // of the timer
struct begin_ticking {};

class ticking : public actor<ticking, begin_ticking, burst, query> {
public:
  explicit ticking(std::shared_ptr<int> ticks) : ticks_{std::move(ticks)} {}
  void on(const begin_ticking&) { every(10ms, burst{}); }
  void on(const burst&) {
    if (++*ticks_ == 3)
      throw std::runtime_error{"tick"};
  }
  int on(const query&) const { return *ticks_; }

private:
  const std::shared_ptr<int> ticks_;
};

} // namespace

TEST_CASE("supervisor: an exception in the handler of a tick is a failure and ends the incarnation's timers") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = at_once});
  auto ticks = std::make_shared<int>(0);
  auto a = top.start<ticking>("a", ticks);
  a.tell(begin_ticking{});
  s.sys.advance(100ms);
  CHECK(*ticks == 3);
  CHECK(a.incarnation() == 1);
  CHECK(a.books().quarantined == 1);
  CHECK(a.books().balanced());
  CHECK(s.event_lines({kind::failed, kind::restarted}) == lines{"failed top/a", "restarted top/a"});
}

TEST_CASE("supervisor: bad_alloc in a handler is a failure like another") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = at_once});
  auto a = s.start(top, "a");
  auto asked = a.ask(fragile{});
  a.tell(boom_memory{});
  s.settle();
  CHECK(a.incarnation() == 1);
  CHECK(std::move(asked).get() == 1);
  REQUIRE(s.events.size() >= 3);
  CHECK(std::ranges::find(s.events, kind::failed, &supervision_event::what)->why == "std::bad_alloc: std::bad_alloc");
}

TEST_CASE("supervisor: an exception that leaves a destructor ends the process as everywhere in C++") {
  struct sharp : actor<sharp, note> {
    ~sharp() noexcept(false) { throw std::runtime_error{"destructor"}; }
    void on(const note&) {}
  };
  CHECK(signal_of([] {
          stage s;
          auto a = s.sys.spawn<sharp>();
          a.stop();
          s.settle();
        }) == SIGABRT);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("supervisor: a stack overflow ends the process and no supervisor sees it") {
  struct deep : actor<deep, note> {
    // A volatile array, and work after the call, keep the compiler from making a loop of it.
    static int descend(int n) { // NOLINT(misc-no-recursion)
      volatile char frame[4'096];
      frame[0] = static_cast<char>(n);
      return n == 0 ? 0 : descend(n + 1) + frame[0];
    }
    void on(const note&) { (void)descend(1); }
  };
  CHECK(signal_of([] {
          stage s;
          auto a = s.sys.spawn<deep>();
          a.tell(note{});
          s.settle();
        }) == SIGSEGV);
}
#endif

TEST_CASE("supervisor: a child that ends while its supervisor waits to restart a sibling just ends") {
  for (const auto how : {one_for_one, one_for_all, rest_for_one, dynamic}) {
    CAPTURE(to_string(how));
    stage s;
    supervisor_options o{.intensity = unlimited, .group_intensity = unlimited, .backoff = doubling};
    auto top = s.sys.supervise("top", with(how, o));
    auto a = s.start(top, "a", {.restart = transient});
    auto b = s.start(top, "b");
    auto c = s.start(top, "c");
    s.done();
    b.tell(crash{});
    s.settle();
    a.tell(finish{}); // halted with its group, it reads that when it is back
    const bool halted = how == one_for_all;
    CHECK(s.done() == (halted                ? lines{"-c", "-a"}
                       : how == rest_for_one ? lines{"-c", "stop a", "-a"}
                                             : lines{"stop a", "-a"}));
    CHECK(a.has_stopped() != halted);
    s.sys.advance(100ms);
    CHECK(a.has_stopped());
    CHECK(b.incarnation() == 1);
    CHECK(c.incarnation() == (how == one_for_all || how == rest_for_one ? 1 : 0));
    CHECK(s.sys.restarts() == (how == one_for_all ? 3 : how == rest_for_one ? 2 : 1));
    CHECK(top.books().balanced());
  }
}

TEST_CASE("supervisor: children that end by themselves while their supervisor ends do not disturb it") {
  for (const auto how : {one_for_one, one_for_all, rest_for_one, dynamic})
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      CAPTURE(to_string(how));
      CAPTURE(seed);
      stage s{seed};
      auto outer = s.sys.supervise("outer", with(how));
      auto top = outer.supervise("top", with(how));
      std::vector<ref<worker>> all;
      for (const char* name : {"a", "b", "c", "d"})
        all.push_back(s.start(top, name, {.restart = transient}));
      s.done();
      top.stop();
      for (const std::size_t i : {0, 1, 3})
        all[i].tell(finish{}); // several reports reach the supervisor in one turn
      s.settle();
      for (const auto& a : all)
        CHECK(a.has_stopped());
      CHECK(top.has_stopped());
      CHECK(outer.children().empty());
      CHECK(s.event_lines({kind::stuck, kind::failed}).empty());
      CHECK(s.sys.books().balanced());
    }
}

TEST_CASE("supervisor: a message sent to itself in a constructor at a restart comes after what waits") {
  struct writer : actor<writer, note, crash> {
    explicit writer(std::shared_ptr<diary> d) : diary_{std::move(d)} { self().tell(note{"own"}); }
    void on(const note& n) { diary_->written.push_back(n.text); }
    void on(const crash&) { throw std::runtime_error{"crash"}; }
    const std::shared_ptr<diary> diary_;
  };
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  auto a = top.start<writer>("a", s.book);
  CHECK(s.done() == lines{"own"});
  a.tell(crash{});
  s.settle();
  a.tell(note{"first"});
  a.tell(note{"second"});
  s.sys.advance(100ms);
  CHECK(s.done() == lines{"first", "second", "own"});
}

TEST_CASE("supervisor: a message sent to itself in a constructor at a restart is refused by a full mailbox") {
  struct writer : actor<writer, note, crash> {
    explicit writer(std::shared_ptr<diary> d) : diary_{std::move(d)} {
      if (self().tell(note{"own"}) == delivery::rejected)
        diary_->written.push_back("full");
    }
    void on(const note& n) { diary_->written.push_back(n.text); }
    void on(const crash&) { throw std::runtime_error{"crash"}; }
    const std::shared_ptr<diary> diary_;
  };
  stage s;
  auto top = s.sys.supervise("top", {.backoff = doubling});
  child_options o;
  o.mailbox.capacity = 2;
  auto a = top.start<writer>("a", o, s.book);
  CHECK(s.done() == lines{"own"});
  a.tell(crash{});
  s.settle();
  while (a.tell(note{"x"}) == delivery::accepted) {
  }
  s.sys.advance(100ms);
  const auto all = s.done();
  REQUIRE_FALSE(all.empty());
  CHECK(all.front() == "full");
  CHECK(a.books().balanced());
  CHECK(a.books().queued == 0);
}

TEST_CASE("supervisor: a storm of restarts through three levels stays within the product of their budgets") {
  stage s;
  constexpr unsigned tolerated = 3;
  const supervisor_options level{.intensity = tolerated,
                                 .period = 1h,
                                 .group_intensity = tolerated,
                                 .group_period = 1h,
                                 .backoff = {.min = 1ms, .max = 1ms, .factor = 1.0, .jitter = 0.0}};
  auto l1 = s.sys.supervise("l1", level);
  auto l2 = l1.supervise("l2", level);
  auto l3 = l2.supervise("l3", level);
  auto leaf = s.start(l3, "leaf");
  auto bystander = s.start(s.sys.supervise("other"), "bystander");
  s.done();
  unsigned crashes = 0;
  for (auto life = leaf.incarnation(); !leaf.has_stopped() && crashes < 10'000; life = leaf.incarnation()) {
    leaf.tell(crash{});
    ++crashes;
    for (int i = 0; i < 10'000 && !leaf.has_stopped() && leaf.incarnation() == life; ++i)
      s.sys.advance(1ms);
  }
  // The leaf lives 4 times in each life of l3, that in each of l2, that in each of l1, which the root restarts 5 times
  // within 5 s: 6 lives.
  CHECK(crashes == 4 * 4 * 4 * 6);
  CHECK(leaf.incarnation() == crashes - 1);
  CHECK_FALSE(bystander.has_stopped());
  CHECK(bystander.incarnation() == 0);
  CHECK(s.sys.books().balanced());
}

TEST_CASE("supervisor: when the top gives up the rest is drained and the report says so with exit code 1") {
  stage s;
  auto doomed = s.sys.supervise("doomed", {.intensity = 0});
  auto a = s.start(doomed, "a");
  auto other = s.start(s.sys.supervise("other"), "b");
  s.done();
  for (int i = 0; i < 6; ++i) { // the root restarts `doomed` five times
    a.tell(crash{});
    s.sys.advance(500ms);
  }
  CHECK_FALSE(s.sys.wait());
  CHECK(a.has_stopped());
  for (int i = 0; i < 3; ++i)
    other.tell(note{std::to_string(i)}); // accepted before the shutdown, so handled by it
  s.book->take();
  const auto report = s.sys.shutdown();
  CHECK(s.book->take() == lines{"b:0", "b:1", "b:2", "stop b", "-b"});
  CHECK(report.gave_up);
  CHECK(report.drained);
  CHECK(report.complete);
  CHECK(report.exit_code() == 1);
  CHECK(report.unaccounted == 0);
}
