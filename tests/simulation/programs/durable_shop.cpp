// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/testing/simulated_sqlite.hpp>

#include "programs.hpp"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace simulated {

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr int till_count = 3;
constexpr int sale_count = 12;

// -- what is said and kept ---------------------------------------------------------------------------------------------

struct sell { // asked until it is answered
  int sale = 0;
  int amount = 0;
  using reply = bool;
};
struct enter { // from a till's outbox to the ledger's
  int sale = 0;
  int amount = 0;
  static constexpr std::string_view journal_name = "enter";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(enter, sale, amount)
};
struct ship { // a till's timer
  int sale = 0;
  static constexpr std::string_view journal_name = "ship";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(ship, sale)
};
struct carry { // from a till's outbox to the van's
  int sale = 0;
  static constexpr std::string_view journal_name = "carry";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(carry, sale)
};
struct look {
  using reply = std::map<int, int>;
};

struct sold {
  int sale = 0;
  int amount = 0;
  static constexpr std::string_view journal_name = "sold";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(sold, sale, amount)
};
struct shipped {
  int sale = 0;
  static constexpr std::string_view journal_name = "shipped";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(shipped, sale)
};

// -- who keeps it ------------------------------------------------------------------------------------------------------

/// Sales and how often each was counted.
struct book {
  std::map<int, int> amounts{};
  std::map<int, int> times{};
  static constexpr std::string_view journal_name = "book";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(book, amounts, times)
};

/// Enters what it is told, as often as it is told: that this is once is the outbox's business.
class ledger : public journaled_actor<ledger, book, events<sold>, enter, look> {
public:
  static constexpr std::size_t snapshot_every = 5;
  explicit ledger(const std::string& key) : journaled_actor{key} {}
  effect<> on(const enter& e) {
    fault_point();
    return {sold{e.sale, e.amount}};
  }
  std::map<int, int> on(const look&) const { return state().times; }
  static void apply(book& s, const sold& e) {
    s.amounts[e.sale] += e.amount;
    ++s.times[e.sale];
  }
};

class van : public journaled_actor<van, book, events<shipped>, carry, look> {
public:
  explicit van(const std::string& key) : journaled_actor{key} {}
  effect<> on(const carry& c) {
    fault_point();
    return {shipped{c.sale}};
  }
  std::map<int, int> on(const look&) const { return state().times; }
  static void apply(book& s, const shipped& e) { ++s.times[e.sale]; }
};

