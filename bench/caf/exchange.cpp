// SPDX-License-Identifier: BSD-3-Clause
// From the Savina suite: bounded buffer and banking.
#include "bench/caf/rows.hpp"

#include <atomic>
#include <cstddef>
#include <deque>
#include <vector>

namespace bench {

namespace {

constexpr int item_cost = 25;
constexpr std::size_t buffer_size = 50;
constexpr std::size_t parties = 40;

void end_all(const std::vector<caf::actor>& all) {
  for (auto& a : all)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

class manager : public caf::event_based_actor {
public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {
        [this](const caf::actor& from, std::int64_t number) {
          if (!hungry_.empty()) {
            send(hungry_.front(), number);
            hungry_.pop_front();
          } else {
            buffer_.push_back(number);
          }
          if (buffer_.size() + parties > buffer_size)
            paused_.push_back(from);
          else
            send(from, caf::unit);
        },
        [this](const caf::actor& who) {
          if (buffer_.empty()) {
            hungry_.push_back(who);
            return;
          }
          send(who, buffer_.front());
          buffer_.pop_front();
          if (!paused_.empty()) {
            send(paused_.front(), caf::unit);
            paused_.pop_front();
          }
        },
    };
  }

private:
  std::deque<std::int64_t> buffer_;
  std::deque<caf::actor> hungry_;
  std::deque<caf::actor> paused_;
};

class source : public caf::event_based_actor {
public:
  source(caf::actor_config& cfg, caf::actor to, std::int64_t items)
      : event_based_actor{cfg}, to_{std::move(to)}, left_{items} {}
  caf::behavior make_behavior() override {
    return {[this](caf::unit_t) {
      if (left_-- > 0)
        send(to_, caf::actor_cast<caf::actor>(this), burn(left_, item_cost));
    }};
  }

private:
  caf::actor to_;
  std::int64_t left_;
};

struct exchange_tally {
  stopwatch clock;
  std::atomic<std::int64_t> consumed{0};
  std::int64_t expected = 0;
};

class sink : public caf::event_based_actor {
public:
  sink(caf::actor_config& cfg, exchange_tally* shared, caf::actor from)
      : event_based_actor{cfg}, shared_{shared}, from_{std::move(from)} {}
  caf::behavior make_behavior() override {
    return {
        [this](caf::unit_t) { send(from_, caf::actor_cast<caf::actor>(this)); },
        [this](std::int64_t number) {
          taste_ += burn(number, item_cost);
          if (shared_->consumed.fetch_add(1) + 1 == shared_->expected)
            shared_->clock.arrive();
          else
            send(from_, caf::actor_cast<caf::actor>(this));
        },
    };
  }

private:
  exchange_tally* shared_;
  caf::actor from_;
  std::int64_t taste_ = 0;
};

void bounded_buffer(const run_size& size) {
  exchange_tally shared;
  shared.expected = static_cast<std::int64_t>(size.n);
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  auto m = sys.spawn<manager>();
  std::vector<caf::actor> all;
  for (std::size_t i = 0; i < parties; ++i)
    all.push_back(sys.spawn<sink>(&shared, m));
  for (std::size_t i = 0; i < parties; ++i)
    all.push_back(sys.spawn<source>(m, static_cast<std::int64_t>(size.n / parties)));
  settle_down();
  shared.clock.start();
  for (auto& a : all)
    caf::anon_send(a, caf::unit);
  shared.clock.wait();
  shared.clock.print("bounded-buffer", size.n, shared.consumed);
  all.push_back(m);
  end_all(all);
}

/// While its own transfer is not through, `await` keeps everything else waiting.
class account : public caf::event_based_actor {
public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {
        [this](std::int64_t amount) {
          money_ += amount;
          return true;
        },
        [this](std::int64_t amount, const caf::actor& to) {
          money_ -= amount;
          auto through = make_response_promise<bool>();
          request(to, std::chrono::seconds{5}, amount).await([through](bool credited) mutable {
            through.deliver(credited);
          });
          return through;
        },
        [this](caf::unit_t) { return money_; },
    };
  }

private:
  std::int64_t money_ = 1'000;
};

constexpr std::size_t accounts = 1'000;
constexpr int transfers_on_the_way = 500;

class teller : public caf::event_based_actor {
public:
  teller(caf::actor_config& cfg, stopwatch* clock, std::vector<caf::actor> all, std::int64_t transfers)
      : event_based_actor{cfg}, clock_{clock}, all_{std::move(all)}, left_{transfers}, pending_{transfers} {}

  caf::behavior make_behavior() override {
    return {[this](caf::unit_t) {
      for (int i = 0; i < transfers_on_the_way; ++i)
        transfer();
    }};
  }

private:
  void transfer() {
    if (left_-- <= 0)
      return;
    const auto from = static_cast<std::size_t>(dice_.next()) % (accounts / 10 * 8);
    const auto to = from + 1 + static_cast<std::size_t>(dice_.next()) % (accounts - from - 1);
    request(all_[from], std::chrono::seconds{5}, dice_.next() % 100, all_[to]).then([this](bool) {
      if (--pending_ == 0)
        clock_->arrive();
      else
        transfer();
    });
  }

  stopwatch* clock_;
  std::vector<caf::actor> all_;
  std::int64_t left_;
  std::int64_t pending_;
  savina_random dice_;
};

void banking(const run_size& size) {
  stopwatch clock;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  std::vector<caf::actor> all;
  for (std::size_t i = 0; i < accounts; ++i)
    all.push_back(sys.spawn<account>());
  auto t = sys.spawn<teller>(&clock, all, static_cast<std::int64_t>(size.n));
  settle_down();
  clock.start();
  caf::anon_send(t, caf::unit);
  clock.wait();
  std::int64_t money = 0;
  caf::scoped_actor self{sys};
  for (auto& a : all)
    self->request(a, std::chrono::seconds{5}, caf::unit)
        .receive([&](std::int64_t m) { money += m; }, [](caf::error&) {});
  clock.print("banking", size.n, money);
  all.push_back(t);
  end_all(all);
}

} // namespace

void add_exchange_rows(row_table& rows) {
  rows["bounded-buffer"] = &bounded_buffer;
  rows["banking"] = &banking;
}

} // namespace bench
