// SPDX-License-Identifier: BSD-3-Clause
// Rows in which senders wait for nothing: counting, fan-in, fan-out. CAF's mailboxes have no limit: a producer sends
// everything in one handler.
#include "bench/caf/rows.hpp"

#include <atomic>
#include <cstddef>
#include <vector>

namespace bench {

namespace {

struct tally {
  stopwatch clock;
  std::atomic<std::int64_t> receivers_left{1};
  std::atomic<std::int64_t> sum{0};
};

class consumer : public caf::event_based_actor {
public:
  consumer(caf::actor_config& cfg, tally* shared, std::int64_t expected)
      : event_based_actor{cfg}, shared_{shared}, left_{expected} {}

  caf::behavior make_behavior() override {
    return {[this](std::int64_t number) {
      sum_ += number;
      if (--left_ > 0)
        return;
      shared_->sum += sum_;
      if (shared_->receivers_left.fetch_sub(1) == 1)
        shared_->clock.arrive();
    }};
  }

private:
  tally* shared_;
  std::int64_t left_;
  std::int64_t sum_ = 0;
};

class producer : public caf::event_based_actor {
public:
  producer(caf::actor_config& cfg, std::vector<caf::actor> to) : event_based_actor{cfg}, to_{std::move(to)} {}

  caf::behavior make_behavior() override {
    return {[this](std::int64_t total) {
      std::size_t next = 0;
      for (std::int64_t i = 0; i < total; ++i) {
        send(to_[next], std::int64_t{1});
        next = next + 1 == to_.size() ? 0 : next + 1;
      }
    }};
  }

private:
  std::vector<caf::actor> to_;
};

void flood(const run_size& size, std::size_t producers, std::size_t consumers, const char* row) {
  tally shared;
  shared.receivers_left = static_cast<std::int64_t>(consumers);
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  std::vector<caf::actor> to;
  std::vector<caf::actor> from;
  const auto total = static_cast<std::int64_t>(size.n);
  for (std::size_t i = 0; i < consumers; ++i)
    to.push_back(sys.spawn<consumer>(&shared, total / static_cast<std::int64_t>(consumers)));
  for (std::size_t i = 0; i < producers; ++i)
    from.push_back(sys.spawn<producer>(to));
  settle_down();
  shared.clock.start();
  for (auto& p : from)
    caf::anon_send(p, total / static_cast<std::int64_t>(producers));
  shared.clock.wait();
  shared.clock.print(row, size.n, shared.sum);
  for (auto& a : to)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  for (auto& a : from)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

void counting(const run_size& size) { flood(size, 1, 1, "counting"); }
void fan_in(const run_size& size) { flood(size, 8, 1, "fan-in"); }
void fan_out(const run_size& size) { flood(size, 1, 60, "fan-out"); }

} // namespace

void add_flood_rows(row_table& rows) {
  rows["counting"] = &counting;
  rows["fan-in"] = &fan_in;
  rows["fan-out"] = &fan_out;
}

} // namespace bench
