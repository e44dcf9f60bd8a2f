// SPDX-License-Identifier: BSD-3-Clause
// From the Savina suite: bounded buffer (producers, consumers and the manager between them), banking (transfers between
// two accounts; no account serves another transfer before its own is through, and the money is conserved).
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <cstddef>
#include <deque>
#include <vector>

namespace bench {

namespace {

constexpr int item_cost = 25;
constexpr std::size_t buffer_size = 50;
constexpr std::size_t parties = 40;

class source;
class sink;
struct want {};
struct goods {
  std::int64_t number;
};
struct delivered_goods {
  troupe::ref<source> from;
  std::int64_t number;
};
struct hungry {
  troupe::ref<sink> who;
};

class manager : public troupe::actor<manager, delivered_goods, hungry> {
public:
  void on(const delivered_goods& d);
  void on(const hungry& h);

private:
  std::deque<std::int64_t> buffer_;
  std::deque<troupe::ref<sink>> hungry_;
  std::deque<troupe::ref<source>> paused_;
};

class source : public troupe::actor<source, want> {
public:
  source(troupe::ref<manager> to, std::int64_t items) : to_{std::move(to)}, left_{items} {}
  void on(const want&) {
    if (left_-- > 0)
      to_.tell(delivered_goods{self(), burn(left_, item_cost)});
  }

private:
  troupe::ref<manager> to_;
  std::int64_t left_;
};

struct exchange_tally {
  stopwatch clock;
  std::atomic<std::int64_t> consumed{0};
  std::int64_t expected = 0;
};

class sink : public troupe::actor<sink, want, goods> {
public:
  sink(exchange_tally* shared, troupe::ref<manager> from) : shared_{shared}, from_{std::move(from)} {}
  void on(const want&) { from_.tell(hungry{self()}); }
  void on(const goods& g) {
    taste_ += burn(g.number, item_cost);
    if (shared_->consumed.fetch_add(1) + 1 == shared_->expected)
      shared_->clock.arrive();
    else
      from_.tell(hungry{self()});
  }

private:
  exchange_tally* shared_;
  troupe::ref<manager> from_;
  std::int64_t taste_ = 0;
};

void manager::on(const delivered_goods& d) {
  if (!hungry_.empty()) {
    hungry_.front().tell(goods{d.number});
    hungry_.pop_front();
  } else {
    buffer_.push_back(d.number);
  }
  if (buffer_.size() + parties > buffer_size)
    paused_.push_back(d.from);
  else
    d.from.tell(want{});
}

void manager::on(const hungry& h) {
  if (buffer_.empty()) {
    hungry_.push_back(h.who);
    return;
  }
  h.who.tell(goods{buffer_.front()});
  buffer_.pop_front();
  if (!paused_.empty()) {
    paused_.front().tell(want{});
    paused_.pop_front();
  }
}

void bounded_buffer(const run_size& size) {
  exchange_tally shared;
  shared.expected = static_cast<std::int64_t>(size.n);
  troupe::system sys{options_for(size)};
  auto m = sys.spawn<manager>();
  std::vector<troupe::ref<source>> sources;
  std::vector<troupe::ref<sink>> sinks;
  for (std::size_t i = 0; i < parties; ++i) {
    sources.push_back(sys.spawn<source>(m, static_cast<std::int64_t>(size.n / parties)));
    sinks.push_back(sys.spawn<sink>(&shared, m));
  }
  settle_down();
  shared.clock.start();
  for (auto& s : sinks)
    s.tell(want{});
  for (auto& s : sources)
    s.tell(want{});
  shared.clock.wait();
  shared.clock.print("bounded-buffer", size.n, shared.consumed);
}

// -- banking ----------------------------------------------------------------------------------------------------------

class account;
struct credit {
  std::int64_t amount;
  using reply = bool;
};
struct transfer {
  std::int64_t amount;
  troupe::ref<account> to;
  using reply = bool;
};
struct balance {
  using reply = std::int64_t;
};

class account : public troupe::actor<account, credit, transfer, balance> {
public:
  static constexpr bool exclusive = true;

  bool on(const credit& c) {
    money_ += c.amount;
    return true;
  }
  troupe::task<bool> on(const transfer& t) {
    money_ -= t.amount;
    auto credited = t.to.ask(credit{t.amount});
    co_return co_await credited;
  }
  std::int64_t on(const balance&) const { return money_; }

private:
  std::int64_t money_ = 1'000;
};

constexpr std::size_t accounts = 1'000;
constexpr int transfers_on_the_way = 500;

struct open_window {};

/// Each of its suspended handlers has one transfer on its way.
class teller : public troupe::actor<teller, open_window> {
public:
  teller(stopwatch* clock, std::vector<troupe::ref<account>> all, std::int64_t transfers)
      : clock_{clock}, all_{std::move(all)}, left_{transfers}, pending_{transfers} {}

  troupe::task<> on(const open_window&) {
    while (left_-- > 0) {
      const auto from = static_cast<std::size_t>(dice_.next()) % (accounts / 10 * 8); // always upwards: no cycles
      const auto to = from + 1 + static_cast<std::size_t>(dice_.next()) % (accounts - from - 1);
      auto through = all_[from].ask(transfer{dice_.next() % 100, all_[to]});
      (void)co_await through;
      if (--pending_ == 0)
        clock_->arrive();
    }
  }

private:
  stopwatch* clock_;
  std::vector<troupe::ref<account>> all_;
  std::int64_t left_;
  std::int64_t pending_;
  savina_random dice_;
};

void banking(const run_size& size) {
  stopwatch clock;
  troupe::system sys{options_for(size)};
  std::vector<troupe::ref<account>> all;
  for (std::size_t i = 0; i < accounts; ++i)
    all.push_back(sys.spawn<account>());
  auto t = sys.spawn<teller>(&clock, all, static_cast<std::int64_t>(size.n));
  settle_down();
  clock.start();
  for (int i = 0; i < transfers_on_the_way; ++i)
    t.tell(open_window{});
  clock.wait();
  std::int64_t money = 0;
  for (auto& a : all)
    money += a.ask(balance{}).get();
  clock.print("banking", size.n, money);
}

} // namespace

void add_exchange_rows(row_table& rows) {
  rows["bounded-buffer"] = &bounded_buffer;
  rows["banking"] = &banking;
}

} // namespace bench
