// SPDX-License-Identifier: BSD-3-Clause
// Claims: what a ref is, what it may be narrowed to, what a tell comes to, and that refs outlive what they refer to.
// Observed on stepped systems.
#include <troupe/ref.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;
using support::with_mailbox;
using troupe::delivery;

namespace {

struct add {
  int n;
};
struct total {
  using reply = int;
};
struct name_of {
  using reply = std::string;
};

class adder : public troupe::actor<adder, add, total, name_of> {
public:
  explicit adder(std::shared_ptr<int> token = nullptr) : token_{std::move(token)} {}
  void on(const add& m) { sum_ += m.n; }
  int on(const total&) const { return sum_; }
  std::string on(const name_of&) const { return name(); }

private:
  std::shared_ptr<int> token_;
  int sum_ = 0;
};

class other : public troupe::actor<other, total> {
public:
  int on(const total&) const { return -1; }
};

} // namespace

TEST_CASE("ref: an empty one is false and equal to another empty one and refuses everything") {
  troupe::ref<adder> none;
  CHECK_FALSE(none);
  CHECK(none == troupe::ref<adder>{});
  CHECK(none == troupe::any_ref{});
  CHECK(none.id() == 0);
  CHECK(none.tell(add{1}) == delivery::stopped);
  CHECK(troupe::ref_to<add>{}.tell(add{1}) == delivery::stopped);
  CHECK_THROWS_AS((void)none.ask(total{}), troupe::usage_error);
  CHECK_THROWS_AS((void)none.name(), troupe::usage_error);
  CHECK_THROWS_AS(none.stop(), troupe::usage_error);
  CHECK_THROWS_AS((void)none.has_stopped(), troupe::usage_error);
  CHECK_THROWS_AS((void)none.books(), troupe::usage_error);
}

TEST_CASE("ref: equality and hash are those of the actor whatever the type of the ref") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<adder>();
  auto b = sys.spawn<adder>();
  auto copy = a;
  troupe::ref_to<add> narrow = a;
  CHECK(copy == a);
  CHECK(narrow == a);
  CHECK_FALSE(a == b);
  CHECK(a.id() != b.id());
  CHECK(a.id() != 0);
  const std::unordered_set<troupe::any_ref> set{a, copy, narrow, b};
  CHECK(set.size() == 2);
  auto moved = std::move(copy);
  CHECK(moved == a);
  CHECK_FALSE(copy); // NOLINT(bugprone-use-after-move): what is left is empty
  a.tell(add{1});
  sys.run_until_idle();
  CHECK(moved == a);
}

TEST_CASE("ref: it narrows to any selection of messages in any order and further") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<adder>();
  troupe::ref_to<total, add> two = a;
  troupe::ref_to<add> one = two;
  troupe::ref_to<total> last = two;
  troupe::ref_to<name_of, add, total> three = a;
  troupe::ref_to<add, total> from_three = three;
  CHECK(one.tell(add{1}) == delivery::accepted);
  CHECK(two.tell(add{2}) == delivery::accepted);
  CHECK(three.tell(add{3}) == delivery::accepted);
  CHECK(from_three.tell(add{4}) == delivery::accepted);
  CHECK(last.ask(total{}).get() == 10);
  CHECK(from_three.ask(total{}).get() == 10);
  CHECK(three.ask(name_of{}).get() == a.name());
  // The same interface from actors of different types.
  std::vector<troupe::ref_to<total>> both{a, sys.spawn<other>()};
  CHECK(both[0].ask(total{}).get() == 10);
  CHECK(both[1].ask(total{}).get() == -1);
}

TEST_CASE("ref: conversions that would let a wrong message through do not exist") {
  static_assert(std::is_convertible_v<troupe::ref<adder>, troupe::ref_to<add, total>>);
  static_assert(!std::is_convertible_v<troupe::ref<other>, troupe::ref_to<add>>);
  static_assert(!std::is_convertible_v<troupe::ref_to<add>, troupe::ref_to<add, total>>);
  static_assert(!std::is_convertible_v<troupe::ref_to<add>, troupe::ref<adder>>);
  static_assert(!std::is_convertible_v<troupe::ref<adder>, troupe::ref<other>>);
  static_assert(!std::is_convertible_v<troupe::any_ref, troupe::ref<adder>>);
  static_assert(std::is_convertible_v<troupe::ref_to<add>, troupe::any_ref>);
  CHECK(true);
}

