// SPDX-License-Identifier: BSD-3-Clause
// Claim: a stage's barrier is complete when it has come on all inputs that have not ended, and all before it is done with.
// Observed: on the inlet of a stage, batch by batch.
#include <troupe/actor.hpp>
#include <troupe/pipeline/chain.hpp>
#include <troupe/pipeline/inlet.hpp>
#include <troupe/pipeline/outlet.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

using namespace troupe;
namespace pl = troupe::pipeline;

namespace {

class producer : public actor<producer, pl::demand> {
public:
  void on(const pl::demand&) {}
};

/// An inlet with two inputs, whose batches are worked through in two halves.
struct two_inputs {
  two_inputs() {
    const auto from = sys.spawn<producer>();
    for (int i = 0; i < 2; ++i)
      in.add_link(from, 0, 0, {.max = 4, .min = 2});
    in.open();
  }

  void begin(pl::batch<int> b) {
    in.accept(b);
    REQUIRE(in.select(steps, 1));
    in.close(steps, out);
  }
  void pass(pl::batch<int> b) {
    begin(b);
    in.pop();
  }

  troupe::system sys{support::stepped()};
  pl::inlet<int> in;
  pl::chain<> steps;
  pl::outlet<pl::nothing> out{1};
};

} // namespace

TEST_CASE("inlet: a barrier that comes with the end of its input stands for no other one") {
  two_inputs t;
  t.pass({.input = 0, .end = true, .barrier = 1});
  CHECK(t.in.barrier() == 0);
  t.pass({.input = 1});
  CHECK(t.in.barrier() == 0);
  t.pass({.input = 1, .sequence = 1, .barrier = 1});
  CHECK(t.in.barrier() == 1);
}

TEST_CASE("inlet: no barrier is complete while the last batch before it is at work") {
  two_inputs t;
  t.pass({.input = 1, .barrier = 1});
  CHECK(t.in.barrier() == 0);
  t.begin({.input = 0, .end = true}); // and fails then
  CHECK(t.in.barrier() == 0);
  t.in.close(t.steps, t.out);
  t.in.pop();
  CHECK(t.in.barrier() == 1);
}
