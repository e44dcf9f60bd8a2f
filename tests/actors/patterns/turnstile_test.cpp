// SPDX-License-Identifier: BSD-3-Clause
// Claims: one handler at a time works at a key, others follow in the order of their coming, each waits no longer than it may,
// and the end of any of them holds nobody up. Observed: an actor that notes who works, on a stepped system.
#include <troupe/patterns/turnstile.hpp>

#include <troupe/pause.hpp>
#include <troupe/system.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct work {
  std::string who;
  int key = 0;
  std::chrono::milliseconds takes{100};
  using reply = bool; ///< Whether it was let in.
};
struct fail {};

struct notes {
  std::vector<std::string> order;
  std::map<int, int> at_work;
  int most = 0;
};

class workshop : public troupe::actor<workshop, work, fail> {
public:
  explicit workshop(notes* n) : notes_{n} { notes_->at_work.clear(); }

  troupe::task<bool> on(const work& m) {
    const auto mine = co_await keys_.enter(self(), m.key, 1s);
    if (!mine)
      co_return false;
    notes_->order.push_back(m.who);
    notes_->most = std::max(notes_->most, ++notes_->at_work[m.key]);
    co_await troupe::pause(self(), m.takes);
    --notes_->at_work[m.key];
    co_return true;
  }
  void on(const fail&) { throw std::runtime_error{"on purpose"}; }

private:
  notes* const notes_;
  troupe::turnstile<int> keys_;
};

struct stage {
  notes seen;
  troupe::system sys{support::stepped()};
  troupe::ref<workshop> shop = sys.spawn<workshop>(&seen);

  auto ask(std::string who, int key, std::chrono::milliseconds takes = 100ms, std::chrono::nanoseconds until = 10s) {
    const work request{std::move(who), key, takes};
    return shop.ask(request, until);
  }
};

} // namespace

TEST_CASE("turnstile: one at a time for each key, in the order of coming") {
  stage s;
  auto a = s.ask("a", 1), b = s.ask("b", 1), c = s.ask("c", 1), other = s.ask("other", 2);
  s.sys.run_until_idle();
  CHECK(s.seen.order == std::vector<std::string>{"a", "other"});
  for (auto* r : {&a, &b, &c, &other})
    CHECK(std::move(*r).get());
  CHECK(s.seen.order == std::vector<std::string>{"a", "other", "b", "c"});
  CHECK(s.seen.most == 1);
  CHECK(s.ask("later", 1).get());
}

TEST_CASE("turnstile: who waits too long is not let in, and those behind it are") {
  stage s;
  auto a = s.ask("a", 1, 800ms), b = s.ask("b", 1, 1ms, 200ms), c = s.ask("c", 1), d = s.ask("d", 1, 700ms);
  auto e = s.ask("e", 1); // its own second is over while d works
  CHECK(std::move(b).try_get().error().code == troupe::errc::timed_out);
  CHECK(std::move(a).get());
  CHECK(std::move(c).get());
  CHECK(std::move(d).get());
  CHECK_FALSE(std::move(e).get());
  CHECK(s.seen.order == std::vector<std::string>{"a", "c", "d"});
  CHECK(s.ask("later", 1).get());
}

TEST_CASE("turnstile: who is let in at the very end of its time hands the key on") {
  stage s;
  auto a = s.ask("a", 1, 1'000ms), b = s.ask("b", 1), c = s.ask("c", 1, 1ms, 3s);
  s.sys.advance(500ms);
  auto d = s.ask("d", 1);
  (void)std::move(a).try_get();
  (void)std::move(b).try_get();
  (void)std::move(c).try_get();
  CHECK(std::move(d).get()); // whoever of b and c was in time
  CHECK(s.seen.most == 1);
  CHECK(s.ask("later", 1).get());
}

TEST_CASE("turnstile: a restart ends all who work and wait, and the next incarnation is free") {
  stage s;
  auto a = s.ask("a", 1), b = s.ask("b", 1), c = s.ask("c", 2);
  s.sys.run_until_idle();
  s.shop.tell(fail{});
  for (auto* r : {&a, &b, &c})
    CHECK(std::move(*r).try_get().error().code == troupe::errc::restarted);
  CHECK(s.ask("later", 1).get());
  CHECK(s.sys.restarts() == 1);
}
