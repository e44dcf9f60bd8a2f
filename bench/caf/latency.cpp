// SPDX-License-Identifier: BSD-3-Clause
// Rows about waiting: wake-up, head-of-line, and request latency under load.
#include "bench/caf/rows.hpp"
#include "bench/support/arrivals.hpp"

#include <cstddef>
#include <vector>

namespace bench {

namespace {

class witness : public caf::event_based_actor {
public:
  witness(caf::actor_config& cfg, samples* to) : event_based_actor{cfg}, to_{to} {}
  caf::behavior make_behavior() override {
    return {[this](std::int64_t at) { to_->add(now_ns() - at); }};
  }

private:
  samples* to_;
};

void end(const caf::actor& a) { caf::anon_send_exit(a, caf::exit_reason::user_shutdown); }

void wake_up(const run_size& size) {
  samples all{size.n};
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  auto w = sys.spawn<witness>(&all);
  savina_random dice;
  for (std::uint64_t i = 0; i < size.n; ++i) {
    sleep_ns(1'000'000 + dice.next() * 61);
    caf::anon_send(w, now_ns());
  }
  all.wait();
  all.print("wake-up", 0.5);
  all.print("wake-up-p99", 0.99);
  end(w);
}

class hog : public caf::event_based_actor {
public:
  hog(caf::actor_config& cfg, caf::actor to) : event_based_actor{cfg}, to_{std::move(to)} {}
  caf::behavior make_behavior() override {
    return {[this](std::int64_t ns) {
      const auto start = now_ns();
      send(to_, start);
      while (now_ns() - start < ns) {
      }
    }};
  }

private:
  caf::actor to_;
};

void head_of_line(const run_size& size) {
  samples all{size.n};
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  auto w = sys.spawn<witness>(&all);
  auto h = sys.spawn<hog>(w);
  for (std::uint64_t i = 0; i < size.n; ++i) {
    sleep_ns(5'000'000);
    caf::anon_send(h, std::int64_t{20'000'000});
    sleep_ns(25'000'000);
  }
  all.wait();
  all.print("head-of-line", 0.9);
  end(w);
  end(h);
}

class server : public caf::event_based_actor {
public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {[](std::int64_t number) { return burn(number, request_cost); }};
  }
};

class front : public caf::event_based_actor {
public:
  front(caf::actor_config& cfg, samples* to, std::vector<caf::actor> servers)
      : event_based_actor{cfg}, to_{to}, servers_{std::move(servers)} {}
  caf::behavior make_behavior() override {
    return {[this](std::int64_t due) {
      request(servers_[next_++ % servers_.size()], std::chrono::seconds{30}, due).then([this, due](std::int64_t) {
        to_->add(now_ns() - due);
      });
    }};
  }

private:
  samples* to_;
  std::vector<caf::actor> servers_;
  std::size_t next_ = 0;
};

template <int Percent>
void latency(const run_size& size) {
  samples all;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  std::vector<caf::actor> servers;
  for (int i = 0; i < server_count; ++i)
    servers.push_back(sys.spawn<server>());
  auto f = sys.spawn<front>(&all, servers);
  measure_latency(Percent, size.n, all, [&](std::int64_t due) { caf::anon_send(f, due); });
  end(f);
  for (auto& s : servers)
    end(s);
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
