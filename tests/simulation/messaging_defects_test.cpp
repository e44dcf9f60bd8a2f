// SPDX-License-Identifier: BSD-3-Clause
// Claim: the simulation finds mistakes in the order of messages, each within a stated number of seeds, and does not
// accuse the program without the mistake. Observed: each program exists in both forms.
#include <troupe/testing/history.hpp>

#include "defect.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using support::finds;
using support::patient;

// -- lost wake-up ------------------------------------------------------------------------------------------------------

namespace {

struct wake_up {};
struct put {};
struct take {
  ref_to<wake_up> for_whom;
  using reply = bool;
};
struct park {
  ref_to<wake_up> who;
};

/// Hands items to consumers. One that found nothing parks, and is woken by the next item.
class desk : public actor<desk, put, take, park> {
public:
  explicit desk(bool sound) : sound_{sound} {}
  void on(const put&) {
    ++items_;
    for (const auto& w : std::exchange(parked_, {}))
      w.tell(wake_up{});
  }
  bool on(const take&) { return items_ > 0 && items_-- > 0; }
  void on(const park& p) {
    if (sound_ && items_ > 0)
      p.who.tell(wake_up{}); // an item has come since it looked
    else
      parked_.push_back(p.who);
  }

private:
  const bool sound_;
  int items_ = 0;
  std::vector<ref_to<wake_up>> parked_;
};

class consumer : public actor<consumer, wake_up> {
public:
  consumer(ref<desk> from, int* consumed) : desk_{std::move(from)}, consumed_{consumed} { self().tell(wake_up{}); }
  task<> on(const wake_up&) {
    const take request{self()};
    for (;;) {
      auto asked = desk_.ask(request);
      const bool got = co_await asked;
      if (!got)
        break;
      ++*consumed_;
    }
    desk_.tell(park{self()});
  }

private:
  const ref<desk> desk_;
  int* const consumed_;
};

struct go {};

class producer : public actor<producer, go> {
public:
  producer(ref<desk> to, int items) : to_{std::move(to)}, items_{items} { self().tell(go{}); }
  void on(const go&) {
    to_.tell(put{});
    if (--items_ > 0)
      self().tell(go{});
  }

private:
  const ref<desk> to_;
  int items_;
};

simulated_program queue_of(bool sound) {
  return [sound](simulation& sim) {
    int consumed = 0;
    sim.eventually("every item is consumed", [&] { return consumed == 3; });
    sim.run([&](troupe::system& sys) {
      const auto d = sys.spawn<desk>(sound);
      sys.spawn<consumer>(d, &consumed);
      sys.spawn<producer>(d, 3);
    });
  };
}

} // namespace

TEST_CASE("messaging defect: a lost wake-up is found within 50 seeds") {
  finds({.name = "lost-wake-up"}, "every item is consumed", 50, queue_of(false), queue_of(true));
}

// -- check, then act ---------------------------------------------------------------------------------------------------

namespace {

struct how_many {
  using reply = int;
};
struct reserve_one {
  using reply = bool;
};

class shelf : public actor<shelf, how_many, reserve_one> {
public:
  shelf(bool sound, int* stock) : sound_{sound}, stock_{stock} {}
  int on(const how_many&) const { return *stock_; }
  bool on(const reserve_one&) {
    if (sound_ && *stock_ == 0)
      return false;
    --*stock_;
    return true;
  }

private:
  const bool sound_;
  int* const stock_;
};

class buyer : public actor<buyer, go> {
public:
  explicit buyer(ref<shelf> from) : shelf_{std::move(from)} { self().tell(go{}); }
  task<> on(const go&) {
    const int there = co_await shelf_.ask(how_many{});
    if (there > 0)
      (void)co_await shelf_.ask(reserve_one{});
  }

private:
  const ref<shelf> shelf_;
};

simulated_program sale_of(bool sound) {
  return [sound](simulation& sim) {
    int stock = 1;
    sim.invariant("stock is never negative", [&] { return stock >= 0; });
    sim.run([&](troupe::system& sys) {
      const auto s = sys.spawn<shelf>(sound, &stock);
      for (int i = 0; i < 3; ++i)
        sys.spawn<buyer>(s);
    });
  };
}

} // namespace

