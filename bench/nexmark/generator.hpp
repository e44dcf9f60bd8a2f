// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bench/nexmark/event.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nexmark {

/// Makes Nexmark's events: of 50, 1 person, 3 auctions, 46 bids, with its hot keys and prices, 1,000 events per second of event
/// time. Each event depends on the seed and its number alone, so any of them can be made at any time, without a memory that
/// grows.
class generator {
public:
  explicit generator(std::uint64_t seed);

  /// Event number `n` in order. Its texts live as long as any copy of the generator.
  event make(std::uint64_t n) const;

  /// Event number `n` as a line of a file of events.
  std::string line(std::uint64_t n) const;
  static std::string header();

  static constexpr std::int64_t base_time = 1'436'918'400'000;

private:
  struct texts;
  std::uint64_t seed_;
  std::shared_ptr<const texts> texts_;
};

/// The first `count` events, as a source reads them: in order, or disordered in groups of `group`.
class generated_events {
public:
  using value_type = event;
  generated_events(generator g, std::uint64_t count, std::uint64_t group = 1)
      : generator_{std::move(g)}, count_{count}, group_{group} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    for (; n > 0 && at_ < padded(); ++at_) {
      const auto place = at_ / group_ * group_ + at_ * 953 % group_;
      if (place >= count_)
        continue;
      emit(generator_.make(place));
      --n;
    }
    return at_ < padded();
  }

private:
  std::uint64_t padded() const noexcept { return (count_ + group_ - 1) / group_ * group_; }

  generator generator_;
  std::uint64_t count_;
  std::uint64_t group_;
  std::uint64_t at_ = 0;
};

} // namespace nexmark
