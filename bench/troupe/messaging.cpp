// SPDX-License-Identifier: BSD-3-Clause
// Rows in which every message waits for the one before: ping-pong, pairs, scaling, ring, request-reply.
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace bench {

namespace {

struct ball {
  std::int64_t left;
};

class player;
struct partner {
  troupe::ref<player> who;
};

/// What the pairs of one run share: the last of them stops the clock.
struct match {
  stopwatch clock;
  std::atomic<std::uint64_t> playing{0};
  std::atomic<std::int64_t> returned{0};
};

class player : public troupe::actor<player, ball, partner> {
public:
  explicit player(match* shared) : shared_{shared} {}

  void on(const partner& p) { partner_ = p.who; }

  void on(const ball& b) {
    ++hits_;
    if (b.left > 0) {
      partner_.tell(ball{b.left - 1});
      return;
    }
    shared_->returned += hits_;
    if (shared_->playing.fetch_sub(1) == 1)
      shared_->clock.arrive();
  }

private:
  match* shared_;
  troupe::ref<player> partner_;
  std::int64_t hits_ = 0;
};

double play(const run_size& size, std::uint64_t pairs, const char* row) {
  match shared;
  shared.playing = pairs;
  troupe::system sys{options_for(size)};
  std::vector<troupe::ref<player>> first;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    auto a = sys.spawn<player>(&shared);
    auto b = sys.spawn<player>(&shared);
    a.tell(partner{b});
    b.tell(partner{a});
    first.push_back(a);
  }
  settle_down();
  const auto rounds = size.n / pairs;
  shared.clock.start();
  for (auto& p : first)
    p.tell(ball{static_cast<std::int64_t>(2 * rounds)});
  shared.clock.wait();
  const auto check = (shared.returned - static_cast<std::int64_t>(pairs));
  if (row != nullptr)
    shared.clock.print(row, rounds * pairs, check);
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

class member;
struct token {
  std::int64_t left;
};
struct neighbour {
  troupe::ref<member> next;
};

class member : public troupe::actor<member, token, neighbour> {
public:
  member(stopwatch* clock, std::int64_t* passed) : clock_{clock}, passed_{passed} {}
  void on(const neighbour& n) { next_ = n.next; }

  void on(const token& t) {
    ++*passed_; // one token: never two members at a time
    if (t.left == 0)
      clock_->arrive();
    else
      next_.tell(token{t.left - 1});
  }

private:
  stopwatch* clock_;
  std::int64_t* passed_;
  troupe::ref<member> next_;
};

void ring(const run_size& size, std::size_t members, const char* row) {
  stopwatch clock;
  std::int64_t passed = -1;
  troupe::system sys{options_for(size)};
  std::vector<troupe::ref<member>> all;
  for (std::size_t i = 0; i < members; ++i)
    all.push_back(sys.spawn<member>(&clock, &passed));
  for (std::size_t i = 0; i < members; ++i)
    all[i].tell(neighbour{all[(i + 1) % members]});
  settle_down();
  clock.start();
  all[0].tell(token{static_cast<std::int64_t>(size.n)});
  clock.wait();
  clock.print(row, size.n, passed);
}

void ring_100(const run_size& size) { ring(size, 100, "ring-100"); }
void ring_503(const run_size& size) { ring(size, 503, "ring-503"); }

struct question {
  std::int64_t number;
  using reply = std::int64_t;
};
struct begin {
  std::int64_t questions;
};

class server : public troupe::actor<server, question> {
public:
  std::int64_t on(const question& q) { return q.number + 1; }
};

class client : public troupe::actor<client, begin> {
public:
  client(stopwatch* clock, std::int64_t* sum, troupe::ref<server> at) : clock_{clock}, sum_{sum}, server_{at} {}

  troupe::task<> on(const begin& b) {
    for (std::int64_t i = 0; i < b.questions; ++i) {
      auto answer = server_.ask(question{i});
      *sum_ += co_await answer - i;
    }
    clock_->arrive();
  }

private:
  stopwatch* clock_;
  std::int64_t* sum_;
  troupe::ref<server> server_;
};

void request_reply(const run_size& size) {
  stopwatch clock;
  std::int64_t sum = 0;
  troupe::system sys{options_for(size)};
  auto c = sys.spawn<client>(&clock, &sum, sys.spawn<server>());
  settle_down();
  clock.start();
  c.tell(begin{static_cast<std::int64_t>(size.n)});
  clock.wait();
  clock.print("request-reply", size.n, sum);
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
