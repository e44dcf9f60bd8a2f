// SPDX-License-Identifier: BSD-3-Clause
// Queries over windows of event time: hot items, highest bids, sessions, bids per bidder.
#include <bench/nexmark/plans.hpp>

namespace nexmark::plans {

namespace pl = troupe::pipeline;
using namespace std::chrono_literals;

namespace {

struct bid_of {
  std::int64_t key; // auction or bidder
  std::int64_t ms;
  pl::event_time time() const noexcept { return at_ms(ms); }
};

/// An auction of those with the most bids in a window.
struct hot_item {
  std::int64_t auction;
  std::int64_t bids;
  pl::window window;
  pl::event_time time() const noexcept { return window.end - pl::event_duration{1}; }
};

struct full_bid {
  std::int64_t auction;
  std::int64_t bidder;
  std::int64_t price;
  std::int64_t ms;
  pl::event_time time() const noexcept { return at_ms(ms); }
};

/// `build(stream of bids by bidder)`.
template <class Build>
plan over_bidders(const feed& from, Build&& build) {
  return over(from, [&](const auto& events) {
    const auto bids = events.filter(is_bid).map([](const event& e) { return bid_of{e.bid.bidder, e.time}; });
    return by_key(from, bids, &bid_of::key, build);
  });
}

} // namespace

plan q5(const feed& from, target to) {
  // Each partition says its own hottest items of a window; the hottest of these are the answer.
  const auto hottest = [](const pl::window& w, const auto& auctions, auto& emit) {
    std::uint64_t most = 0;
    auctions.for_each([&](std::int64_t, const pl::count& c) { most = std::max(most, c.n); });
    auctions.for_each([&](std::int64_t auction, const pl::count& c) {
      if (c.n == most)
        emit(hot_item{auction, static_cast<std::int64_t>(c.n), w});
    });
  };
  return over(from, [&](const auto& events) {
    const auto bids = events.filter(is_bid).map([](const event& e) { return bid_of{e.bid.auction, e.time}; });
    return by_key(from, bids, &bid_of::key, [&](const auto& by_auction) {
      return by_auction.template whole_window<hot_item>(pl::sliding{10s, 2s}, pl::count{}, hottest)
          .together()
          .window(pl::tumbling{2s}, pl::greatest<hot_item>(&hot_item::bids))
          .flat_map([](const auto& w) { return w.value; })
          .map([](const hot_item& h) {
            return std::tuple{in_ms(h.window.start), h.auction, h.bids};
          })
          .end(answer_sink{to});
    });
  });
}

plan q7(const feed& from, target to) {
  // There is one source, and less to do about a bid than to hand it on: so its own stage keeps the highest of each window.
  return over(from, [&](const auto& events) {
    return events.filter(is_bid)
        .map([](const event& e) {
          return full_bid{e.bid.auction, e.bid.bidder, e.bid.price, e.time};
        })
        .keyed([](const full_bid&) { return pl::no_key{}; })
        .window(pl::tumbling{10s}, pl::greatest<full_bid>(&full_bid::price))
        .flat_map([](const auto& w) {
          std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>> rows;
          for (const auto& b : w.value)
            rows.emplace_back(in_ms(w.window.start), b.auction, b.bidder, b.price, b.ms);
          return rows;
        })
        .end(answer_sink{to});
  });
}

plan q11(const feed& from, target to) {
  return over_bidders(from, [&](const auto& bids) {
    return bids.window(pl::session{10s}, pl::count{})
        .map([](const auto& w) {
          return std::tuple{w.key, in_ms(w.window.start), in_ms(w.window.end), w.value};
        })
        .end(answer_sink{to});
  });
}

plan q12e(const feed& from, target to) {
  return over_bidders(from, [&](const auto& bids) {
    return bids.window(pl::tumbling{10s}, pl::count{})
        .map([](const auto& w) {
          return std::tuple{w.key, in_ms(w.window.start), w.value};
        })
        .end(answer_sink{to});
  });
}

} // namespace nexmark::plans
