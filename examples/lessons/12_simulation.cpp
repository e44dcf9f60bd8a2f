// SPDX-License-Identifier: BSD-3-Clause
// Shows: whole-system simulation. A shop that checks and then acts oversells in some orders of messages; the simulation finds one,
// makes it small, and shows how it comes about. The corrected shop stands every order there is.
//
// Run:   build/release/bin/12_simulation (status 1 if an expectation fails)
//
// Output:
//   found: stock is never negative, with 1 choice out of order
//   shelf sold 2 of 1
//   corrected: every order holds

#include <troupe/testing/explore.hpp>

#include <cstdio>
#include <cstdlib>

// [snippet actors]
struct available {
  using reply = int;
};
struct sell {
  using reply = bool;
};

class shelf : public troupe::actor<shelf, available, sell> {
public:
  shelf(bool checks, int* stock) : checks_{checks}, stock_{stock} {}
  int on(const available&) const { return *stock_; }
  bool on(const sell&) {
    if (checks_ && *stock_ == 0)
      return false;
    --*stock_;
    return true;
  }

private:
  const bool checks_;
  int* const stock_;
};

struct buy {};

class customer : public troupe::actor<customer, buy> {
public:
  explicit customer(troupe::ref<shelf> from) : shelf_{std::move(from)} {}
  troupe::task<> on(const buy&) {
    const int left = co_await shelf_.ask(available{});
    if (left > 0) // somebody else may buy before the next line is done
      (void)co_await shelf_.ask(sell{});
  }

private:
  const troupe::ref<shelf> shelf_;
};
// [end]

namespace {

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "expected: %s\n", what);
    std::exit(1);
  }
}

// [snippet program]
/// One run, from its beginning: what must hold, and who takes part.
troupe::simulated_program shop(bool checks, int* stock) {
  return [=](troupe::simulation& sim) {
    *stock = 1;
    sim.invariant("stock is never negative", [=] { return *stock >= 0; });
    sim.run([=](troupe::system& sys) {
      const auto s = sys.spawn<shelf>(checks, stock);
      const auto second = sys.spawn<customer>(s);
      const auto first = sys.spawn<customer>(s);
      first.tell(buy{});
      sys.step();
      sys.step(); // the first one is told that there is one left, and then the second one comes
      second.tell(buy{});
    });
  };
}
// [end]

} // namespace

int main() {
  int stock = 0;
  // [snippet explore]
  const auto seeds =
      troupe::explore({.name = "shop", .seeds = 1'000, .faults = {.crash = 0.01, .preempt = 0.1}}, shop(false, &stock));
  expect(seeds.found.has_value(), "a finding");
  std::fprintf(stderr, "%s", seeds.found->text().c_str());
  // [end]
  std::printf("found: %s, with %zu choice out of order\n", seeds.found->rule.c_str(),
              seeds.found->smallest.choices.size());
  std::printf("shelf sold %d of 1\n", 1 - stock);

  // [snippet exhaustive]
  const auto all = troupe::explore({.seeds = 100'000, .exhaustive = true}, shop(true, &stock));
  expect(!all.found && all.complete, "every order holds");
  // [end]
  std::printf("corrected: every order holds\n");
}
