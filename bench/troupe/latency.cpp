// SPDX-License-Identifier: BSD-3-Clause
// Rows about waiting: wake-up, head-of-line, and request latency under load.
//
// Latency is counted from the moment at which a request was due, not from when it was sent: a system that holds the
// generator up is charged for it.
#include "bench/support/arrivals.hpp"
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace bench {

namespace {

struct stamp {
  std::int64_t at; // ns
};

class witness : public troupe::actor<witness, stamp> {
public:
  explicit witness(samples* to) : to_{to} {}
  void on(const stamp& s) { to_->add(now_ns() - s.at); }

private:
  samples* to_;
};

void wake_up(const run_size& size) {
  samples all{size.n};
  troupe::system sys{options_for(size)};
  auto w = sys.spawn<witness>(&all);
  savina_random dice;
  for (std::uint64_t i = 0; i < size.n; ++i) {
    sleep_ns(1'000'000 + dice.next() * 61); // 1 to 5 ms
    w.tell(stamp{now_ns()});
  }
  all.wait();
  all.print("wake-up", 0.5);
  all.print("wake-up-p99", 0.99);
}

struct compute {
  std::int64_t ns;
};

class hog : public troupe::actor<hog, compute> {
public:
  explicit hog(troupe::ref<witness> to) : to_{std::move(to)} {}
  void on(const compute& c) {
    const auto start = now_ns();
    to_.tell(stamp{start});
    while (now_ns() - start < c.ns) {
    }
  }

private:
  troupe::ref<witness> to_;
};

void head_of_line(const run_size& size) {
  samples all{size.n};
  troupe::system sys{options_for(size)};
  auto h = sys.spawn<hog>(sys.spawn<witness>(&all));
  for (std::uint64_t i = 0; i < size.n; ++i) {
    sleep_ns(5'000'000);
    h.tell(compute{20'000'000});
    sleep_ns(25'000'000);
  }
  all.wait();
  all.print("head-of-line", 0.9);
}

// -- a front that passes requests on to eight servers, and notes when the reply is there ------------------------------

struct request {
  std::int64_t number;
  using reply = std::int64_t;
};

class server : public troupe::actor<server, request> {
public:
  std::int64_t on(const request& r) { return burn(r.number, request_cost); }
};

class front : public troupe::actor<front, stamp> {
public:
  front(samples* to, std::vector<troupe::ref<server>> servers) : to_{to}, servers_{std::move(servers)} {}

  troupe::task<> on(const stamp& s) {
    auto answer = servers_[next_++ % servers_.size()].ask(request{s.at});
    (void)co_await answer;
    to_->add(now_ns() - s.at);
  }

private:
  samples* to_;
  std::vector<troupe::ref<server>> servers_;
  std::size_t next_ = 0;
};

template <int Percent>
void latency(const run_size& size) {
  samples all;
  troupe::system sys{options_for(size)};
  std::vector<troupe::ref<server>> servers;
  for (int i = 0; i < server_count; ++i)
    servers.push_back(sys.spawn<server>());
  auto f = sys.root().start<front>("", {.mailbox = {.capacity = 400'000}}, &all, servers);
  measure_latency(Percent, size.n, all, [&](std::int64_t due) { f.tell(stamp{due}); });
}

} // namespace

void add_latency_rows(row_table& rows) {
  rows["wake-up"] = &wake_up;
  rows["head-of-line"] = &head_of_line;
  rows["latency-1"] = &latency<1>;
  rows["latency-10"] = &latency<10>;
  rows["latency-50"] = &latency<50>;
  rows["latency-95"] = &latency<95>;
}

} // namespace bench
