// SPDX-License-Identifier: BSD-3-Clause
// Claim: within the bounds that each case states, no order of steps and no value that a weak load may return breaks the
// mailbox, the control lane, the run queue or the slots for partners. The headers are those of the runtime, compiled with another `atomic`.
// Observed: every execution (see explorer.hpp). What is plain memory in the runtime is watched by a relaxed atomic of the
// test beside it: if the code does not order the accesses, some execution reads what was there before.
// The first cases show that the explorer finds what it is for.
#include "interleaving/explorer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <typeinfo>

// From here on `std::atomic` is the explorer's.
namespace std { // NOLINT(cert-dcl58-cpp)
template <class T>
using explored = interleaving::atomic<T>;
}
#define atomic explored
#include <troupe/engine/partner_slot.hpp>
#include <troupe/engine/run_queue.hpp>
#include <troupe/mailbox/control_lane.hpp>
#include <troupe/mailbox/mailbox.hpp>
#undef atomic

using interleaving::execution;
using interleaving::explore;
using interleaving::limits;
using troupe::detail::control_lane;
using troupe::detail::control_message;
using troupe::detail::envelope;
using troupe::detail::mailbox;
using troupe::detail::push_result;
using troupe::engine::partner_slot;
using troupe::engine::run_queue;
using troupe::engine::run_result;
using troupe::engine::runnable;

namespace {

template <class T>
using shared = interleaving::atomic<T>;
/// Stands beside plain memory of the runtime. Accessed relaxed.
template <class T>
using plain = interleaving::atomic<T, false>;

constexpr auto relaxed = std::memory_order_relaxed;

/// Millions of these: faster than REQUIRE.
void demand(bool holds, const char* what) {
  if (!holds)
    throw std::logic_error{what};
}

/// Whether some execution comes to a bad end.
template <class Setup>
bool some_execution(Setup setup, limits bounds = {}) {
  bool found = false;
  explore(bounds, [&](execution& x) { return setup(x, found); });
  return found;
}

} // namespace

// -- the explorer -----------------------------------------------------------------------------------------------------

TEST_CASE("interleaving: the explorer finds a message that is read before it was written, unless release and acquire") {
  const auto breaks = [](std::memory_order store, std::memory_order load) {
    return some_execution([=](execution& x, bool& found) {
      auto data = std::make_shared<shared<int>>(0);
      auto flag = std::make_shared<shared<int>>(0);
      x.thread([=] {
        data->store(1, relaxed);
        flag->store(1, store);
      });
      x.thread([=, &found] {
        if (flag->load(load) == 1 && data->load(relaxed) == 0)
          found = true;
      });
      return [](bool) {};
    });
  };
  CHECK(breaks(relaxed, relaxed));
  CHECK(breaks(std::memory_order_release, relaxed));
  CHECK(breaks(relaxed, std::memory_order_acquire));
  CHECK_FALSE(breaks(std::memory_order_release, std::memory_order_acquire));
}

TEST_CASE("interleaving: the explorer finds that two threads overlook each other, unless in the default order") {
  const auto breaks = [](std::memory_order store, std::memory_order load) {
    return some_execution(
        [=](execution& x, bool& found) {
          auto a = std::make_shared<shared<int>>(0);
          auto b = std::make_shared<shared<int>>(0);
          auto blind = std::make_shared<int>(0);
          x.thread([=] {
            a->store(1, store);
            *blind += b->load(load) == 0;
          });
          x.thread([=] {
            b->store(1, store);
            *blind += a->load(load) == 0;
          });
          return [=, &found](bool) { found = found || *blind == 2; };
        },
        {.interruptions = 2, .old_values = 2});
  };
  CHECK(breaks(std::memory_order_release, std::memory_order_acquire));
  CHECK_FALSE(breaks(std::memory_order_seq_cst, std::memory_order_seq_cst));
}

