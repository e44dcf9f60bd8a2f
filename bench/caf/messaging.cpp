// SPDX-License-Identifier: BSD-3-Clause
// Rows in which every message waits for the one before: ping-pong, pairs, scaling, ring, request-reply.
#include "bench/caf/rows.hpp"

#include <atomic>
#include <string>
#include <vector>

namespace bench {

namespace {

struct match {
  stopwatch clock;
  std::atomic<std::uint64_t> playing{0};
  std::atomic<std::int64_t> returned{0};
};

class player : public caf::event_based_actor {
public:
  player(caf::actor_config& cfg, match* shared) : event_based_actor{cfg}, shared_{shared} {}

  caf::behavior make_behavior() override {
    return {
        [this](const caf::actor& partner) { partner_ = partner; },
        [this](std::int64_t left) {
          ++hits_;
          if (left > 0) {
            send(partner_, left - 1);
            return;
          }
          shared_->returned += hits_;
          if (shared_->playing.fetch_sub(1) == 1)
            shared_->clock.arrive();
        },
    };
  }

private:
  match* shared_;
  caf::actor partner_;
  std::int64_t hits_ = 0;
};

double play(const run_size& size, std::uint64_t pairs, const char* row) {
  match shared;
  shared.playing = pairs;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  std::vector<caf::actor> all;
  for (std::uint64_t i = 0; i < 2 * pairs; ++i)
    all.push_back(sys.spawn<player>(&shared));
  for (std::uint64_t i = 0; i < 2 * pairs; ++i)
    caf::anon_send(all[i], all[i ^ 1]);
  settle_down();
  const auto rounds = size.n / pairs;
  shared.clock.start();
  for (std::uint64_t i = 0; i < pairs; ++i)
    caf::anon_send(all[2 * i], static_cast<std::int64_t>(2 * rounds));
  shared.clock.wait();
  if (row != nullptr)
    shared.clock.print(row, rounds * pairs, shared.returned - static_cast<std::int64_t>(pairs));
  for (auto& a : all)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  return shared.clock.ns() / static_cast<double>(rounds * pairs);
}

void ping_pong(const run_size& size) { play(size, 1, "ping-pong"); }
void pairs(const run_size& size) { play(size, 50, "pairs"); }

void scaling(const run_size& size) {
  const auto one = play({size.n, 1}, 50, "scaling-1");
  for (unsigned workers = 2; workers < size.workers; workers *= 2)
    play({size.n, workers}, 50, ("scaling-" + std::to_string(workers)).c_str());
  const auto all = play(size, 50, ("scaling-" + std::to_string(size.workers)).c_str());
  print_figure("scaling", "speed-up", one / all, 0);
}

class member : public caf::event_based_actor {
public:
  member(caf::actor_config& cfg, stopwatch* clock, std::int64_t* passed)
      : event_based_actor{cfg}, clock_{clock}, passed_{passed} {}

  caf::behavior make_behavior() override {
    return {
        [this](const caf::actor& next) { next_ = next; },
        [this](std::int64_t left) {
          ++*passed_;
          if (left == 0)
            clock_->arrive();
          else
            send(next_, left - 1);
        },
    };
  }

private:
  stopwatch* clock_;
  std::int64_t* passed_;
  caf::actor next_;
};

void ring(const run_size& size, std::size_t members, const char* row) {
  stopwatch clock;
  std::int64_t passed = -1;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  std::vector<caf::actor> all;
  for (std::size_t i = 0; i < members; ++i)
    all.push_back(sys.spawn<member>(&clock, &passed));
  for (std::size_t i = 0; i < members; ++i)
    caf::anon_send(all[i], all[(i + 1) % members]);
  settle_down();
  clock.start();
  caf::anon_send(all[0], static_cast<std::int64_t>(size.n));
  clock.wait();
  clock.print(row, size.n, passed);
  for (auto& a : all)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

void ring_100(const run_size& size) { ring(size, 100, "ring-100"); }
void ring_503(const run_size& size) { ring(size, 503, "ring-503"); }

class server : public caf::event_based_actor {
public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {[](std::int64_t number) { return number + 1; }};
  }
};

class client : public caf::event_based_actor {
public:
  client(caf::actor_config& cfg, stopwatch* clock, std::int64_t* sum, caf::actor at)
      : event_based_actor{cfg}, clock_{clock}, sum_{sum}, server_{std::move(at)} {}

  caf::behavior make_behavior() override {
    return {[this](std::int64_t questions) {
      left_ = questions;
      ask();
    }};
  }

private:
  void ask() {
    request(server_, std::chrono::seconds{5}, left_).then([this](std::int64_t answer) {
      *sum_ += answer - left_;
      if (--left_ == 0)
        clock_->arrive();
      else
        ask();
    });
  }

  stopwatch* clock_;
  std::int64_t* sum_;
  caf::actor server_;
  std::int64_t left_ = 0;
};

void request_reply(const run_size& size) {
  stopwatch clock;
  std::int64_t sum = 0;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  auto s = sys.spawn<server>();
  auto c = sys.spawn<client>(&clock, &sum, s);
  settle_down();
  clock.start();
  caf::anon_send(c, static_cast<std::int64_t>(size.n));
  clock.wait();
  clock.print("request-reply", size.n, sum);
  caf::anon_send_exit(c, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
}

} // namespace

void add_messaging_rows(row_table& rows) {
  rows["ping-pong"] = &ping_pong;
  rows["pairs"] = &pairs;
  rows["scaling"] = &scaling;
  rows["ring-100"] = &ring_100;
  rows["ring-503"] = &ring_503;
  rows["request-reply"] = &request_reply;
}

} // namespace bench
