// SPDX-License-Identifier: BSD-3-Clause
// Claims: what failed too often is kept with its payload, bounded, and can be sent again or forgotten.
// Observed on stepped systems.
#include <troupe/mailbox/quarantine.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;

namespace {

struct order {
  std::string text;
  std::shared_ptr<int> token;
  using reply = int;
};
struct repair {};
struct unspeakable {};

[[maybe_unused]] std::string to_string(const unspeakable&) { throw std::runtime_error{"no words"}; }

class fragile : public troupe::actor<fragile, order, repair, unspeakable> {
public:
  using log = std::shared_ptr<std::vector<std::string>>;
  explicit fragile(log l) : log_{std::move(l)} {}
  int on(const order& m) {
    if (log_->empty())
      throw std::domain_error{"bad " + m.text};
    log_->push_back(m.text);
    return 1;
  }
  void on(const unspeakable&) { throw std::domain_error{"bad"}; }
  void on(const repair&) { log_->push_back("repaired"); }

private:
  log log_;
};

troupe::child_options patient(unsigned retries, troupe::overflow_policy overflow = troupe::reject) {
  troupe::child_options o;
  o.retries = retries;
  o.restart = troupe::transient;
  o.intensity = troupe::unlimited;
  o.mailbox = {.capacity = 4, .overflow = overflow};
  return o;
}

} // namespace

TEST_CASE("quarantine: a message goes there after its retries with all that a person needs") {
  troupe::system sys{stepped()};
  auto shop = sys.supervise("shop");
  const auto log = std::make_shared<std::vector<std::string>>();
  auto a = shop.start<fragile>("f", patient(2), log);
  const auto token = std::make_shared<int>();
  a.tell(order{"apples", token});
  sys.advance(60s);
  REQUIRE(sys.quarantine().size() == 1);
  const auto m = sys.quarantine().list().at(0);
  CHECK(m.id != 0);
  CHECK(m.receiver == "shop/f");
  CHECK(m.message_type.find("order") != std::string::npos);
  CHECK(m.exception.find("bad apples") != std::string::npos);
  CHECK(m.attempts == 3);
  CHECK(m.since >= troupe::manual_clock::wall_start);
  CHECK(token.use_count() == 2);
  CHECK(a.books() == troupe::ledger{.accepted = 1, .quarantined = 1});
}

TEST_CASE("quarantine: a message whose own to_string throws is kept with what that threw") {
  troupe::system sys{stepped()};
  auto a = sys.root().start<fragile>("f", patient(0), std::make_shared<std::vector<std::string>>());
  a.tell(unspeakable{});
  sys.advance(1min);
  REQUIRE(sys.quarantine().size() == 1);
  CHECK(sys.quarantine().list().at(0).payload == "its to_string has thrown std::runtime_error: no words");
  CHECK(a.books() == troupe::ledger{.accepted = 1, .quarantined = 1});
}

TEST_CASE("quarantine: replay sends a message again as a new one") {
  troupe::system sys{stepped()};
  const auto log = std::make_shared<std::vector<std::string>>();
  auto a = sys.root().start<fragile>("f", patient(0), log);
  auto r = a.ask(order{"apples", nullptr}, 1s);
  sys.advance(10s); // beyond the deadline that the request had
  CHECK(std::move(r).try_get().error().code == troupe::errc::failed);
  a.tell(repair{});
  sys.run_until_idle();
  const auto id = sys.quarantine().list().at(0).id;
  CHECK(sys.quarantine().replay(id));
  CHECK_FALSE(sys.quarantine().replay(id));
  sys.run_until_idle();
  CHECK(*log == std::vector<std::string>{"repaired", "apples"});
  CHECK(sys.quarantine().size() == 0);
  CHECK(a.books() == troupe::ledger{.accepted = 3, .handled = 2, .quarantined = 1});
}

TEST_CASE("quarantine: a replayed message that fails again comes back") {
  troupe::system sys{stepped()};
  const auto log = std::make_shared<std::vector<std::string>>();
  auto a = sys.root().start<fragile>("f", patient(0), log);
  a.tell(order{"apples", nullptr});
  sys.advance(1min);
  CHECK(sys.quarantine().replay(sys.quarantine().list().at(0).id));
  sys.advance(1min);
  REQUIRE(sys.quarantine().size() == 1);
  CHECK(sys.quarantine().list()[0].attempts == 1);
  CHECK(a.books() == troupe::ledger{.accepted = 2, .quarantined = 2});
}

TEST_CASE("quarantine: a message that is not accepted again stays") {
  for (auto policy : {troupe::reject, troupe::drop_newest, troupe::drop_oldest}) {
    CAPTURE(to_string(policy));
    troupe::system sys{stepped()};
    const auto log = std::make_shared<std::vector<std::string>>();
    auto a = sys.root().start<fragile>("", patient(0, policy), log);
    const auto token = std::make_shared<int>();
    a.tell(order{"one", token});
    sys.advance(1min);
    a.tell(order{"two", token});
    sys.advance(1min);
    REQUIRE(sys.quarantine().size() == 2);
    a.stop();
    sys.run_until_idle();
    for (const auto& m : sys.quarantine().list())
      CHECK_FALSE(sys.quarantine().replay(m.id));
    REQUIRE(sys.quarantine().size() == 2);
    CHECK(sys.quarantine().list()[0].exception.find("one") != std::string::npos); // in the old order
    CHECK(token.use_count() == 3);
    CHECK(a.books().refused == 0);
  }
}

TEST_CASE("quarantine: discard forgets one message and the system's end all of them") {
  const auto token = std::make_shared<int>();
  {
    troupe::system sys{stepped()};
    const auto log = std::make_shared<std::vector<std::string>>();
    auto a = sys.root().start<fragile>("f", patient(0), log);
    a.tell(order{"one", token});
    a.tell(order{"two", token});
    sys.advance(1min);
    CHECK(sys.quarantine().discard(sys.quarantine().list().at(0).id));
    CHECK_FALSE(sys.quarantine().discard(4711));
    CHECK_FALSE(sys.quarantine().replay(4711));
    CHECK(sys.quarantine().size() == 1);
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("quarantine: beyond its capacity a failing message is dropped and the oldest evidence stays") {
  auto options = stepped();
  options.quarantine_capacity = 2;
  troupe::system sys{options};
  const auto log = std::make_shared<std::vector<std::string>>();
  auto a = sys.root().start<fragile>("f", patient(0), log);
  for (const char* text : {"one", "two", "three"}) {
    auto r = a.ask(order{text, nullptr}, 1h);
    sys.advance(1min);
    CHECK(std::move(r).try_get().error().code == troupe::errc::failed);
  }
  CHECK(sys.quarantine().list()[0].exception.find("one") != std::string::npos);
  CHECK(sys.quarantine().list()[1].exception.find("two") != std::string::npos);
  CHECK(a.books() == troupe::ledger{.accepted = 3, .dropped = 1, .quarantined = 2});
}