TEST_CASE("interleaving: the explorer finds a lost update, unless it is one step") {
  const auto breaks = [](bool one_step) {
    return some_execution([=](execution& x, bool& found) {
      auto count = std::make_shared<shared<int>>(0);
      for (int i = 0; i < 2; ++i)
        x.thread([=] {
          auto seen = count->load(relaxed);
          if (!one_step)
            count->store(seen + 1, relaxed);
          else
            while (!count->compare_exchange_weak(seen, seen + 1, relaxed, relaxed)) {
            }
        });
      return [=, &found](bool) { found = found || count->load() != 2; };
    });
  };
  CHECK(breaks(false));
  CHECK_FALSE(breaks(true));
}

// -- the mailbox ------------------------------------------------------------------------------------------------------

namespace {

/// An envelope with a number, and beside it what stands for its plain memory.
struct letter {
  alignas(64) envelope e{};
  plain<int> body{0};
};

/// One receiver, which several workers run in turn, and what reaches it.
struct post {
  mailbox box;
  control_lane lane;
  std::array<letter, 4> letters{}; // letter i is message i % 2 of sender i / 2
  plain<int> state{0};             // the receiver's: how many turns there were

  // -- plain: one fiber at a time touches them, whatever it knows --
  int scheduled = 0;
  interleaving::view passed_on; // what the scheduler's queue publishes
  int holders = 0;
  int turns = 0;
  std::array<int, 2> last{-1, -1};
  int accepted = 0;
  int refused = 0;
  int handled = 0;
  int controls = 0;

  void schedule() {
    demand(++holders == 1, "++holders == 1");
    passed_on = execution::current().known();
    ++scheduled;
  }

  void send(int index, std::uint32_t capacity) {
    auto& l = letters[static_cast<std::size_t>(index)];
    l.e.deadline = index;
    l.body.store(index + 1, relaxed);
    switch (box.push(&l.e, capacity)) {
      case push_result::queued: ++accepted; break;
      case push_result::queued_and_wake:
        ++accepted;
        schedule();
        break;
      default: ++refused;
    }
  }

  void send_control(control_message& m) {
    if (lane.push(&m) == troupe::detail::lane_push::first && box.attend())
      schedule();
  }

  /// One worker: takes turns of the receiver for ever. With `blocks_for` it serves no message before that many control
  /// messages.
  void work(int blocks_for) {
    for (;;) {
      execution::current().wait_until([this] { return scheduled > 0; });
      --scheduled;
      execution::current().known().join(passed_on);
      demand(state.load(relaxed) == turns, "state.load(relaxed) == turns"); // sees what the last turn wrote
      state.store(++turns, relaxed);
      turn(blocks_for);
    }
  }

  void turn(int blocks_for) {
    for (;;) {
      if (box.take_attention())
        for (auto* m = lane.take(); m != nullptr; m = m->next_control)
          ++controls;
      if (controls < blocks_for) {
        --holders;
        if (box.block())
          return;
        ++holders;
        continue;
      }
      if (auto* e = box.pop()) {
        const auto index = static_cast<int>(e->deadline);
        demand(letters[static_cast<std::size_t>(index)].body.load(relaxed) == index + 1,
               "letters[static_cast<std::size_t>(index)].body.load(relaxed) == index + 1");
        auto& before = last[static_cast<std::size_t>(index / 2)];
        demand(index > before, "index > before"); // the sender's order
        before = index;
        ++handled;
        continue;
      }
      --holders;
      if (box.rest())
        return;
      ++holders;
    }
  }

