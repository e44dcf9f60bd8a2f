// SPDX-License-Identifier: BSD-3-Clause
// Claim: a store probe makes exactly the appends go wrong that the test names, in the way that it names, and tells what was
// kept.
// Observed: what a caller is told, and what a replay shows afterwards. That it is a store is shown in store_test.cpp.
#include <troupe/testing/store_probe.hpp>

#include "runtime/journal/notes.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace notes;
using troupe::store_probe;
using troupe::write_fault;

namespace {

/// What the caller of an append of one event is told.
std::string told(troupe::journal_store& s, const std::string& key, const std::string& text) {
  try {
    keep_events(*open(s, key), added{text});
    return "kept";
  } catch (const troupe::rejected_record&) {
    return "rejected";
  } catch (const troupe::journal_error&) {
    return "failed";
  }
}

std::vector<std::string> texts(const store_probe& p, const std::string& key) {
  std::vector<std::string> all;
  for (const auto& e : p.events<added>(key))
    all.push_back(e.text);
  return all;
}

} // namespace

TEST_CASE("store probe: each way to go wrong is what it says") {
  struct row {
    write_fault fault;
    const char* told;
    bool kept;
  };
  for (const auto& r : {row{write_fault::fail, "failed", false}, row{write_fault::reject, "rejected", false},
                        row{write_fault::lose_answer, "failed", true}, row{write_fault::lose, "kept", false}}) {
    CAPTURE(r.told);
    auto p = std::make_shared<store_probe>();
    p->strike(r.fault, 2);
    CHECK(told(*p, "a", "1") == "kept");
    CHECK(told(*p, "a", "2") == r.told);
    CHECK(told(*p, "a", "3") == "kept");
    CHECK(kept_under(*p, "a") == (r.kept ? lines{"added 1", "added 2", "added 3"} : lines{"added 1", "added 3"}));
    CHECK(texts(*p, "a") == (r.kept ? lines{"1", "2", "3"} : lines{"1", "3"}));
    CHECK(p->appends() == (r.kept ? 3 : 2));
  }
}

TEST_CASE("store probe: faults count the appends of the journals that they are meant for") {
  auto p = std::make_shared<store_probe>();
  p->strike(write_fault::fail, 2, "stock/");
  p->strike(write_fault::reject, 1, "order/");
  CHECK(told(*p, "stock/1", "1") == "kept");
  CHECK(told(*p, "order/1", "1") == "rejected");
  CHECK(told(*p, "cart/1", "1") == "kept");
  CHECK(told(*p, "stock/2", "1") == "failed");
  CHECK(told(*p, "stock/2", "2") == "kept");
  CHECK(texts(*p, "stock/2") == lines{"2"});
}

TEST_CASE("store probe: what is held back is pending until it is released") {
  auto p = std::make_shared<store_probe>();
  p->hold();
  auto a = open(*p, "a");
  auto b = open(*p, "b");
  std::vector<std::string> ends;
  const auto append = [&](troupe::journal& j, const char* text) {
    const added e{text};
    const troupe::journal_record events[]{record(e)};
    troupe::journal_append one;
    one.events = events;
    return j.append(one, [&ends, text] {
      return [&ends, text](const std::exception_ptr& failure) {
        ends.push_back(text + std::string{failure ? " failed" : " kept"});
      };
    });
  };
  p->strike(write_fault::fail, 2);
  CHECK(append(*a, "1") == troupe::journal::status::pending);
  CHECK(append(*b, "2") == troupe::journal::status::pending);
  CHECK(p->held() == 2);
  CHECK(ends.empty());
  p->release(1);
  CHECK(ends == lines{"1 kept"});
  p->stop_holding();
  CHECK(ends == lines{"1 kept", "2 failed"});
  CHECK(append(*a, "3") == troupe::journal::status::durable);
}

TEST_CASE("store probe: what the store behind it does not keep is not told as kept") {
  for (const auto fault : {write_fault::reject, write_fault::fail}) {
    auto behind = std::make_shared<store_probe>();
    auto p = std::make_shared<store_probe>(behind);
    behind->strike(fault, 2);
    CHECK(told(*p, "a", "1") == "kept");
    CHECK(told(*p, "a", "2") == (fault == write_fault::reject ? "rejected" : "failed"));
    CHECK(told(*p, "a", "3") == "kept");
    CHECK(texts(*p, "a") == lines{"1", "3"});
    CHECK(p->appends() == 2);
  }
  auto behind = std::make_shared<store_probe>();
  auto p = std::make_shared<store_probe>(behind);
  behind->hold();
  p->strike(write_fault::lose_answer);
  receipt r;
  const added e{"1"};
  const troupe::journal_record events[]{record(e)};
  troupe::journal_append one;
  one.events = events;
  (void)open(*p, "a")->append(one, r.maker());
  CHECK(p->appends() == 0);
  behind->stop_holding();
  CHECK_THROWS_AS(r.wait(), troupe::journal_error);
  CHECK(texts(*p, "a") == lines{"1"});
}

TEST_CASE("store probe: replays fail as often as they are told to") {
  auto p = std::make_shared<store_probe>();
  CHECK(told(*p, "a", "1") == "kept");
  p->fail_replays(2);
  CHECK_THROWS_AS(kept_under(*p, "a"), troupe::journal_error);
  CHECK_THROWS_AS(kept_under(*p, "a"), troupe::journal_error);
  CHECK(kept_under(*p, "a") == lines{"added 1"});
}
