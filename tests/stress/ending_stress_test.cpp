// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor that nobody else keeps may end at the very moment at which its timers go off; each goes at most once,
// nobody touches the actor afterwards, and all is accounted for.
// Observed: how many began and ended, the system's books; a sanitizer sees the rest.
#include <troupe/system.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct begin {
  std::uint64_t seed;
};
struct rung {};

std::atomic<std::uint64_t> ended{0};
std::atomic<std::uint64_t> ticks{0};

class short_lived : public actor<short_lived, begin, rung> {
public:
  ~short_lived() { ended.fetch_add(1, std::memory_order_relaxed); }

  void on(const begin& b) {
    std::minstd_rand draw{static_cast<std::uint_fast32_t>(b.seed)};
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{draw() % 400};
    after("first", std::chrono::microseconds{draw() % 400}, rung{});
    after("second", std::chrono::microseconds{draw() % 400}, rung{});
    while (std::chrono::steady_clock::now() < until) {
    }
    stop();
  }
  void on(const rung&) { ticks.fetch_add(1, std::memory_order_relaxed); }
};

} // namespace

TEST_CASE("ending stress: an actor ends while its timers go off") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr std::uint64_t actors = 1'000;
#else
  constexpr std::uint64_t actors = 10'000;
#endif
  ended = ticks = 0;
  troupe::system sys{system_options{.workers = 2}};
  for (std::uint64_t i = 0; i < actors; ++i)
    sys.spawn<short_lived>().tell(begin{i + 1});
  const auto report = sys.shutdown();
  CHECK(report.complete);
  CHECK(ended == actors);
  CHECK(report.unaccounted == 0);
  CHECK(report.books.balanced());
  CHECK(report.books.accepted == report.books.handled + report.books.dropped);
  CHECK(ticks <= 2 * actors);
}