  /// Everything has come to rest: nothing may be left.
  void check(int sent, int sent_controls) {
    demand(scheduled == 0, "scheduled == 0");
    demand(holders == 0, "holders == 0");
    demand(accepted + refused == sent, "accepted + refused == sent");
    demand(handled == accepted, "handled == accepted");
    demand(controls == sent_controls, "controls == sent_controls");
    demand(box.depth() == 0, "box.depth() == 0");
    demand(!box.take_attention(), "!box.take_attention()");
  }
};

struct signal final : control_message {
  void deliver(troupe::detail::cell&) noexcept override {}
  void refuse(troupe::detail::cell&) noexcept override {}
};

/// All executions of `first` messages by one sender, `second` by another, `controls` control messages, two workers.
std::uint64_t explore_mailbox(int first, int second, int controls, bool blocks, std::uint32_t capacity, limits bounds) {
  return explore(bounds, [=](execution& x) {
    auto p = std::make_shared<post>();
    p->holders = 1; // a new mailbox is busy
    if (!p->box.rest())
      throw std::logic_error{"a new mailbox is empty"};
    p->holders = 0;
    auto signals = std::make_shared<std::array<signal, 2>>();
    const int wanted = blocks ? controls : 0;
    x.thread([=] {
      for (int i = 0; i < first; ++i)
        p->send(i, capacity);
    });
    if (second > 0)
      x.thread([=] {
        for (int i = 0; i < second; ++i)
          p->send(2 + i, capacity);
      });
    for (int i = 0; i < controls; ++i)
      x.thread([=] { p->send_control((*signals)[static_cast<std::size_t>(i)]); });
    x.thread([=] { p->work(wanted); }, true);
    x.thread([=] { p->work(wanted); }, true);
    return [=](bool ended) {
      demand(ended, "ended");
      p->check(first + second, controls);
    };
  });
}

} // namespace

TEST_CASE("interleaving: two senders and a receiver that rests lose nothing") {
  const auto n = explore_mailbox(2, 1, 0, false, 4, {.interruptions = 2, .old_values = 1});
  MESSAGE(n << " executions");
}

TEST_CASE("interleaving: a sender is refused or served whatever it knows of the depth") {
  const auto n = explore_mailbox(2, 1, 0, false, 1, {.interruptions = 2, .old_values = 1});
  MESSAGE(n << " executions");
}

TEST_CASE("interleaving: messages and control messages both wake the receiver") {
  const auto n = explore_mailbox(2, 0, 1, false, 4, {.interruptions = 2, .old_values = 1});
  MESSAGE(n << " executions");
}

TEST_CASE("interleaving: a blocked receiver wakes by control messages alone and then serves the rest") {
  const auto n = explore_mailbox(2, 0, 1, true, 4, {.interruptions = 2, .old_values = 1});
  MESSAGE(n << " executions");
}

// -- the run queue ----------------------------------------------------------------------------------------------------

namespace {

struct item final : runnable {
  run_result run() noexcept override { return run_result::idle; }
  plain<int> body{0}; // stands for its plain memory
  int taken = 0;
};

template <unsigned Capacity>
std::uint64_t explore_run_queue(int items, int looks, limits bounds) {
  struct ring {
    run_queue<Capacity> owner;
    run_queue<Capacity> thief;
    std::array<item, 6> items;
    std::array<runnable*, 6> elsewhere{};

    void take(runnable* r) {
      auto& i = static_cast<item&>(*r);
      demand(i.body.load(relaxed) == 1, "i.body.load(relaxed) == 1"); // sees what the owner wrote before the push
      demand(++i.taken == 1, "++i.taken == 1");
    }
  };
  return explore(bounds, [=](execution& x) {
    auto r = std::make_shared<ring>();
    x.thread([=] {
      for (int i = 0; i < items; ++i) {
        auto& next = r->items[static_cast<std::size_t>(i)];
        next.body.store(1, relaxed);
        while (!r->owner.push(next)) {
          std::array<runnable*, Capacity / 2> half{};
          for (unsigned k = r->owner.take_half(half); k > 0; --k)
            r->take(half[k - 1]);
        }
      }
      while (auto* mine = r->owner.pop())
        r->take(mine);
    });
    x.thread([=] {
      for (int i = 0; i < looks; ++i)
        if (auto* stolen = r->thief.steal_from(r->owner))
          r->take(stolen);
      while (auto* mine = r->thief.pop())
        r->take(mine);
    });
    x.thread([=] {
      for (int i = 0; i < looks; ++i) {
        if (auto* stolen = r->owner.pop())
          r->take(stolen);
        if (auto* stolen = r->thief.pop())
          r->take(stolen);
      }
    });
    return [=](bool ended) {
      demand(ended, "ended");
      for (int i = 0; i < items; ++i)
        demand(r->items[static_cast<std::size_t>(i)].taken == 1, "r->items[static_cast<std::size_t>(i)].taken == 1");
    };
  });
}

} // namespace

