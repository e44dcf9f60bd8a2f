// SPDX-License-Identifier: BSD-3-Clause
// Queries that keep nothing: bids filtered and rewritten. Spread over as many instances as there are partitions.
#include <nexmark/plans.hpp>

namespace nexmark::plans {

namespace pl = troupe::pipeline;

namespace {

/// One stage from source to sink: nothing is kept, so nothing needs to be together.
template <class Rewrite>
plan of_bids(const feed& from, target to, Rewrite rewrite) {
  return over(from, [&](const auto& events) {
    return events.filter(is_bid).flat_map(rewrite).end(answer_sink{std::move(to)});
  });
}

} // namespace

plan q0(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    return events.filter(is_bid)
        .map([](const event& e) {
          return std::tuple{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, e.bid.url, e.time};
        })
        .end(answer_sink{to});
  });
}

plan q1(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    return events.filter(is_bid)
        .map([](const event& e) { return std::tuple{e.bid.auction, e.bid.bidder, e.bid.price * 908, e.time}; })
        .end(answer_sink{to});
  });
}

plan q2(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    return events.filter([](const event& e) { return is_bid(e) && e.bid.auction % 123 == 0; })
        .map([](const event& e) { return std::tuple{e.bid.auction, e.bid.price}; })
        .end(answer_sink{to});
  });
}

plan q14(const feed& from, target to) {
  return of_bids(from, to, [](const event& e) {
    const auto milli = e.bid.price * 908;
    using row = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::string_view, std::int64_t>;
    return milli > 1'000'000'000 && milli < 50'000'000'000
               ? std::optional{row{e.bid.auction, e.bid.bidder, milli, "nightTime", e.time}}
               : std::nullopt;
  });
}

plan q21(const feed& from, target to) {
  return of_bids(from, to, [](const event& e) {
    const auto id = channel_number(e.bid);
    using row = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::string_view, std::string_view>;
    return id ? std::optional{row{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, *id}} : std::nullopt;
  });
}

plan q22(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    return events.filter(is_bid)
        .map([](const event& e) {
          return std::tuple{e.bid.auction,          e.bid.bidder,           e.bid.price,           e.bid.channel,
                            directory(e.bid.url, 3), directory(e.bid.url, 4), directory(e.bid.url, 5)};
        })
        .end(answer_sink{to});
  });
}

} // namespace nexmark::plans
