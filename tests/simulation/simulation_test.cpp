// SPDX-License-Identifier: BSD-3-Clause
// Claims: equal seeds give equal runs; faults strike as they are asked to; what must hold is checked; a crash of the
// process keeps what was synced and nothing else. Observed: hashes of runs, and small programs whose runs are known.
#include <troupe/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;

namespace {

struct hop {
  int left;
};

/// Passes a message on to the next one, around a ring.
class runner : public actor<runner, hop, std::monostate> {
public:
  explicit runner(std::shared_ptr<std::vector<ref<runner>>> ring, std::size_t at) : ring_{std::move(ring)}, at_{at} {}
  void on(const hop& h) {
    if (h.left > 0)
      (*ring_)[(at_ + 1 + random().below(3)) % ring_->size()].tell(hop{h.left - 1});
  }
  void on(const std::monostate&) {}

private:
  const std::shared_ptr<std::vector<ref<runner>>> ring_;
  const std::size_t at_;
};

simulation_figures run_ring(const simulation_options& o, int runners, int balls, int hops) {
  simulation sim{o};
  auto ring = std::make_shared<std::vector<ref<runner>>>();
  sim.run([&](troupe::system& sys) {
    auto top = sys.supervise("ring", {.intensity = unlimited, .group_intensity = unlimited, .backoff = {.min = 1ms}});
    ring->clear();
    for (int i = 0; i < runners; ++i)
      ring->push_back(top.start<runner>("r" + std::to_string(i), {.retries = 100}, ring, static_cast<std::size_t>(i)));
    for (int i = 0; i < balls; ++i)
      (*ring)[static_cast<std::size_t>(i % runners)].tell(hop{hops});
  });
  ring->clear();
  return sim.figures();
}

} // namespace

TEST_CASE("simulation: equal seeds give equal runs and other seeds give others") {
  simulation_options o{.seed = 7, .faults = {.crash = 0.01, .preempt = 0.1, .slow = 0.01, .full = 0.001}};
  const auto one = run_ring(o, 10, 5, 200);
  CHECK(one.messages >= 500);
  CHECK(one.faults > 50);
  CHECK(one.restarts > 0);
  for (int i = 0; i < 3; ++i)
    CHECK(run_ring(o, 10, 5, 200).hash == one.hash);
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    o.seed = seed;
    hashes.insert(run_ring(o, 10, 5, 200).hash);
  }
  CHECK(hashes.size() == 20);
}

TEST_CASE("simulation: speed") {
  const auto begin = std::chrono::steady_clock::now();
  const auto f = run_ring({.seed = 3, .turns_max = 100'000'000}, 100, 50, 20'000);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto per_second = static_cast<double>(f.messages) / took.count();
  MESSAGE(per_second << " messages per second");
  CHECK(f.messages > 1'000'000);
}
