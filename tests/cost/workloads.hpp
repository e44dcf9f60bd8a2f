// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include "support/stepped_system.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

/// Small pieces of work that cost the same whenever they are done: on one worker, without fairness by time. Each can be
/// done again and again, so that what the first time costs can be told from the rest.
namespace cost {

/// Where the thread outside waits for the last handler.
class gate {
public:
  void open() noexcept {
    open_.store(true);
    open_.notify_one();
  }
  void wait() noexcept {
    open_.wait(false);
    open_.store(false);
  }

private:
  std::atomic<bool> open_{false};
};

inline troupe::system_options one_worker() { return {.workers = 1, .turn_time = std::chrono::hours{1}}; }

// -- ping-pong --

struct ball {
  std::uint64_t left;
};
class player;
struct partner {
  troupe::ref<player> who;
};

class player : public troupe::actor<player, ball, partner> {
public:
  explicit player(gate* end) : end_{end} {}
  void on(const partner& p) { partner_ = p.who; }
  void on(const ball& b) {
    if (b.left == 0)
      end_->open();
    else
      partner_.tell(ball{b.left - 1});
  }

private:
  gate* end_;
  troupe::ref<player> partner_;
};

/// One operation: a message.
class ping_pong {
public:
  ping_pong() {
    first_.tell(partner{second_});
    second_.tell(partner{first_});
  }
  void run(std::uint64_t messages) {
    first_.tell(ball{messages});
    end_.wait();
  }

private:
  gate end_;
  troupe::system system_{one_worker()};
  troupe::ref<player> first_ = system_.spawn<player>(&end_);
  troupe::ref<player> second_ = system_.spawn<player>(&end_);
};

// -- counting, fan-in --

/// A message with `Bytes` of its own.
template <std::size_t Bytes>
struct item {
  std::array<std::byte, Bytes> body{};
};
struct acknowledge {
  using reply = std::uint64_t;
};
struct produce {
  std::uint64_t items;
};

template <std::size_t Bytes>
class consumer : public troupe::actor<consumer<Bytes>, item<Bytes>, acknowledge> {
public:
  void on(const item<Bytes>&) { ++items_; }
  std::uint64_t on(const acknowledge&) { return items_; }

private:
  std::uint64_t items_ = 0;
};

/// Sends items and waits for an acknowledgement after every hundred.
template <std::size_t Bytes>
class producer : public troupe::actor<producer<Bytes>, produce> {
public:
  producer(troupe::ref<consumer<Bytes>> to, std::atomic<unsigned>* working, gate* end)
      : to_{to}, working_{working}, end_{end} {}

  troupe::task<> on(const produce& p) {
    for (std::uint64_t sent = 0; sent < p.items; ++sent) {
      to_.tell(item<Bytes>{});
      if (sent % 100 == 99) {
        auto through = to_.ask(acknowledge{});
        (void)co_await through;
      }
    }
    if (working_->fetch_sub(1) == 1)
      end_->open();
  }

private:
  troupe::ref<consumer<Bytes>> to_;
  std::atomic<unsigned>* working_;
  gate* end_;
};

/// One operation: a message. The number of items is a multiple of 100 times the number of producers.
template <unsigned Producers, std::size_t Bytes = 8>
class flood {
public:
  flood() {
    for (unsigned i = 0; i < Producers; ++i)
      producers_.push_back(system_.spawn<producer<Bytes>>(to_, &working_, &end_));
  }
  void run(std::uint64_t messages) {
    working_.store(Producers);
    for (auto& p : producers_)
      p.tell(produce{messages / Producers});
    end_.wait();
  }

private:
  gate end_;
  std::atomic<unsigned> working_{0};
  troupe::system system_{one_worker()};
  troupe::ref<consumer<Bytes>> to_ = system_.spawn<consumer<Bytes>>();
  std::vector<troupe::ref<producer<Bytes>>> producers_;
};

// -- request-reply --

struct question {
  std::uint64_t number;
  using reply = std::uint64_t;
};
struct begin {
  std::uint64_t count;
};

class server : public troupe::actor<server, question> {
public:
  std::uint64_t on(const question& q) { return q.number + 1; }
};

class client : public troupe::actor<client, begin> {
public:
  client(troupe::ref<server> at, gate* end) : server_{at}, end_{end} {}

