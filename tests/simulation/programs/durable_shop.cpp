// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/testing/simulated_sqlite.hpp>

#include "programs.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
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
  TROUPE_JSON(enter, sale, amount)
};
struct ship { // a till's timer
  int sale = 0;
  static constexpr std::string_view journal_name = "ship";
  TROUPE_JSON(ship, sale)
};
struct carry { // from a till's outbox to the van's
  int sale = 0;
  static constexpr std::string_view journal_name = "carry";
  TROUPE_JSON(carry, sale)
};
struct look {
  using reply = std::map<int, int>;
};

struct sold {
  int sale = 0;
  int amount = 0;
  static constexpr std::string_view journal_name = "sold";
  TROUPE_JSON(sold, sale, amount)
};
struct shipped {
  int sale = 0;
  static constexpr std::string_view journal_name = "shipped";
  TROUPE_JSON(shipped, sale)
};

// -- who keeps it ------------------------------------------------------------------------------------------------------

/// Sales and how often each was counted.
struct book {
  std::map<int, int> amounts{};
  std::map<int, int> times{};
  static constexpr std::string_view journal_name = "book";
  TROUPE_JSON(book, amounts, times)
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
  bool gave_up = false;
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

/// What an actor says of itself; nothing if it does not answer: an injected failure may get in between.
template <class A>
std::optional<std::map<int, int>> seen(const durable_ref<A>& who) {
  auto times = who.ask(look{}, 1s).try_get();
  return times ? std::optional{*times} : std::nullopt;
}

/// All sales, if each was entered and shipped exactly once; otherwise what was counted. Nothing if somebody does not answer.
std::optional<std::string> books_of(troupe::system& sys, const shop_front& front) {
  std::optional<std::string> text{""};
  const auto add = [&](const char* whose, const std::optional<std::map<int, int>>& times) {
    if (!times)
      text.reset();
    if (!text)
      return;
    *text += whose;
    for (const auto& [sale, n] : *times)
      *text += " " + std::to_string(sale) + "x" + std::to_string(n);
    *text += "; ";
  };
  add("entered", seen(durable_ref<ledger>{sys, "ledger"}));
  add("carried", seen(durable_ref<van>{sys, "van"}));
  for (int i = 0; i < till_count; ++i)
    add("shipped", seen(front.till_of(i)));
  return text;
}

/// Whether everything was counted once, as far as it can be read: what a disk has damaged may be refused, but not misread.
bool is_sound(const std::optional<std::map<int, int>>& times) {
  return !times || std::all_of(times->begin(), times->end(), [](const auto& entry) {
    return entry.first >= 1 && entry.first <= sale_count && entry.second == 1;
  });
}

/// One run of the shop. On a disk that rots the shopper may have to give up.
class shop_run {
public:
  shop_run(simulation& sim, bool rots) : sim_{sim}, rots_{rots} {
    sim_.journals([this] { return open_store(); });
    sim_.node("top/ledger", "office");
    sim_.node("top/van", "road");
    if (rots_)
      sim_.eventually("what can be read is sound", [this] { return sounds(); });
    else
      sim_.outcome("books", [this] { return books_; });
    sim_.run([this](troupe::system& sys) {
      system_ = &sys;
      front_.reset();
      try {
        front_.emplace(sys);
      } catch (const journal_error&) { // it does not start: fine, if the disk has damaged it
        if (!rots_)
          throw;
        return start_anew();
      }
      buy_all();
      wait_for_all();
    });
  }

private:
  std::shared_ptr<journal_store> open_store() {
    sqlite_options how;
    how.checkpoint_every = 8; // pages: often
    for (int i = 0;; ++i) {   // a disk that fails now may not fail the next time the process is started
      try {
        return open_sqlite_store(sim_, "shop.db", how);
      } catch (const journal_error&) {
        if (i < 200)
          continue;
        if (!rots_)
          throw;
        sim_.disk().rename("shop.db", "damaged.db");
        outside_.gave_up = true;
      }
    }
  }

  void buy_all() {
    outside_.failures = 0;
    for (int sale = 1; sale <= sale_count && !outside_.gave_up; ++sale) {
      while (!outside_.acknowledged.contains(sale) && !outside_.gave_up) {
        if (front_->till_of(sale).ask(sell{sale, 10 * sale}, 2s).try_get()) {
          outside_.acknowledged.insert(sale);
          outside_.failures = 0;
        } else if (++outside_.failures >= 10) {
          start_anew();
        }
      }
      system_->advance(50ms);
    }
  }

  /// What the disk has failed stays failed until the process is started anew, and so does a timer whose clock went back.
  void wait_for_all() {
    for (int i = 0; i < 20 && !outside_.gave_up; ++i) {
      system_->advance(1s);
      if (!is_complete(the_van()) || !is_complete(the_ledger()))
        continue;
      if (const auto books = books_of(*system_, *front_)) { // while a disk that fails can still be started anew
        books_ = *books;
        return;
      }
    }
    start_anew();
  }

  void start_anew() {
    outside_.gave_up |= ++outside_.restarts >= (rots_ ? 10 : 1'000);
    if (!outside_.gave_up)
      sim_.crash();
  }

  template <class A>
  static bool is_complete(const durable_ref<A>& who) {
    const auto times = seen(who);
    return times && times->size() == sale_count;
  }
  /// A sale that was acknowledged and is gone would be made, and entered, a second time.
  bool sounds() {
    if (!outside_.gave_up && front_)
      for (const auto sale : outside_.acknowledged)
        (void)front_->till_of(sale).ask(sell{sale, 10 * sale}, 2s).try_get();
    system_->advance(20s);
    return is_sound(seen(the_van())) && is_sound(seen(the_ledger()));
  }

  durable_ref<van> the_van() const { return {*system_, "van"}; }
  durable_ref<ledger> the_ledger() const { return {*system_, "ledger"}; }

  simulation& sim_;
  const bool rots_;
  shopper outside_;
  troupe::system* system_ = nullptr;
  std::optional<shop_front> front_;
  std::string books_;
};

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
                      .disk_slow = 0.2,
                      .link_delay = 0.1,
                      .link_loss = 0.02,
                      .link_down = 0.005},
           .same_outcome = true,
           .run_for = 3h},
          [](simulation& sim) {
            shop_run{sim, false};
          },
          "durable_shop"};
}

application rotting_shop() {
  return {{.name = "rotting-shop",
           .faults = {.crash = 0.02,
                      .slow_by = 80ms,
                      .process_crash = 0.01,
                      .process_crashes_max = 3,
                      .sync_failure = 0.002,
                      .bit_rot = 0.005},
           .run_for = 3h},
          [](simulation& sim) {
            shop_run{sim, true};
          },
          "rotting_shop"};
}

} // namespace simulated
