// SPDX-License-Identifier: BSD-3-Clause
// Rows that make and end actors: spawn (create, use, reply, stop), fork-join, skynet.
#include "bench/troupe/rows.hpp"

#include <atomic>

namespace bench {

namespace {

// -- spawn: one parent, each child answers it and stops ---------------------------------------------------------------

class parent;
struct job {
  std::int64_t number;
};
struct job_done {
  std::int64_t number;
};
struct begin {
  std::int64_t children;
};

class child : public troupe::actor<child, job> {
public:
  explicit child(troupe::ref<parent> p) : parent_{std::move(p)} {}
  void on(const job& j);

private:
  troupe::ref<parent> parent_;
};

class parent : public troupe::actor<parent, begin, job_done> {
public:
  parent(stopwatch* clock, std::int64_t* sum) : clock_{clock}, sum_{sum} {}

  void on(const begin& b) {
    left_ = b.children;
    for (std::int64_t i = 0; i < b.children; ++i)
      system().spawn<child>(self()).tell(job{1});
  }

  void on(const job_done& d) {
    *sum_ += d.number;
    if (--left_ == 0)
      clock_->arrive();
  }

private:
  stopwatch* clock_;
  std::int64_t* sum_;
  std::int64_t left_ = 0;
};

void child::on(const job& j) {
  parent_.tell(job_done{j.number});
  stop();
}

void spawn(const run_size& size) {
  stopwatch clock;
  std::int64_t sum = 0;
  troupe::system sys{options_for(size)};
  auto p = sys.root().start<parent>("", {.mailbox = {.capacity = size.n + 1}}, &clock, &sum);
  settle_down();
  clock.start();
  p.tell(begin{static_cast<std::int64_t>(size.n)});
  clock.wait();
  clock.print("spawn", size.n, sum);
}

// -- fork-join: each child computes and stops, nobody is told ---------------------------------------------------------

struct fork_tally {
  stopwatch clock;
  std::atomic<std::int64_t> left{0};
  std::atomic<std::int64_t> sum{0};
};

class forked : public troupe::actor<forked, job> {
public:
  explicit forked(fork_tally* shared) : shared_{shared} {}

  void on(const job& j) {
    shared_->sum.fetch_add(1 + (burn(j.number, 25) & 0), std::memory_order_relaxed); // relaxed: read after the last
    stop();
    if (shared_->left.fetch_sub(1) == 1)
      shared_->clock.arrive();
  }

private:
  fork_tally* shared_;
};

class forker : public troupe::actor<forker, begin> {
public:
  explicit forker(fork_tally* shared) : shared_{shared} {}
  void on(const begin& b) {
    for (std::int64_t i = 0; i < b.children; ++i)
      system().spawn<forked>(shared_).tell(job{i});
  }

private:
  fork_tally* shared_;
};

void fork_join(const run_size& size) {
  fork_tally shared;
  shared.left = static_cast<std::int64_t>(size.n);
  troupe::system sys{options_for(size)};
  auto f = sys.spawn<forker>(&shared);
  settle_down();
  shared.clock.start();
  f.tell(begin{static_cast<std::int64_t>(size.n)});
  shared.clock.wait();
  shared.clock.print("fork-join", size.n, shared.sum);
}

// -- skynet: a tree of actors, ten under each, that adds up its leaves' numbers ---------------------------------------

class node;
struct grow {
  std::int64_t number;
  std::int64_t leaves;
  troupe::ref<node> parent;
};
struct subtotal {
  std::int64_t sum;
};

class node : public troupe::actor<node, grow, subtotal> {
public:
  node(stopwatch* clock, std::int64_t* total) : clock_{clock}, total_{total} {}

  void on(const grow& g) {
    parent_ = g.parent;
    if (g.leaves == 1)
      return finish(g.number);
    const auto part = g.leaves / 10;
    left_ = 10;
    for (std::int64_t i = 0; i < 10; ++i)
      system().spawn<node>(clock_, total_).tell(grow{g.number + i * part, part, self()});
  }

  void on(const subtotal& s) {
    sum_ += s.sum;
    if (--left_ == 0)
      finish(sum_);
  }

private:
  void finish(std::int64_t sum) {
    if (parent_) {
      parent_.tell(subtotal{sum});
    } else {
      *total_ = sum;
      clock_->arrive();
    }
    stop();
  }

  stopwatch* clock_;
  std::int64_t* total_;
  troupe::ref<node> parent_;
  std::int64_t sum_ = 0;
  int left_ = 0;
};

void skynet(const run_size& size) {
  stopwatch clock;
  std::int64_t total = 0;
  troupe::system sys{options_for(size)};
  auto root = sys.spawn<node>(&clock, &total);
  settle_down();
  clock.start();
  root.tell(grow{0, static_cast<std::int64_t>(size.n), {}});
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
