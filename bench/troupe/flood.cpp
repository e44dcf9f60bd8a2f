// SPDX-License-Identifier: BSD-3-Clause
// Rows in which senders wait for nothing: counting, fan-in, fan-out.
//
// Mailboxes are bounded, so a producer must know how far its receivers are: after each chunk it asks them for an
// acknowledgement, and before the chunk after next it waits for that. With at most two chunks on their way per producer
// no message is ever refused. Senders that do not listen would be told `rejected`, at a price for both sides.
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bench {

namespace {

constexpr std::int64_t chunk = 200; // messages to each receiver between two acknowledgements
constexpr std::size_t chunks_on_the_way = 2;

struct item {
  std::int64_t number;
};
struct acknowledge {};
struct produce {};

/// Adds up items; the last receiver to have all of its own stops the clock.
struct tally {
  stopwatch clock;
  std::atomic<std::int64_t> receivers_left{1};
  std::atomic<std::int64_t> sum{0};
};

class consumer : public troupe::actor<consumer, item, acknowledge> {
public:
  consumer(tally* shared, std::int64_t expected) : shared_{shared}, left_{expected} {}

  void on(const acknowledge&) {}

  void on(const item& i) {
    sum_ += i.number;
    if (--left_ > 0)
      return;
    shared_->sum += sum_;
    if (shared_->receivers_left.fetch_sub(1) == 1)
      shared_->clock.arrive();
  }

private:
  tally* shared_;
  std::int64_t left_;
  std::int64_t sum_ = 0;
};

/// Sends `total` items, the next one to the next consumer.
class producer : public troupe::actor<producer, produce> {
public:
  producer(std::vector<troupe::ref<consumer>> to, std::int64_t total) : to_{std::move(to)}, left_{total} {}

  troupe::task<> on(const produce&) {
    std::vector<troupe::reply<void>> previous;
    std::vector<troupe::reply<void>> current;
    while (left_ > 0) {
      send_chunk();
      for (auto& c : to_)
        current.push_back(c.ask(acknowledge{}));
      for (auto& r : previous)
        co_await r;
      previous.swap(current);
      current.clear();
    }
    for (auto& r : previous)
      co_await r;
  }

private:
  void send_chunk() {
    const auto receivers = static_cast<std::int64_t>(to_.size());
    std::size_t next = 0;
    for (auto sent = std::min(left_, chunk * receivers); sent > 0; --sent, --left_) {
      if (to_[next].tell(item{1}) != troupe::delivery::accepted)
        throw std::logic_error{"a mailbox had no room for an acknowledged flow"};
      next = next + 1 == to_.size() ? 0 : next + 1;
    }
  }

  std::vector<troupe::ref<consumer>> to_;
  std::int64_t left_;
};

void flood(const run_size& size, std::size_t producers, std::size_t consumers, const char* row) {
  tally shared;
  shared.receivers_left = static_cast<std::int64_t>(consumers);
  troupe::system sys{options_for(size)};
  const auto total = static_cast<std::int64_t>(size.n);
  const auto capacity = (2 * chunks_on_the_way + 1) * static_cast<std::size_t>(chunk + 1) * producers;
  std::vector<troupe::ref<consumer>> to;
  for (std::size_t i = 0; i < consumers; ++i)
    to.push_back(sys.root().start<consumer>("", {.mailbox = {.capacity = capacity}}, &shared,
                                            total / static_cast<std::int64_t>(consumers)));
  std::vector<troupe::ref<producer>> from;
  for (std::size_t i = 0; i < producers; ++i)
    from.push_back(sys.spawn<producer>(to, total / static_cast<std::int64_t>(producers)));
  settle_down();
  shared.clock.start();
  for (auto& p : from)
    p.tell(produce{});
  shared.clock.wait();
  shared.clock.print(row, size.n, shared.sum);
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
