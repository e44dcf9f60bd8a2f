// SPDX-License-Identifier: BSD-3-Clause
// Claim: a copy of a message that reaches an actor while the actor asks the store whom it may forget is recognised, however
// late it is handled; and so is one that comes out of the quarantine.
// Observed: the tally of an actor with little room for senders; the copy comes out of the store's own answer.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/memory_store.hpp>

#include "runtime/journal/ballot.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <support/stepped_system.hpp>
#include <utility>
#include <vector>

using namespace ballot;
using namespace std::chrono_literals;

namespace {

using small_urn = urn<2>;
using wide_urn = urn<3>;

/// Notes the number of what is sent last, of all journals.
class noting_journal final : public troupe::journal {
public:
  noting_journal(std::shared_ptr<troupe::journal> behind, std::uint64_t& last)
      : behind_{std::move(behind)}, last_{last} {}

  status append(const troupe::journal_append& a, const std::function<completion()>& done) override {
    if (!a.sends.empty())
      last_ = a.sends.back().sequence;
    return behind_->append(a, done);
  }
  void snapshot(const troupe::journal_record& state) override { behind_->snapshot(state); }
  void replay(troupe::journal_visitor& v) override { behind_->replay(v); }
  void erase() override { behind_->erase(); }

private:
  const std::shared_ptr<troupe::journal> behind_;
  std::uint64_t& last_;
};

/// A store that takes long enough over its answer for something to happen meanwhile.
struct slow_to_answer final : troupe::journal_store {
  std::shared_ptr<troupe::journal> open(const std::string& key,
                                        std::span<const troupe::journal_type* const> types) override {
    return std::make_shared<noting_journal>(behind->open(key, types), last_sent);
  }
  std::vector<std::string> keys(std::string_view prefix) override { return behind->keys(prefix); }
  std::vector<troupe::owing_journal> unsettled() override {
    auto answer = behind->unsettled();
    if (meanwhile)
      std::exchange(meanwhile, nullptr)();
    return answer;
  }

  const std::shared_ptr<troupe::memory_store> behind = std::make_shared<troupe::memory_store>();
  std::uint64_t last_sent = 0;
  std::function<void()> meanwhile;
};

} // namespace

TEST_CASE("durable message: a copy that comes while the store is asked whom to forget does not count again") {
  const auto store = std::make_shared<slow_to_answer>();
  auto options = support::stepped(0);
  options.journals = store;
  troupe::system sys{options};
  troupe::entities<small_urn> urns{sys.root(), "urn"};
  troupe::entities<voter<small_urn>> voters{sys.root(), "voter", troupe::entity_options{}, urns["1"]};
  const auto tally_now = [&] { return urns["1"].ask(count_query{}).get(); };

  voters["0"].tell(cast_vote{7});
  sys.advance(1min);
  REQUIRE(tally_now().votes == 1);

  // Its acknowledgement is kept: the store will say that it owes nothing. The second voter has the urn ask.
  const auto first = store->last_sent;
  bool copied = false;
  store->meanwhile = [&] {
    const auto from = troupe::detail::address_of(sys, "voter/0");
    const auto to = troupe::detail::address_of(sys, "urn/1");
    const vote again{7};
    auto* copy = troupe::detail::make_parcel<small_urn, vote>({from, first, 0, false}, &again);
    copied = troupe::detail::send(*to, troupe::detail::resolve(*to, troupe::detail::actor_type_of<small_urn>), copy) ==
             troupe::delivery::accepted;
  };
  voters["1"].tell(cast_vote{1});
  sys.advance(1min);
  CHECK(copied);
  const auto counted = tally_now();
  CHECK(counted.votes == 2);
  CHECK(counted.sum == 8);
}

TEST_CASE("durable message: one that was quarantined and handled later does not count again when it is replayed") {
  troupe::system sys{support::stepped(0)};
  troupe::entities<wide_urn> urns{sys.root(), "urn"};
  troupe::entities<voter<wide_urn>> voters{sys.root(), "voter", troupe::entity_options{}, urns["1"]};
  const auto tally_now = [&] { return urns["1"].ask(count_query{}).get(); };
  const auto replay = [&] {
    const auto all = sys.quarantine().list();
    REQUIRE(all.size() == 1);
    CHECK(sys.quarantine().replay(all[0].id));
    sys.run_until_idle();
  };

  spoiled = 1;
  voters["0"].tell(cast_vote{7});
  sys.run_until_idle();
  replay(); // it has not been handled, and is
  sys.advance(1s);
  CHECK(tally_now().votes == 1);

  spoiled = 1;
  voters["0"].tell(cast_vote{8});
  sys.advance(10s); // it was sent again
  CHECK(tally_now().votes == 2);
  for (const auto* other : {"1", "2", "3"}) { // with the second there is a look, with the third the first is forgotten
    voters[other].tell(cast_vote{1});
    sys.advance(5s);
  }
  CHECK(tally_now().votes == 5);
  replay();
  sys.advance(20s);
  CHECK(tally_now().votes == 5);
  CHECK(tally_now().sum == 18);
}