  troupe::task<> on(const begin& b) {
    for (std::uint64_t i = 0; i < b.count; ++i) {
      auto answer = server_.ask(question{i});
      sum_ += co_await answer;
    }
    end_->open();
  }

private:
  troupe::ref<server> server_;
  gate* end_;
  std::uint64_t sum_ = 0;
};

/// One operation: a request and its reply.
class request_reply {
public:
  void run(std::uint64_t requests) {
    client_.tell(begin{requests});
    end_.wait();
  }

private:
  gate end_;
  troupe::system system_{one_worker()};
  troupe::ref<client> client_ = system_.spawn<client>(system_.spawn<server>(), &end_);
};

// -- spawn --

class parent;
struct job {};
struct job_done {};

class child : public troupe::actor<child, job> {
public:
  explicit child(troupe::ref<parent> p) : parent_{std::move(p)} {}
  void on(const job&);

private:
  troupe::ref<parent> parent_;
};

class parent : public troupe::actor<parent, begin, job_done> {
public:
  explicit parent(gate* end) : end_{end} {}
  void on(const begin& b) {
    left_ = b.count;
    next();
  }
  void on(const job_done&) {
    if (--left_ == 0)
      end_->open();
    else
      next();
  }

private:
  void next() { system().spawn<child>(self()).tell(job{}); }

  gate* end_;
  std::uint64_t left_ = 0;
};

inline void child::on(const job&) {
  parent_.tell(job_done{});
  stop();
}

/// One operation: an actor that is made, does one message, answers and stops.
class spawn {
public:
  void run(std::uint64_t actors) {
    parent_.tell(begin{actors});
    end_.wait();
  }

private:
  gate end_;
  troupe::system system_{one_worker()};
  troupe::ref<parent> parent_ = system_.spawn<parent>(&end_);
};

// -- timers --

struct tick {};
struct alarm {
  int number;
};

/// Half of its timers are periodic, half are set again whenever they ring.
class sleeper : public troupe::actor<sleeper, tick, alarm, begin> {
public:
  static constexpr int timers = 50; // of each kind

  explicit sleeper(gate* end) : end_{end} {
    for (int i = 0; i < timers; ++i) {
      every(period(i), tick{});
      after(period(i), alarm{i});
    }
  }
  void on(const begin& b) { left_ = b.count; }
  void on(const tick&) { ring(); }
  void on(const alarm& a) {
    after(period(a.number), alarm{a.number});
    ring();
  }

  static constexpr std::chrono::microseconds period(int i) { return std::chrono::microseconds{1'000 + i}; }

private:
  void ring() {
    if (left_ != 0 && --left_ == 0)
      end_->open();
  }

  gate* end_;
  std::uint64_t left_ = 0;
};

/// One operation: a timer that rings, with a hundred of them set. In a stepped system: no clock decides.
class timers {
public:
  void run(std::uint64_t rings) {
    for (std::uint64_t r = 0; r < rings; r += 2 * sleeper::timers)
      system_.advance(sleeper::period(sleeper::timers)); // each of them rings once
  }

private:
  gate end_;
  troupe::system system_{support::stepped()};
  troupe::ref<sleeper> sleeper_ = system_.spawn<sleeper>(&end_);
};

/// The same by the real clock: for what does not depend on time.
class timers_by_clock {
public:
  void run(std::uint64_t rings) {
    sleeper_.tell(begin{rings});
    end_.wait();
  }

private:
  gate end_;
  troupe::system system_{one_worker()};
  troupe::ref<sleeper> sleeper_ = system_.spawn<sleeper>(&end_);
};

} // namespace cost