/// Sells, tells the ledger, and ships a while later: all that leaves it goes through its outbox.
class till : public journaled_actor<till, book, events<sold, shipped>, sell, ship, look> {
public:
  static constexpr std::size_t snapshot_every = 4;
  explicit till(const std::string& key) : journaled_actor{key} {}
  effect<bool> on(const sell& s) {
    fault_point();
    if (state().amounts.contains(s.sale)) // the answer was lost
      return true;
    effect<bool> done{true, sold{s.sale, s.amount}};
    const auto name = std::to_string(s.sale);
    return std::move(done)
        .send(durable_ref<ledger>{system(), "ledger"}, enter{s.sale, s.amount})
        .schedule(name, std::chrono::milliseconds{300 * s.sale % 1'000}, ship{s.sale});
  }
  effect<> on(const ship& s) {
    fault_point();
    effect<> done{shipped{s.sale}};
    return std::move(done).send(durable_ref<van>{system(), "van"}, carry{s.sale});
  }
  std::map<int, int> on(const look&) const { return state().times; }
  static void apply(book& s, const sold& e) { s.amounts.emplace(e.sale, e.amount); }
  static void apply(book& s, const shipped& e) { ++s.times[e.sale]; }
};

// -- who watches -------------------------------------------------------------------------------------------------------

/// Somebody outside: what it was told outlasts the process. Each sale is asked for until it is acknowledged; if nothing
/// works any more it starts the process anew.
struct shopper {
  std::set<int> acknowledged{};
  int failures = 0; // one after the other
  int restarts = 0;
};

struct shop_front {
  explicit shop_front(troupe::system& sys)
      : top{sys.supervise("top", {.intensity = unlimited, .group_intensity = unlimited, .backoff = soon})} {
    child_options child;
    child.retries = unlimited;
    top.start<ledger>("ledger", child, std::string{"ledger"});
    top.start<van>("van", child, std::string{"van"});
    tills.emplace(top, "till", entity_options{.idle = 200ms, .retries = unlimited, .backoff = soon});
  }

  durable_ref<till> till_of(int sale) const { return (*tills)[std::to_string(sale % till_count)]; }

  static constexpr backoff_options soon{.min = 1ms, .max = 200ms};
  supervisor top;
  std::optional<entities<till>> tills;
};

/// What they say of themselves; an injected failure may get in between.
template <class A>
std::map<int, int> times_of(const durable_ref<A>& who) {
  for (int i = 0;; ++i) {
    auto answer = who.ask(look{}, 30s).try_get();
    if (answer || i == 50)
      return std::move(answer).value();
  }
}

/// All sales, if each was entered and shipped exactly once; otherwise what was counted.
std::string books_of(troupe::system& sys, const shop_front& front) {
  std::string text;
  const auto add = [&](const char* whose, const std::map<int, int>& times) {
    text += whose;
    for (const auto& [sale, n] : times)
      text += " " + std::to_string(sale) + "x" + std::to_string(n);
    text += "; ";
  };
  add("entered", times_of(durable_ref<ledger>{sys, "ledger"}));
  add("carried", times_of(durable_ref<van>{sys, "van"}));
  for (int i = 0; i < till_count; ++i)
    add("shipped", times_of(front.till_of(i)));
  return text;
}

void run_shop(simulation& sim) {
  shopper outside;
  std::optional<shop_front> front;
  troupe::system* running = nullptr;
  sqlite_options how;
  how.checkpoint_every = 8; // pages: often
  sim.journals([&] {
    for (int i = 0;; ++i) { // a disk that fails now may not fail the next time the process is started
      try {
        return open_sqlite_store(sim, "shop.db", how);
      } catch (const journal_error&) {
        if (i == 200)
          throw;
      }
    }
  });
  sim.outcome("books", [&] { return books_of(*running, *front); });
  sim.run([&](troupe::system& sys) {
    running = &sys;
    front.reset();
    front.emplace(sys);
    outside.failures = 0;
    for (int sale = 1; sale <= sale_count; ++sale) {
      while (!outside.acknowledged.contains(sale)) {
        if (front->till_of(sale).ask(sell{sale, 10 * sale}, 2s).try_get()) {
          outside.acknowledged.insert(sale);
          outside.failures = 0;
        } else if (++outside.failures >= 10) {
          sim.crash();
        }
      }
      sys.advance(50ms);
    }
    // What the disk has failed stays failed until the process is started anew, and so does a timer whose clock went back.
    const auto all_there = [](const auto& who) {
      const auto times = who.ask(look{}, 1s).try_get();
      return times && times->size() == sale_count;
    };
    for (int i = 0; i < 20; ++i) {
      sys.advance(1s);
      if (all_there(durable_ref<van>{sys, "van"}) && all_there(durable_ref<ledger>{sys, "ledger"}))
        return;
    }
    if (++outside.restarts < 1'000)
      sim.crash();
  });
}

} // namespace

application durable_shop() {
  return {{.name = "durable-shop",
           .faults = {.crash = 0.03,
                      .preempt = 0.1,
                      .slow = 0.02,
                      .slow_by = 80ms,
                      .full = 0.01,
                      .clock_step = 0.01,
                      .process_crash = 0.01,
                      .process_crashes_max = 4,
                      .disk_full = 0.002,
                      .sync_failure = 0.005,
                      .disk_slow = 0.2},
           .same_outcome = true,
           .run_for = 3h},
          run_shop};
}

} // namespace simulated
