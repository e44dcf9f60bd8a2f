// SPDX-License-Identifier: BSD-3-Clause
// Claims: each start is looked at: what cannot work is refused with a reason, what is questionable is reported once.
// Observed: what a start throws, and the events, in a stepped system.
#include <troupe/journal/journaled_actor.hpp>

#include "support/supervision_stage.hpp"

using namespace support;

namespace {

struct added {
  int n;
};

class account : public journaled_actor<account, int, events<added>, note> {
public:
  account() : journaled_actor{"account"} {}
  void on(const note&) {}
  static void apply(int& sum, const added& e) { sum += e.n; }
};

/// What was published as questionable since the last call.
lines questions(stage& s) {
  lines all;
  for (const auto& e : std::exchange(s.events, {}))
    if (e.what == kind::questionable)
      all.push_back(to_string(e));
  return all;
}

/// The reason why a start is refused.
template <class Start>
std::string refusal(Start start) {
  try {
    (void)start();
  } catch (const request_error& e) {
    return e.what();
  }
  return "";
}

constexpr backoff_options slow{.min = 2s, .max = 2s, .factor = 1.0, .jitter = 0.0};

} // namespace

TEST_CASE("start check: default options three levels down are not questionable") {
  stage s;
  s.start(s.sys.supervise("a").supervise("b"), "c");
  (void)s.sys.spawn<account>();
  CHECK(questions(s).empty());
}

TEST_CASE("start check: a questionable option is reported when the child is started and says what follows from it") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = slow});
  CHECK(questions(s).empty());
  s.start(top, "a");
  CHECK(questions(s) ==
        lines{"top: top/a questionable: its pauses are so long that 6 restarts never fall within 5000 ms: "
              "it is restarted for ever"});
  s.start(s.sys.supervise("other"), "b", {.shutdown = 1h});
  CHECK(questions(s) ==
        lines{"other: other/b questionable: its shutdown of 3600000 ms is longer than the 9000 ms that a "
              "shutdown of the system leaves: it is killed before"});
}

TEST_CASE("start check: intensities that multiply beyond a thousand are reported where they do") {
  stage s;
  const supervisor_options ten{.intensity = 10, .period = 1min, .group_intensity = 10};
  auto a = s.sys.supervise("a", ten); // tolerated by the root: 5
  auto b = a.supervise("b", ten);
  CHECK(questions(s).empty());
  auto c = b.supervise("c", ten); // 6 lives of a, 11 of b, 11 of c
  CHECK(questions(s).empty());
  s.start(c, "leaf");
  CHECK(questions(s) ==
        lines{"a/b/c: a/b/c/leaf questionable: may be restarted 7986 times before everybody above has given "
              "up: choose smaller intensities further up"});
}

TEST_CASE("start check: options without effect are reported") {
  stage s;
  auto top = s.sys.supervise("top");
  s.start(top, "a", {.restart = transient, .significant = true});
  CHECK(questions(s) ==
        lines{"top: top/a questionable: is significant, and the auto_shutdown of its supervisor is never"});
  s.start(s.sys.supervise("other"), "b", {.restart = temporary, .retries = 1});
  CHECK(questions(s) ==
        lines{"other: other/b questionable: has retries, and is temporary: it is not restarted, so nothing "
              "is tried again"});
}

TEST_CASE("start check: of the children of one supervisor each kind of finding is reported once") {
  stage s;
  auto top = s.sys.supervise("top", {.strategy = dynamic, .backoff = slow});
  for (int i = 0; i < 100; ++i)
    s.start(top, "");
  CHECK(questions(s).size() == 1);
  s.start(top, "", {.restart = transient, .significant = true});
  CHECK(questions(s).size() == 1);
  s.start(s.sys.supervise("other", {.backoff = slow}), "");
  CHECK(questions(s).size() == 1);
}

TEST_CASE("start check: without subscribers nothing is lost and with the option off nothing is reported") {
  stage s;
  auto top = s.sys.supervise("top", {.backoff = slow});
  s.listening = {};
  s.start(top, "a");
  s.listening = s.sys.events().subscribe([&s](const event& e) {
    if (const auto* found = std::get_if<supervision_event>(&e))
      s.events.push_back(*found);
  });
  s.start(top, "b");
  CHECK(questions(s).size() == 1);

  troupe::system off{{.check_starts = false, .through = {.clock = std::make_shared<manual_clock>()}, .stepped = 0}};
  int seen = 0;
  const auto listening = off.events().subscribe([&](const event& e) {
    const auto* found = std::get_if<supervision_event>(&e);
    seen += found != nullptr && found->what == kind::questionable;
  });
  off.supervise("top", {.backoff = slow}).start<worker>("a", std::make_shared<diary>(), "a");
  CHECK(seen == 0);
  CHECK(off.check_tree().size() >= 1); // but it can be asked for
}

TEST_CASE("start check: what can never work is refused with its reason and nothing is started") {
  stage s;
  auto top = s.sys.supervise("top");
  s.start(top, "a");
  CHECK(refusal([&] { return s.start(top, "a"); }) == "name_taken: there is an actor named top/a already");
  CHECK(refusal([&] { return top.supervise("a"); }) == "name_taken: there is an actor named top/a already");
  child_options o;
  o.handler_budget = 10ms;
  o.on_overrun = overrun_action::replace;
  CHECK(refusal([&] {
          return top.start<account>("j", o);
        }).find("account: it is journaled, and a journal has one writer at a time") != std::string::npos);
  CHECK(refusal([&] { return s.start(top, "r", {.rehearse = 1}); }) ==
        "bad_options: rehearse must be 0 for support::worker: only a journaled actor can be rehearsed");
  CHECK(top.count().specs == 1);
  s.start(s.sys.supervise("other"), "a"); // the name is free elsewhere
}
