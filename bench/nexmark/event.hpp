// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <cstdint>
#include <string_view>

/// The model of Nexmark (Tucker, Tufte, Papadimos, Maier 2008; C.1 and C.2 of its generators): an auction house in which
/// persons register, open auctions and bid.

namespace nexmark {

/// Texts point into what the events were read or made from, which outlives them. Money is in cents, times in milliseconds
/// since 1970.
struct person {
  std::int64_t id;
  std::string_view name;
  std::string_view city;
  std::string_view state;
};

struct auction {
  std::int64_t id;
  std::int64_t seller;
  std::int64_t category;
  std::int64_t expires;
};

struct bid {
  std::int64_t auction;
  std::int64_t bidder;
  std::int64_t price;
  std::string_view channel;
  std::string_view url;
};

struct event {
  enum class kind : std::uint8_t { person, auction, bid };

  std::int64_t time;
  /// Its place in the order in which events happened: of two with the same time, which came first.
  std::uint32_t sequence;
  kind what;
  union {
    nexmark::person person;
    nexmark::auction auction;
    nexmark::bid bid;
  };
};

/// Milliseconds as event time.
constexpr troupe::pipeline::event_time at_ms(std::int64_t ms) noexcept {
  return troupe::pipeline::event_time{std::chrono::milliseconds{ms}};
}
constexpr std::int64_t in_ms(troupe::pipeline::event_time t) noexcept { return t.time_since_epoch().count() / 1'000; }

} // namespace nexmark