TEST_CASE("interleaving: a run queue of two gives each runnable to one taker") {
  const auto n = explore_run_queue<2>(4, 1, {.interruptions = 2, .old_values = 1});
  MESSAGE(n << " executions");
}

TEST_CASE("interleaving: a run queue of four gives each runnable to one taker when half of it is stolen") {
  const auto n = explore_run_queue<4>(5, 1, {.interruptions = 2, .old_values = 1});
  MESSAGE(n << " executions");
}

// -- the slot for a partner -------------------------------------------------------------------------------------------

namespace {

struct explored_barrier {
  static void everywhere() { execution::current().barrier_everywhere(); }
};

struct no_barrier {
  static void everywhere() {}
};

/// Its worker puts `items` in, one after the other, and takes each unless the watch was first; `watches` raid it `looks`
/// times each, and work on what they find. With `second`, the worker puts each in while the one before may be there.
template <class Barrier>
std::uint64_t explore_slot(bool barriers, int items, int watches, int looks, bool second, limits bounds) {
  struct place {
    explicit place(bool b) : slot{b} {}
    partner_slot<Barrier> slot;
    std::array<item, 4> items;

    void run(runnable* r) {
      if (r == nullptr)
        return;
      auto& i = static_cast<item&>(*r);
      demand(i.body.load(relaxed) == 1, "who runs it sees what its submitter wrote");
      demand(++i.taken == 1, "it runs once");
    }
  };
  return explore(bounds, [=](execution& x) {
    auto p = std::make_shared<place>(barriers);
    x.thread([=] {
      for (int i = 0; i < items; ++i) {
        auto& next = p->items[static_cast<std::size_t>(i)];
        next.body.store(1, relaxed);
        if (second) {
          p->run(p->slot.put_instead(next));
        } else {
          p->slot.put(next);
          p->run(p->slot.take());
        }
      }
      p->run(p->slot.take());
    });
    for (int w = 0; w < watches; ++w)
      x.thread([=] {
        for (int i = 0; i < looks; ++i)
          p->run(p->slot.raid());
      });
    return [=](bool ended) {
      demand(ended, "ended");
      for (int i = 0; i < items; ++i)
        demand(p->items[static_cast<std::size_t>(i)].taken == 1, "nothing stays behind");
    };
  });
}

} // namespace

TEST_CASE("interleaving: a partner's slot gives each runnable to its worker or to the watch") {
  const auto n = explore_slot<explored_barrier>(true, 2, 1, 2, false, {.interruptions = 3, .old_values = 2});
  const auto second = explore_slot<explored_barrier>(true, 3, 1, 2, true, {.interruptions = 2, .old_values = 2});
  const auto without = explore_slot<no_barrier>(false, 2, 1, 2, false, {.interruptions = 3, .old_values = 2});
  MESSAGE(n << ", " << second << " and " << without << " executions");
}

TEST_CASE("interleaving: a partner's slot does so while two raid it, one of which is no longer on watch") {
  const auto n = explore_slot<explored_barrier>(true, 2, 2, 1, false, {.interruptions = 2, .old_values = 2});
  MESSAGE(n << " executions");
}

TEST_CASE("interleaving: the explorer finds that a partner's slot needs the barrier of all threads") {
  CHECK_THROWS_WITH(explore_slot<no_barrier>(true, 2, 1, 2, false, {.interruptions = 3, .old_values = 2}),
                    "it runs once");
}
