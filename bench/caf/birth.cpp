// SPDX-License-Identifier: BSD-3-Clause
// Rows that make and end actors: spawn, fork-join, skynet. All with policy=sharing: CAF's stealing walks a worker's
// whole list per theft, and does not end in minutes here.
#include "bench/caf/rows.hpp"

#include <atomic>

namespace bench {

namespace {

class child : public caf::event_based_actor {
public:
  child(caf::actor_config& cfg, caf::actor parent) : event_based_actor{cfg}, parent_{std::move(parent)} {}
  caf::behavior make_behavior() override {
    return {[this](std::int64_t number) {
      send(parent_, number);
      quit();
    }};
  }

private:
  caf::actor parent_;
};

class parent : public caf::event_based_actor {
public:
  parent(caf::actor_config& cfg, stopwatch* clock, std::int64_t* sum)
      : event_based_actor{cfg}, clock_{clock}, sum_{sum} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::uint64_t children) {
          left_ = children;
          for (std::uint64_t i = 0; i < children; ++i)
            send(spawn<child>(caf::actor_cast<caf::actor>(this)), std::int64_t{1});
        },
        [this](std::int64_t number) {
          *sum_ += number;
          if (--left_ == 0) {
            clock_->arrive();
            quit();
          }
        },
    };
  }

private:
  stopwatch* clock_;
  std::int64_t* sum_;
  std::uint64_t left_ = 0;
};

void spawn(const run_size& size) {
  stopwatch clock;
  std::int64_t sum = 0;
  caf_options cfg{size, "sharing"};
  caf::actor_system sys{cfg};
  auto p = sys.spawn<parent>(&clock, &sum);
  settle_down();
  clock.start();
  caf::anon_send(p, size.n);
  clock.wait();
  clock.print("spawn", size.n, sum);
}

struct fork_tally {
  stopwatch clock;
  std::atomic<std::int64_t> left{0};
  std::atomic<std::int64_t> sum{0};
};

class forked : public caf::event_based_actor {
public:
  forked(caf::actor_config& cfg, fork_tally* shared) : event_based_actor{cfg}, shared_{shared} {}
  caf::behavior make_behavior() override {
    return {[this](std::int64_t number) {
      shared_->sum.fetch_add(1 + (burn(number, 25) & 0), std::memory_order_relaxed);
      quit();
      if (shared_->left.fetch_sub(1) == 1)
        shared_->clock.arrive();
    }};
  }

private:
  fork_tally* shared_;
};

class forker : public caf::event_based_actor {
public:
  forker(caf::actor_config& cfg, fork_tally* shared) : event_based_actor{cfg}, shared_{shared} {}
  caf::behavior make_behavior() override {
    return {[this](std::int64_t children) {
      for (std::int64_t i = 0; i < children; ++i)
        send(spawn<forked>(shared_), i);
      quit();
    }};
  }

private:
  fork_tally* shared_;
};

void fork_join(const run_size& size) {
  fork_tally shared;
  shared.left = static_cast<std::int64_t>(size.n);
  caf_options cfg{size, "sharing"};
  caf::actor_system sys{cfg};
  auto f = sys.spawn<forker>(&shared);
  settle_down();
  shared.clock.start();
  caf::anon_send(f, static_cast<std::int64_t>(size.n));
  shared.clock.wait();
  shared.clock.print("fork-join", size.n, shared.sum);
}

class node : public caf::event_based_actor {
public:
  node(caf::actor_config& cfg, stopwatch* clock, std::int64_t* total, caf::actor parent)
      : event_based_actor{cfg}, clock_{clock}, total_{total}, parent_{std::move(parent)} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::int64_t number, std::int64_t leaves) {
          if (leaves == 1)
            return finish(number);
          left_ = 10;
          for (std::int64_t i = 0; i < 10; ++i)
            send(spawn<node>(clock_, total_, caf::actor_cast<caf::actor>(this)), number + i * (leaves / 10),
                 leaves / 10);
        },
        [this](std::int64_t sum) {
          sum_ += sum;
          if (--left_ == 0)
            finish(sum_);
        },
    };
  }

private:
  void finish(std::int64_t sum) {
    if (parent_) {
      send(parent_, sum);
    } else {
      *total_ = sum;
      clock_->arrive();
    }
    quit();
  }

  stopwatch* clock_;
  std::int64_t* total_;
  caf::actor parent_;
  std::int64_t sum_ = 0;
  int left_ = 0;
};

void skynet(const run_size& size) {
  stopwatch clock;
  std::int64_t total = 0;
  caf_options cfg{size, "sharing"};
  caf::actor_system sys{cfg};
  auto root = sys.spawn<node>(&clock, &total, caf::actor{});
  settle_down();
  clock.start();
  caf::anon_send(root, std::int64_t{0}, static_cast<std::int64_t>(size.n));
  clock.wait();
  clock.print("skynet", size.n, total);
}

} // namespace

void add_birth_rows(row_table& rows) {
  rows["spawn"] = &spawn;
  rows["fork-join"] = &fork_join;
  rows["skynet"] = &skynet;
}

} // namespace bench
