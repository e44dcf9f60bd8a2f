// SPDX-License-Identifier: BSD-3-Clause
// Claim: pauses double up to their limit, each between half of that and all, and spread over that range; `reset` begins anew.
// Observed over many draws, and with sources at both ends of the range.
#include <troupe/patterns/growing_pause.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

using namespace std::chrono_literals;
using troupe::growing_pause;

namespace {

/// Gives the same number each time.
class constant final : public troupe::random_source {
public:
  explicit constant(std::uint64_t value) : value_{value} {}
  std::uint64_t next() noexcept override { return value_; }

private:
  const std::uint64_t value_;
};

} // namespace

TEST_CASE("growing_pause: doubles up to its limit, and begins anew after a reset") {
  constant whole{0}, half{std::numeric_limits<std::uint64_t>::max()};
  growing_pause most{2ms, 25ms}, least{2ms, 25ms};
  for (const auto expected : {2ms, 4ms, 8ms, 16ms, 25ms, 25ms, 25ms}) {
    CHECK(most.next(whole) == expected);
    const auto shortest = least.next(half) - std::chrono::nanoseconds{expected} / 2;
    CHECK(shortest >= 0ns);
    CHECK(shortest <= 1ns);
  }
  most.reset();
  CHECK(most.next(whole) == 2ms);
  CHECK(most.next(whole) == 4ms);
}

TEST_CASE("growing_pause: a limit that is as long as time does not overflow") {
  constant whole{0};
  growing_pause pauses{1ns, std::chrono::nanoseconds::max()};
  for (int i = 0; i < 62; ++i)
    CHECK(pauses.next(whole) == std::chrono::nanoseconds{std::int64_t{1} << i});
  for (int i = 0; i < 3; ++i)
    CHECK(pauses.next(whole) > 1h);
}

TEST_CASE("growing_pause: those who begin together do not come back together") {
  const auto random = troupe::seeded_random(7);
  std::vector<std::chrono::nanoseconds> all;
  for (int i = 0; i < 1'000; ++i) {
    growing_pause pauses{100ms, 100ms};
    all.push_back(pauses.next(*random));
  }
  const auto [least, most] = std::ranges::minmax(all);
  CHECK(least >= 50ms);
  CHECK(most <= 100ms);
  for (auto from = 50ms; from < 100ms; from += 10ms) {
    const auto some = std::ranges::count_if(all, [&](auto p) { return p >= from && p < from + 10ms; });
    CHECK(some > 150);
    CHECK(some < 250);
  }
}
