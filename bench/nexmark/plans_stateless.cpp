// SPDX-License-Identifier: BSD-3-Clause
// Queries that keep nothing: bids filtered and rewritten, in one stage from source to sink. Of these there are as many as
// the feed has parts, each with its share of the events; nobody asks for the time.
#include <bench/nexmark/plans.hpp>

namespace nexmark::plans {

namespace pl = troupe::pipeline;

namespace {

/// `build(stream of events)` for sources that share the events.
template <class Build>
plan over_parts(const feed& from, Build&& build) {
  const auto* const all = std::get_if<std::span<const event>>(&from.events);
  if (all == nullptr)
    return build(pl::from(std::get<generated_events>(from.events)));
  std::vector<pl::view<event>> parts;
  for (unsigned i = 0; i < from.parts; ++i) {
    const auto begin = all->size() * i / from.parts;
    const auto end = all->size() * (i + 1) / from.parts;
    parts.emplace_back(all->subspan(begin, end - begin));
  }
  return build(pl::from(std::move(parts)));
}

template <class Rewrite>
plan of_bids(const feed& from, const target& to, Rewrite rewrite) {
  return over_parts(from, [&](const auto& events) { return events.filter(is_bid).map(rewrite).end(answer_sink{to}); });
}

/// `rewrite` returns an optional.
template <class Rewrite>
plan of_some_bids(const feed& from, const target& to, Rewrite rewrite) {
  return over_parts(from,
                    [&](const auto& events) { return events.filter(is_bid).flat_map(rewrite).end(answer_sink{to}); });
}

} // namespace

plan q0(const feed& from, target to) {
  return of_bids(from, to, [](const event& e) {
    return std::tuple{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, e.bid.url, e.time};
  });
}

plan q1(const feed& from, target to) {
  return of_bids(from, to, [](const event& e) {
    return std::tuple{e.bid.auction, e.bid.bidder, e.bid.price * 908, e.time};
  });
}

plan q2(const feed& from, target to) {
  return over_parts(from, [&](const auto& events) {
    return events.filter([](const event& e) { return is_bid(e) && e.bid.auction % 123 == 0; })
        .map([](const event& e) {
          return std::tuple{e.bid.auction, e.bid.price};
        })
        .end(answer_sink{to});
  });
}

plan q14(const feed& from, target to) {
  return of_some_bids(from, to, [](const event& e) {
    const auto milli = e.bid.price * 908;
    using row = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::string_view, std::int64_t>;
    return milli > 1'000'000'000 && milli < 50'000'000'000
               ? std::optional{row{e.bid.auction, e.bid.bidder, milli, "nightTime", e.time}}
               : std::nullopt;
  });
}

plan q21(const feed& from, target to) {
  return of_some_bids(from, to, [](const event& e) {
    const auto id = channel_number(e.bid);
    using row = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::string_view, std::string_view>;
    return id ? std::optional{row{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, *id}} : std::nullopt;
  });
}

plan q22(const feed& from, target to) {
  return of_bids(from, to, [](const event& e) {
    return std::tuple{
        e.bid.auction,           e.bid.bidder,           e.bid.price, e.bid.channel, directory(e.bid.url, 3),
        directory(e.bid.url, 4), directory(e.bid.url, 5)};
  });
}

} // namespace nexmark::plans