TEST_CASE("ref: what a tell to a full mailbox comes to is the policy's choice") {
  troupe::system sys{stepped()};
  SUBCASE("reject") {
    auto a = sys.root().start<adder>("a", with_mailbox(2, troupe::reject));
    CHECK(a.tell(add{1}) == delivery::accepted);
    CHECK(a.tell(add{2}) == delivery::accepted);
    CHECK(a.tell(add{4}) == delivery::rejected);
    CHECK(a.depth() == 2);
    CHECK(a.books() == troupe::ledger{.accepted = 2, .queued = 2, .refused = 1});
    sys.run_until_idle();
    CHECK(a.ask(total{}).get() == 3);
  }
  SUBCASE("drop_newest") {
    auto a = sys.root().start<adder>("a", with_mailbox(2, troupe::drop_newest));
    a.tell(add{1});
    a.tell(add{2});
    CHECK(a.tell(add{4}) == delivery::dropped);
    CHECK(a.books() == troupe::ledger{.accepted = 3, .dropped = 1, .queued = 2});
    sys.run_until_idle();
    CHECK(a.ask(total{}).get() == 3);
  }
  SUBCASE("drop_oldest") {
    auto a = sys.root().start<adder>("a", with_mailbox(2, troupe::drop_oldest));
    a.tell(add{1});
    a.tell(add{2});
    CHECK(a.tell(add{4}) == delivery::accepted);
    CHECK(a.depth() == 2);
    CHECK(a.books() == troupe::ledger{.accepted = 3, .dropped = 1, .queued = 2});
    sys.run_until_idle();
    CHECK(a.ask(total{}).get() == 6);
  }
}

TEST_CASE("ref: after the stop every policy answers stopped and counts a refusal") {
  troupe::system sys{stepped()};
  for (auto policy : {troupe::reject, troupe::drop_newest, troupe::drop_oldest}) {
    CAPTURE(to_string(policy));
    auto a = sys.root().start<adder>("", with_mailbox(2, policy));
    a.tell(add{1});
    a.stop();
    sys.run_until_idle();
    CHECK(a.has_stopped());
    CHECK(a.tell(add{1}) == delivery::stopped);
    CHECK(a.depth() == 0);
    const auto b = a.books();
    CHECK(b.balanced());
    CHECK(b.queued == 0);
    CHECK(b.refused == 1);
  }
}

TEST_CASE("ref: it outlives the actor without keeping the object alive") {
  troupe::system sys{stepped()};
  const auto token = std::make_shared<int>();
  auto a = sys.spawn<adder>(token);
  CHECK(token.use_count() == 3); // ours, the arguments' for the next incarnation, the object's
  const auto id = a.id();
  const auto name = a.name();
  a.stop();
  sys.run_until_idle();
  CHECK(token.use_count() == 1); // object and arguments have gone; the cell is still there
  CHECK(a.id() == id);
  CHECK(a.name() == name);
  a.stop();
  a.kill();
  a.drain();
  a = {};
}

TEST_CASE("ref: it may be destroyed after the system") {
  const auto token = std::make_shared<int>();
  troupe::ref<adder> a;
  troupe::ref_to<add> narrow;
  troupe::supervisor s;
  {
    troupe::system sys{stepped()};
    s = sys.supervise("shop");
    a = s.start<adder>("a", token);
    narrow = a;
  }
  CHECK(token.use_count() == 1);
  CHECK(a.has_stopped());
  CHECK(s.has_stopped());
  CHECK(narrow == a);
  a = {};
  narrow = {};
}

TEST_CASE("ref: a message may carry a ref to its own receiver") {
  struct carry {
    troupe::any_ref who;
  };
  class keeper : public troupe::actor<keeper, carry> {
  public:
    explicit keeper(std::shared_ptr<int> token) : token_{std::move(token)} {}
    void on(const carry& m) { kept_ = m.who; }

  private:
    std::shared_ptr<int> token_;
    troupe::any_ref kept_;
  };
  const auto token = std::make_shared<int>();
  {
    troupe::system sys{stepped()};
    auto a = sys.spawn<keeper>(token);
    a.tell(carry{a});
    sys.run_until_idle();
    a.tell(carry{a}); // and one that is still queued at the end
    a.stop();
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("ref: a name is the path from the top and an unnamed actor has its type and id") {
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  auto deep = shop.supervise("back");
  auto a = deep.start<adder>("stock");
  CHECK(a.name() == "shop/back/stock");
  CHECK(a.ask(name_of{}).get() == "shop/back/stock");
  CHECK(shop.name() == "shop");
  auto unnamed = sys.spawn<adder>();
  CHECK(unnamed.name().find("adder#" + std::to_string(unnamed.id())) != std::string::npos);
}

TEST_CASE("ref: find gives the actor of a path if it is of the type asked for") {
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  auto a = shop.start<adder>("stock");
  REQUIRE(sys.find<adder>("shop/stock"));
  CHECK(*sys.find<adder>("shop/stock") == a);
  CHECK(*sys.find("shop/stock") == a);
  CHECK_FALSE(sys.find<other>("shop/stock"));
  CHECK_FALSE(sys.find<adder>("stock"));
  CHECK_FALSE(sys.find("shop/"));
  CHECK_FALSE(sys.find(""));
  a.stop();
  sys.run_until_idle();
  CHECK_FALSE(sys.find("shop/stock"));
  CHECK(shop.start<other>("stock") != a); // the name is free again
  CHECK(sys.find<other>("shop/stock"));
}

TEST_CASE("ref: a name that is taken is refused with nothing started") {
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  const auto token = std::make_shared<int>();
  auto a = shop.start<adder>("stock", token);
  try {
    shop.start<adder>("stock", token);
    FAIL("started twice");
  } catch (const troupe::request_error& e) {
    CHECK(e.code() == troupe::errc::name_taken);
    CHECK(std::string{e.what()}.find("shop/stock") != std::string::npos);
  }
  CHECK(token.use_count() == 3);
  CHECK(shop.children().size() == 1);
}
