// SPDX-License-Identifier: BSD-3-Clause
// Queries about how auctions end: q9 and what builds on it, q4 and q6.
#include <algorithm>
#include <array>
#include <bench/nexmark/plans.hpp>

namespace nexmark::plans {

namespace pl = troupe::pipeline;

namespace {

/// What an auction or a bid on it says to whoever follows that auction.
struct lot_event {
  std::int64_t auction;
  std::int64_t time;
  std::int64_t price_or_expires;
  std::int64_t bidder_or_seller;
  std::uint32_t sequence;
  std::int32_t category; // of an auction; -1: a bid
};

constexpr auto to_lot_event = [](const event& e) noexcept -> std::optional<lot_event> {
  if (e.what == event::kind::bid)
    return lot_event{e.bid.auction, e.time, e.bid.price, e.bid.bidder, e.sequence, -1};
  if (e.what == event::kind::auction)
    return lot_event{e.auction.id,     e.time,     e.auction.expires,
                     e.auction.seller, e.sequence, static_cast<std::int32_t>(e.auction.category)};
  return std::nullopt;
};

/// An auction that is over, and the bid that won it: the highest, of these the earliest.
struct sale {
  std::int64_t auction;
  std::int64_t seller;
  std::int64_t expires;
  std::int64_t price;
  std::int64_t bidder;
  std::int64_t time;
  std::int32_t category;
};

struct lot {
  struct offer {
    std::int64_t time;
    std::int64_t price;
    std::int64_t bidder;
    std::uint32_t sequence;
  };

  bool known = false; // the auction is
  bool over = false;
  bool has_bid = false;
  std::int32_t category = 0;
  std::int64_t opened = 0;
  std::int64_t expires = 0;
  std::int64_t seller = 0;
  offer best{};               // if there is a bid; as long as the auction is not known, the first one
  std::vector<offer> waiting; // further bids that came before their auction
};

/// Follows one auction, from its first bid or its opening, whichever comes first, until event time is beyond its end; and for a
/// while longer, since those who bid too late would else be taken for those who bid too early, and wait.
struct auction_logic {
  /// Most bids are no higher than the best.
  template <class Emit>
  [[gnu::always_inline]] bool look(const lot& l, const lot_event& e, Emit&) const {
    return l.known && e.category < 0 && !wins(l, to_offer(e));
  }

  template <class Context, class Emit>
  void on(Context& c, lot& l, const lot_event& e, Emit&) const {
    if (e.category >= 0)
      return open(c, l, e);
    const auto o = to_offer(e);
    if (l.known)
      return consider(l, o);
    if (l.has_bid)
      l.waiting.push_back(o);
    else
      l.best = o;
    l.has_bid = true;
    if (c.reminder() == pl::end_of_time)
      c.remind(after(o.time));
  }

  template <class Context, class Emit>
  void on_reminder(Context& c, lot& l, Emit& emit) const {
    if (l.over)
      return c.forget();
    if (l.known) {
      l.over = true;
      if (l.has_bid)
        emit(sale{c.key(), l.seller, l.expires, l.best.price, l.best.bidder, l.best.time, l.category});
      return c.remind(after(l.expires + remembered_ms));
    }
    // An auction that is still to come opens after event time: what was bid before that is no bid on it.
    const auto in_vain = [&](const lot::offer& o) { return after(o.time) <= c.watermark(); };
    std::erase_if(l.waiting, in_vain);
    if (in_vain(l.best)) {
      if (l.waiting.empty())
        return c.forget();
      l.best = l.waiting.back();
      l.waiting.pop_back();
    }
    auto first = l.best.time;
    for (const auto& o : l.waiting)
      first = std::min(first, o.time);
    c.remind(after(first));
  }

private:
  static constexpr std::int64_t remembered_ms = 2'000;

  /// When nothing of that time is expected any more.
  static pl::event_time after(std::int64_t ms) noexcept { return at_ms(ms) + pl::event_duration{1}; }

