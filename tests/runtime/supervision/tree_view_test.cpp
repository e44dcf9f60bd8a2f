// SPDX-License-Identifier: BSD-3-Clause
// Claims: the tree of a system can be looked at, drawn, and checked.
// Observed: the text, line by line, of a small shop in a stepped system.
#include "support/supervision_stage.hpp"

using namespace support;

TEST_CASE("actor tree: branches and states and restarts and queues are drawn") {
  stage s;
  auto shop = s.sys.supervise("shop", {.strategy = rest_for_one, .backoff = doubling});
  s.start(shop, "stock");
  auto inner = shop.supervise("customers", with(dynamic));
  inner.start<worker>("", s.book, std::string{"x"});
  auto till = s.start(shop, "till");
  s.settle();
  till.tell(crash{});
  s.settle();
  till.tell(note{"x"});
  till.tell(note{"y"});
  const auto id = std::to_string(inner.children()[0].id());
  CHECK(to_string(s.sys.tree()) == "system  dynamic  running  1 child\n"
                                   "└─ shop  rest_for_one  running  3 children\n"
                                   "   ├─ stock  support::worker  running\n"
                                   "   ├─ customers  dynamic  running  1 child\n"
                                   "   │  └─ support::worker#" +
                                       id +
                                       "  running\n"
                                       "   └─ till  support::worker  waiting  2 queued\n");
  s.sys.advance(100ms);
  CHECK(to_string(shop.tree(), {.ascii = true}) == "shop  rest_for_one  running  3 children\n"
                                                   "|- stock  support::worker  running\n"
                                                   "|- customers  dynamic  running  1 child\n"
                                                   "|  `- support::worker#" +
                                                       id +
                                                       "  running\n"
                                                       "`- till  support::worker  running  1 restart\n");
}

TEST_CASE("actor tree: detail adds ids and books and flight records") {
  stage s;
  auto top = s.sys.supervise("top", patient);
  auto a = s.start(top, "a", {.flight_recorder = 2});
  a.tell(note{"x"});
  s.settle();
  s.sys.advance(3s);
  const auto text = to_string(top.tree(), {.ascii = true, .detail = true, .now = s.sys.now()});
  CHECK(text.find("a  support::worker  running  #" + std::to_string(a.id()) + "  1 accepted, 1 handled\n") !=
        std::string::npos);
  CHECK(text.find("          3 s ago  support::note  from outside  took 0 ns\n") != std::string::npos);
}

TEST_CASE("actor tree: detail tells what became of messages, and what is at work, where there is anything to tell") {
  actor_tree t;
  t.name = "shop/till";
  t.type = "till";
  t.id = 7;
  t.state = actor_state::running;
  t.restarts = 2;
  t.queued = 4;
  t.books = {.accepted = 20, .handled = 9, .expired = 1, .dropped = 2, .quarantined = 3};
  t.handling = "print";
  CHECK(to_string(t, {.detail = true}) == "till  till  running  2 restarts  4 queued  #7  20 accepted, 9 handled, "
                                          "1 expired, 2 dropped, 3 quarantined  handling print\n");
  t.restarts = 1;
  t.queued = 0;
  t.books = {.accepted = 9, .handled = 9};
  t.handling.clear();
  CHECK(to_string(t, {.detail = true}) == "till  till  running  1 restart  #7  9 accepted, 9 handled\n");
}

TEST_CASE("actor tree: every state has a name of its own") {
  lines names;
  for (int i = 0; i <= static_cast<int>(actor_state::stopped); ++i)
    names.emplace_back(to_string(static_cast<actor_state>(i)));
  CHECK(names == lines{"starting", "passive", "running", "draining", "waiting", "out", "stopping", "stopped"});
  CHECK(to_string(actor_state{8}) == "invalid actor_state");
}

TEST_CASE("actor tree: children beyond the limit are summed up by state") {
  stage s;
  auto top = s.sys.supervise("top", with(dynamic, {.backoff = doubling}));
  for (int i = 0; i < 10; ++i)
    s.start(top, "w" + std::to_string(i));
  s.sys.find<worker>("top/w9")->tell(crash{});
  s.settle();
  const auto text = to_string(top.tree(), {.ascii = true, .most = 2});
  CHECK(text == "top  dynamic  running  10 children\n"
                "|- w0  support::worker  running\n"
                "|- w1  support::worker  running\n"
                "`- and 8 more: 7 running, 1 waiting\n");
}

TEST_CASE("actor tree: a running system is checked as it is") {
  stage s;
  const supervisor_options hundred{.intensity = 100, .group_intensity = 100, .backoff = at_once};
  auto inner = s.sys.supervise("top", hundred).supervise("inner", hundred);
  s.start(inner, "a", {.shutdown = 1h});
  const auto found = s.sys.check_tree();
  REQUIRE(found.size() == 2);
  CHECK(to_string(found[0]).find("warning: top/inner/a: may be restarted 61206 times") == 0);
  CHECK(to_string(found[1]).find("warning: system: may take 3600000 ms to stop, and 4000 ms are left") == 0);
}
