// SPDX-License-Identifier: BSD-3-Clause
// Claim: time and randomness of actors come from the system's seams and from nowhere else.
// Observed by replacing them.
#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace std::chrono_literals;
using support::stepped;

namespace {

struct read_time {
  using reply = troupe::time_point;
};
struct draw {
  using reply = std::uint64_t;
};

class reader : public troupe::actor<reader, read_time, draw> {
public:
  troupe::time_point on(const read_time&) const { return now(); }
  std::uint64_t on(const draw&) const { return random().next(); }
};

class counting_random final : public troupe::random_source {
public:
  std::uint64_t next() noexcept override { return ++drawn; }
  std::uint64_t drawn = 0;
};

} // namespace

TEST_CASE("seam: an actor's time is the system's clock") {
  troupe::system sys{stepped()};
  auto a = sys.spawn<reader>();
  CHECK(a.ask(read_time{}).get() == troupe::time_point{});
  sys.advance(1'234ms);
  CHECK(a.ask(read_time{}).get() == troupe::time_point{1'234ms});
  CHECK(sys.now() == troupe::time_point{1'234ms});
}

TEST_CASE("seam: an actor's random numbers are the system's source") {
  auto options = stepped();
  auto source = std::make_shared<counting_random>();
  options.through.random = source;
  troupe::system sys{options};
  auto a = sys.spawn<reader>();
  const auto before = source->drawn;
  CHECK(a.ask(draw{}).get() == before + 1);
  CHECK(a.ask(draw{}).get() == before + 2);
  CHECK(sys.through().random == source);
}

TEST_CASE("seam: equal seeds draw equal numbers") {
  const auto numbers = [](std::uint64_t seed) {
    troupe::system sys{stepped(seed)};
    auto a = sys.spawn<reader>();
    std::vector<std::uint64_t> result;
    for (int i = 0; i < 10; ++i)
      result.push_back(a.ask(draw{}).get());
    return result;
  };
  CHECK(numbers(7) == numbers(7));
  CHECK(numbers(7) != numbers(8));
}