  static lot::offer to_offer(const lot_event& e) noexcept {
    return {e.time, e.price_or_expires, e.bidder_or_seller, e.sequence};
  }

  template <class Context>
  static void open(Context& c, lot& l, const lot_event& e) {
    l.known = true;
    l.category = e.category;
    l.opened = e.time;
    l.expires = e.price_or_expires;
    l.seller = e.bidder_or_seller;
    if (std::exchange(l.has_bid, false))
      consider(l, lot::offer{l.best});
    for (const auto& o : l.waiting)
      consider(l, o);
    l.waiting.clear();
    c.remind(after(l.expires));
  }

  [[gnu::always_inline]] static bool wins(const lot& l, const lot::offer& o) noexcept {
    if (o.time < l.opened || o.time > l.expires)
      return false;
    return !l.has_bid || o.price > l.best.price ||
           (o.price == l.best.price && std::pair{o.time, o.sequence} < std::pair{l.best.time, l.best.sequence});
  }

  static void consider(lot& l, const lot::offer& o) noexcept {
    if (!wins(l, o))
      return;
    l.best = o;
    l.has_bid = true;
  }
};

/// `build(stream of sales)`.
template <class Build>
plan over_sales(const feed& from, Build&& build) {
  return over(from, [&](const auto& events) {
    return by_key(from, events.flat_map(to_lot_event), &lot_event::auction,
                  [&](const auto& lots) { return build(lots.template process<sale>(lot{}, auction_logic{})); });
  });
}

struct sum_and_count {
  std::int64_t sum = 0;
  std::int64_t n = 0;
};

/// The last ten sales of a seller, by the end of the auction.
struct last_ten {
  struct one {
    std::int64_t expires;
    std::int64_t auction;
    std::int64_t price;
  };
  std::array<one, 10> sales{};
  std::size_t n = 0;

  void add(const one& s) noexcept {
    const auto newer = [](const one& a, const one& b) {
      return std::pair{a.expires, a.auction} > std::pair{b.expires, b.auction};
    };
    const auto end = sales.begin() + static_cast<std::ptrdiff_t>(n);
    const auto at = std::upper_bound(sales.begin(), end, s, newer);
    if (at == sales.end())
      return;
    std::move_backward(at, n < sales.size() ? end : end - 1, n < sales.size() ? end + 1 : end);
    *at = s;
    n = std::min(n + 1, sales.size());
  }
};

} // namespace

plan q4(const feed& from, target to) {
  return over_sales(from, [&](const auto& sales) {
    const auto average = [&](const auto& by_category) {
      return by_category
          .fold(sum_and_count{},
                [](sum_and_count& s, const sale& x) {
                  s.sum += x.price;
                  ++s.n;
                })
          .map([](const std::pair<std::int32_t, sum_and_count>& s) {
            return std::tuple{std::int64_t{s.first}, s.second.n, s.second.sum, s.second.sum / s.second.n};
          })
          .end(answer_sink{to});
    };
    return by_key(from, sales, &sale::category, average);
  });
}

plan q6(const feed& from, target to) {
  return over_sales(from, [&](const auto& sales) {
    const auto average = [&](const auto& by_seller) {
      return by_seller.fold(last_ten{},
                            [](last_ten& all, const sale& s) {
                              all.add({s.expires, s.auction, s.price});
                            })
          .map([](const std::pair<std::int64_t, last_ten>& s) {
            std::int64_t sum = 0;
            for (std::size_t i = 0; i < s.second.n; ++i)
              sum += s.second.sales[i].price;
            const auto n = static_cast<std::int64_t>(s.second.n);
            return std::tuple{s.first, n, sum, sum / n};
          })
          .end(answer_sink{to});
    };
    return by_key(from, sales, &sale::seller, average);
  });
}

plan q9(const feed& from, target to) {
  return over_sales(from, [&](const auto& sales) {
    return sales.map([](const sale& s) {
                  return std::tuple{s.auction, s.bidder, s.price, s.time};
                })
        .end(answer_sink{to});
  });
}

} // namespace nexmark::plans