TEST_CASE("messaging defect: overselling by check then act is found within 20 seeds") {
  finds({.name = "overselling"}, "stock is never negative", 20, sale_of(false), sale_of(true));
}

TEST_CASE("messaging defect: overselling is found by priorities alone and by an exhaustive search") {
  const auto pct = explore({.strategy = exploration_strategy::priorities, .depth = 2}, sale_of(false));
  CHECK(pct.found);
  const auto all = explore({.seeds = 100'000, .exhaustive = true}, sale_of(false));
  CHECK(all.found);
  const auto none = explore({.seeds = 100'000, .exhaustive = true}, sale_of(true));
  CHECK_FALSE(none.found);
  CHECK(none.complete);
  MESSAGE("all orders of the sound sale: " << none.text());
}

// -- cyclic asks -------------------------------------------------------------------------------------------------------

namespace {

struct transfer {
  using reply = int;
};
struct balance {
  using reply = int;
};

/// Two accounts that look into each other while they handle a transfer.
template <bool Exclusive>
class account : public actor<account<Exclusive>, transfer, balance, go> {
public:
  static constexpr bool exclusive = Exclusive;
  explicit account(std::shared_ptr<std::vector<ref<account>>> all, std::size_t me) : all_{std::move(all)}, me_{me} {}
  task<int> on(const transfer&) { co_return co_await (*all_)[1 - me_].ask(balance{}, 5s) + 1; }
  int on(const balance&) const { return 1; }
  void on(const go&) { this->self().tell(transfer{}); }

private:
  const std::shared_ptr<std::vector<ref<account>>> all_;
  const std::size_t me_;
};

template <bool Exclusive>
void bank(simulation& sim) {
  auto all = std::make_shared<std::vector<ref<account<Exclusive>>>>();
  sim.run([&](troupe::system& sys) {
    for (std::size_t i = 0; i < 2; ++i)
      all->push_back(sys.spawn<account<Exclusive>>(all, i));
    for (const auto& a : *all)
      a.tell(go{});
  });
  all->clear();
}

} // namespace

TEST_CASE("messaging defect: a deadlock by cyclic asks is found within 20 seeds") {
  finds({.name = "cyclic-asks"}, "deadlock", 20, bank<true>, bank<false>);
}

// -- redelivery --------------------------------------------------------------------------------------------------------

namespace {

struct receipt {
  std::uint64_t sequence;
};
struct deposit {
  std::uint64_t sequence;
  ref_to<receipt> from;
};

class purse : public actor<purse, deposit> {
public:
  purse(bool sound, int* sum, std::set<std::uint64_t>* seen) : sound_{sound}, sum_{sum}, seen_{seen} {}
  void on(const deposit& d) {
    if (!sound_ || seen_->insert(d.sequence).second)
      ++*sum_;
    d.from.tell(receipt{d.sequence});
  }

private:
  const bool sound_;
  int* const sum_; // as if it were journaled
  std::set<std::uint64_t>* const seen_;
};

/// Sends each deposit again until there is a receipt.
class payer : public actor<payer, go, receipt> {
public:
  explicit payer(ref<purse> to) : to_{std::move(to)} { self().tell(go{}); }
  void on(const go&) {
    to_.tell(deposit{sequence_, self()});
    after("again", 50ms, go{});
  }
  void on(const receipt& r) {
    if (r.sequence != sequence_)
      return;
    cancel_timer("again");
    if (++sequence_ <= 5)
      self().tell(go{});
  }

private:
  const ref<purse> to_;
  std::uint64_t sequence_ = 1;
};

simulated_program payments(bool sound) {
  return [sound](simulation& sim) {
    int sum = 0;
    std::set<std::uint64_t> seen;
    sim.eventually("each deposit has its effect once", [&] { return sum == 5; });
    sim.run([&](troupe::system& sys) { sys.spawn<payer>(sys.spawn<purse>(sound, &sum, &seen)); });
  };
}

} // namespace

TEST_CASE("messaging defect: a duplicate effect after a redelivery is found within 50 seeds") {
  finds({.name = "redelivery", .faults = {.slow = 0.2}}, "each deposit has its effect once", 50, payments(false),
        payments(true));
}

// -- a full mailbox ----------------------------------------------------------------------------------------------------

namespace {

struct item {
  int number;
};

class sink : public actor<sink, item> {
public:
  explicit sink(int* received) : received_{received} {}
  void on(const item&) { ++*received_; }

private:
  int* const received_;
};

class source : public actor<source, go> {
public:
  source(bool sound, ref<sink> to) : sound_{sound}, to_{std::move(to)} { self().tell(go{}); }
  void on(const go&) {
    const auto accepted = to_.tell(item{sent_}) == delivery::accepted;
    if (accepted || !sound_)
      ++sent_;
    if (sent_ < 10)
      after(1ms, go{});
  }

private:
  const bool sound_;
  const ref<sink> to_;
  int sent_ = 0;
};

simulated_program stream_of(bool sound) {
  return [sound](simulation& sim) {
    int received = 0;
    sim.eventually("all items arrive", [&] { return received == 10; });
    sim.run([&](troupe::system& sys) { sys.spawn<source>(sound, sys.spawn<sink>(&received)); });
  };
}

} // namespace

TEST_CASE("messaging defect: a refused message that nobody looks at is found within 50 seeds") {
  finds({.name = "refused", .faults = {.full = 0.05}}, "all items arrive", 50, stream_of(false), stream_of(true));
}

// -- a register that is not one ----------------------------------------------------------------------------------------

namespace {

struct write_value {
  int value;
  using reply = void;
};
struct read_value {
  using reply = int;
};
struct replicate {
  int value;
};
struct pass_on {};

/// A register in two copies; writes go to the first, which passes them on a little later. Reading the second is not linearizable.
class replica : public actor<replica, write_value, read_value, replicate, pass_on> {
public:
  explicit replica(ref<replica> next) : next_{std::move(next)} {}
  void on(const write_value& w) {
    value_ = w.value;
    after(1ms, pass_on{});
  }
  void on(const pass_on&) {
    if (next_)
      next_.tell(replicate{value_});
  }
  int on(const read_value&) const { return value_; }
  void on(const replicate& r) { value_ = r.value; }

private:
  const ref<replica> next_;
  int value_ = 0;
};

struct operation {
  bool write;
  int value;
};

class client : public actor<client, go> {
public:
  client(ref<replica> write_to, ref<replica> read_from, int number, history<operation, int>* h)
      : write_to_{std::move(write_to)}, read_from_{std::move(read_from)}, number_{number}, history_{h} {
    self().tell(go{});
  }
  task<> on(const go&) {
    for (int i = 0; i < 2; ++i) {
      const auto w = history_->begin({true, 10 * number_ + i});
      co_await write_to_.ask(write_value{10 * number_ + i});
      history_->end(w, 0);
      const auto r = history_->begin({false, 0});
      history_->end(r, co_await read_from_.ask(read_value{}));
    }
  }

private:
  const ref<replica> write_to_;
  const ref<replica> read_from_;
  const int number_;
  history<operation, int>* const history_;
};

simulated_program copies(bool sound) {
  return [sound](simulation& sim) {
    history<operation, int> h;
    sim.eventually("the register is linearizable", [&] {
      return linearizable(h, 0, [](int& state, const operation& o) { return o.write ? (state = o.value, 0) : state; });
    });
    sim.run([&](troupe::system& sys) {
      const auto second = sys.spawn<replica>(ref<replica>{});
      const auto first = sys.spawn<replica>(second);
      for (int i = 1; i <= 3; ++i)
        sys.spawn<client>(first, sound ? first : second, i, &h);
    });
  };
}

} // namespace

TEST_CASE("messaging defect: a stale read is found by the check for linearizability within 20 seeds") {
  finds({.name = "stale-read"}, "the register is linearizable", 20, copies(false), copies(true));
}
