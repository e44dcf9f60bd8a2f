// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <ucontext.h>
#include <utility>
#include <vector>

/// Runs small pieces of concurrent code in every order, and with every value that a weak load may return.
///
/// The threads are fibers of one thread. Each operation on an `atomic` below is a step, in front of which another fiber
/// may go on; each load may return any store that the fiber does not know to be overwritten. What a fiber knows is its
/// *view*: for each atomic the youngest store known. A release store carries its fiber's view, an acquire load that reads
/// it takes it over (views as in Kang, Hur, Lahav, Vafeiadis and Dreyer, "A promising semantics for relaxed-memory
/// concurrency", POPL 2017, without promises). Loads in the default order see the youngest store in the default order.
///
/// All executions are visited by depth-first search over the choices, up to two bounds: how often a fiber is interrupted
/// that could go on (Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007), and how many loads return
/// something old. Not covered: loads that return stores of the future, stores that take effect in another order than they
/// are made on one atomic, compare-and-swaps that fail for no reason.
namespace interleaving {

class execution;

/// The youngest store known, by atomic.
class view {
public:
  static constexpr std::size_t atomics_max = 32;

  std::uint16_t operator[](std::size_t atomic) const { return known_[atomic]; }
  void raise(std::size_t atomic, std::size_t to) {
    known_[atomic] = std::max(known_[atomic], static_cast<std::uint16_t>(to));
  }
  void join(const view& other) {
    for (std::size_t i = 0; i < atomics_max; ++i)
      known_[i] = std::max(known_[i], other.known_[i]);
  }

private:
  std::array<std::uint16_t, atomics_max> known_{};
};

struct limits {
  unsigned interruptions = 2;
  unsigned old_values = 1;
  std::uint64_t executions = 20'000'000; ///< more than that is an error
};

/// One run of all fibers, driven by a list of choices.
class execution {
public:
  static execution& current() { return *current_; }

  /// A fiber. `daemon`: it may wait for ever in the end.
  void thread(std::function<void()> body, bool daemon = false) {
    fibers_.push_back(std::make_unique<fiber>());
    fibers_.back()->body = std::move(body);
    fibers_.back()->daemon = daemon;
  }

  // -- within fibers --

  /// A point at which another fiber may go on.
  void step() {
    if (running_ == nullptr)
      return; // the set-up, or the look at the end
    if (interruptions_left_ == 0)
      return;
    able_.assign(1, running_);
    for (auto& f : fibers_)
      if (f.get() != running_ && f->able())
        able_.push_back(f.get());
    const auto next = choose(able_.size());
    if (next == 0)
      return;
    --interruptions_left_;
    switch_to(*able_[next]);
  }

  /// Goes on once `condition` holds, which only other fibers change.
  void wait_until(std::function<bool()> condition) {
    running_->condition = std::move(condition);
    if (!running_->condition())
      leave();
    running_->condition = nullptr;
  }

  view& known() { return running_ != nullptr ? running_->known : set_up_; }

  /// Every fiber passes a full barrier: the caller knows then what each of them knew, and they know what the caller did.
  void barrier_everywhere() {
    step();
    const auto before = known();
    for (auto& f : fibers_) {
      known().join(f->known);
      f->known.join(before);
    }
  }

  /// How many stores a load goes back, of `most`.
  std::size_t old_value(std::size_t most) {
    if (running_ == nullptr || most == 0 || old_values_left_ == 0)
      return 0;
    const auto back = choose(most + 1);
    if (back != 0)
      --old_values_left_;
    return back;
  }

  std::size_t add_atomic() {
    if (atomics_ == view::atomics_max)
      throw std::length_error{"more atomics than a view holds"};
    return atomics_++;
  }

private:
  template <class Setup>
  friend std::uint64_t explore(limits, Setup);

  struct fiber {
    std::function<void()> body;
    std::function<bool()> condition; // it waits for this
    bool daemon = false;
    bool ended = false;
    view known;
    ucontext_t context{};
    bool able() const { return !ended && (!condition || condition()); }
  };

  struct choice {
    std::size_t taken;
    std::size_t of;
  };

  static constexpr std::size_t stack_bytes = 128 * 1024;

  execution(std::vector<choice>& script, limits bounds, std::vector<std::unique_ptr<std::byte[]>>& stacks)
      : script_{script}, interruptions_left_{bounds.interruptions}, old_values_left_{bounds.old_values}, stacks_{
                                                                                                             stacks} {}

  std::size_t choose(std::size_t of) {
    if (of == 1)
      return 0;
    if (position_ == script_.size())
      script_.push_back({0, of});
    if (script_[position_].of != of)
      throw std::logic_error{"an execution does not repeat itself"};
    return script_[position_++].taken;
  }

  static void start() {
    auto& x = *current_;
    try {
      x.running_->body();
    } catch (...) {
      x.failure_ = std::current_exception();
    }
    x.running_->ended = true;
    x.leave();
  }

  /// Back to `run`, which picks another.
  void leave() { swapcontext(&running_->context, &home_); }

  void switch_to(fiber& next) {
    auto& before = *running_;
    running_ = &next;
    swapcontext(&before.context, &next.context);
  }

  /// Runs all fibers to their ends. Returns whether those that are no daemons have ended.
  bool run() {
    while (stacks_.size() < fibers_.size())
      stacks_.push_back(std::make_unique<std::byte[]>(stack_bytes));
    for (std::size_t i = 0; i < fibers_.size(); ++i) {
      auto& f = *fibers_[i];
      f.known = set_up_;
      getcontext(&f.context);
      f.context.uc_stack.ss_sp = stacks_[i].get();
      f.context.uc_stack.ss_size = stack_bytes;
      f.context.uc_link = nullptr;
      makecontext(&f.context, &execution::start, 0);
    }
    for (;;) {
      able_.clear();
      for (auto& f : fibers_)
        if (f->able())
          able_.push_back(f.get());
      if (able_.empty())
        break;
      running_ = able_[choose(able_.size())];
      swapcontext(&home_, &running_->context);
      if (failure_) {
        running_ = nullptr;
        std::rethrow_exception(failure_);
      }
    }
    running_ = nullptr;
    bool all_ended = true;
    for (auto& f : fibers_) {
      set_up_.join(f->known); // who looks at the end knows everything
      all_ended = all_ended && (f->ended || f->daemon);
    }
    return all_ended;
  }

  static inline execution* current_ = nullptr;

  std::vector<choice>& script_;
  std::size_t position_ = 0;
  unsigned interruptions_left_;
  unsigned old_values_left_;
  std::vector<std::unique_ptr<std::byte[]>>& stacks_;
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::vector<fiber*> able_; // who may go on now
  fiber* running_ = nullptr;
  ucontext_t home_{};
  view set_up_;
  std::size_t atomics_ = 0;
  std::exception_ptr failure_;
};

/// Stands in for std::atomic; with `Steps` false for plain memory, which is no place for another fiber to go on: a load
/// that may return something old is a race.
template <class T, bool Steps = true>
class atomic {
public:
  atomic() : atomic{T{}} {}
  atomic(T value) : id_{execution::current().add_atomic()} {
    stores_.reserve(8);
    stores_.push_back({value, {}});
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const {
    auto& x = execution::current();
    step();
    if (order == std::memory_order_seq_cst)
      x.known().raise(id_, last_default_);
    const auto youngest = stores_.size() - 1;
    const auto read = youngest - x.old_value(youngest - x.known()[id_]);
    return take_over(read, order);
  }

  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    step();
    put(value, order, {});
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T) { return value; });
  }
  T fetch_or(T bits, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T before) { return before | bits; });
  }
  T fetch_and(T bits, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T before) { return before & bits; });
  }

  T fetch_add(T by, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T before) { return static_cast<T>(before + by); });
  }
  T fetch_sub(T by, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T before) { return static_cast<T>(before - by); });
  }

  bool compare_exchange_strong(T& expected, T value, std::memory_order order) {
    const bool loads = order != std::memory_order_release && order != std::memory_order_acq_rel;
    const auto failure = loads                                ? order
                         : order == std::memory_order_acq_rel ? std::memory_order_acquire
                                                              : std::memory_order_relaxed;
    return compare_exchange_strong(expected, value, order, failure);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order order, std::memory_order failure) {
    step();
    const auto youngest = stores_.size() - 1;
    if (stores_[youngest].value != expected) {
      expected = take_over(youngest, failure);
      return false;
    }
    (void)take_over(youngest, order);
    put(value, order, stores_[youngest].released);
    return true;
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order order, std::memory_order failure) {
    return compare_exchange_strong(expected, value, order, failure);
  }

private:
  struct entry {
    T value;
    view released;
  };

  static void step() {
    if constexpr (Steps)
      execution::current().step();
  }

  static bool acquires(std::memory_order o) { return o != std::memory_order_relaxed && o != std::memory_order_release; }
  static bool releases(std::memory_order o) {
    return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
  }

  T take_over(std::size_t read, std::memory_order order) const {
    auto& known = execution::current().known();
    known.raise(id_, read);
    if (acquires(order))
      known.join(stores_[read].released);
    return stores_[read].value;
  }

  /// `carried`: what a read-modify-write passes on from the store that it read (its release sequence).
  void put(T value, std::memory_order order, view carried) {
    auto& known = execution::current().known();
    known.raise(id_, stores_.size());
    if (order == std::memory_order_seq_cst)
      last_default_ = stores_.size();
    if (releases(order))
      carried.join(known);
    stores_.push_back({value, std::move(carried)});
  }

  template <class Change>
  T modify(std::memory_order order, Change change) {
    step();
    const auto youngest = stores_.size() - 1;
    const auto before = take_over(youngest, order);
    put(change(before), order, stores_[youngest].released);
    return before;
  }

  const std::size_t id_;
  std::vector<entry> stores_;
  std::size_t last_default_ = 0;
};

/// Visits every execution within `bounds`. `setup` is called for each, adds the threads, and returns what looks at the
/// end: a function of whether all threads that are no daemons ended. Returns the number of executions. Throws what a
/// thread or the look throws.
template <class Setup>
std::uint64_t explore(limits bounds, Setup setup) {
  std::vector<execution::choice> script;
  std::vector<std::unique_ptr<std::byte[]>> stacks;
  for (std::uint64_t n = 1;; ++n) {
    if (n > bounds.executions)
      throw std::runtime_error{"more than " + std::to_string(bounds.executions) + " executions"};
    execution x{script, bounds, stacks};
    execution::current_ = &x;
    {
      auto look = setup(x);
      const bool ended = x.run();
      look(ended);
    }
    execution::current_ = nullptr;
    while (!script.empty() && script.back().taken + 1 == script.back().of)
      script.pop_back();
    if (script.empty())
      return n;
    ++script.back().taken;
  }
}

} // namespace interleaving
