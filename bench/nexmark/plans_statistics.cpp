// SPDX-License-Identifier: BSD-3-Clause
// Queries that keep figures per day, channel, auction or pair.
#include <algorithm>
#include <array>
#include <bench/nexmark/plans.hpp>

namespace nexmark::plans {

namespace pl = troupe::pipeline;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

struct sized_bid {
  std::int64_t auction;
  std::int64_t bidder;
  std::int64_t price;
  std::int64_t ms;
  std::uint32_t sequence;
  std::string_view channel;
  pl::event_time time() const noexcept { return at_ms(ms); }
};

template <class Events>
auto sized_bids(const Events& events) {
  return events.filter(is_bid).map([](const event& e) {
    return sized_bid{e.bid.auction, e.bid.bidder, e.bid.price, e.time, e.sequence, e.bid.channel};
  });
}

std::int64_t day_number(std::int64_t ms) noexcept {
  return std::chrono::floor<std::chrono::days>(std::chrono::milliseconds{ms}).count();
}

/// Counts of one group and day: all, by rank, and how many different bidders and auctions there are in all and by rank.
struct day_figures {
  std::uint32_t group = 0; // a number for it, in this instance
  std::array<std::int64_t, 4> bids{};
  std::array<std::int64_t, 4> bidders{};
  std::array<std::int64_t, 4> auctions{};
};

/// q15 and q16: distinct counts per group and day, said when the day is over. What has been seen is kept in one table for all
/// groups, so that a failed batch puts back single entries and not whole sets.
template <class Group>
class distinct_counts {
public:
  static constexpr const char* name = "distinct_counts";
  struct said {
    std::string_view group;
    std::int64_t day;
    day_figures figures;
  };
  template <class>
  using output = said;

  explicit distinct_counts(Group group) : group_{std::move(group)} {}

  template <class Next>
  void on(const sized_bid& b, Next&&) {
    const auto day = day_number(b.ms);
    const auto before = groups_.size();
    day_figures fresh;
    fresh.group = next_group_.get();
    auto& f = groups_.touch({group_(b), day}, fresh);
    if (groups_.size() != before) {
      ++next_group_.change();
      first_end_.change() = std::min(first_end_.get(), end_of(day));
    }
    const auto rank = static_cast<std::size_t>(rank_of(b.price)) + 1;
    ++f.bids[0];
    ++f.bids[rank];
    note({f.group, false, b.bidder}, rank, f.bidders);
    note({f.group, true, b.auction}, rank, f.auctions);
  }

  template <class Next>
  void on_watermark(pl::event_time w, Next&& next) {
    if (w < first_end_.get())
      return;
    std::vector<group_day> over;
    first_end_.change() = pl::end_of_time;
    groups_.for_each([&](const group_day& g, const day_figures& f) {
      if (end_of(g.second) <= w) {
        over.push_back(g);
        next(said{g.first, g.second, f});
      } else {
        first_end_.change() = std::min(first_end_.get(), end_of(g.second));
      }
    });
    forget(over);
  }

  void commit() {
    groups_.commit();
    seen_.commit();
    next_group_.commit();
    first_end_.commit();
  }
  void rollback() {
    groups_.rollback();
    seen_.rollback();
    next_group_.rollback();
    first_end_.rollback();
  }

private:
  using group_day = std::pair<std::string_view, std::int64_t>;
  using sighting = std::tuple<std::uint32_t, bool, std::int64_t>; // group, auction or bidder, id

  void note(const sighting& s, std::size_t rank, std::array<std::int64_t, 4>& distinct) {
    auto& ranks = seen_.touch(s);
    if (ranks == 0)
      ++distinct[0];
    if ((ranks & (1U << rank)) == 0)
      ++distinct[rank];
    ranks = static_cast<std::uint8_t>(ranks | (1U << rank));
  }

  static pl::event_time end_of(std::int64_t day) noexcept { return at_ms((day + 1) * day_ms); }

  void forget(const std::vector<group_day>& over) {
    std::vector<std::uint32_t> gone;
    for (const auto& g : over) {
      gone.push_back(groups_.find(g)->group);
      groups_.erase(g);
    }
    std::ranges::sort(gone);
    std::vector<sighting> old;
    seen_.for_each([&](const sighting& s, std::uint8_t) {
      if (std::ranges::binary_search(gone, std::get<0>(s)))
        old.push_back(s);
    });
    for (const auto& s : old)
      seen_.erase(s);
  }

  Group group_;
  pl::keyed_table<group_day, day_figures> groups_;
  pl::keyed_table<sighting, std::uint8_t> seen_; // with a bit for each rank
  pl::restorable<std::uint32_t> next_group_{0};
  pl::restorable<pl::event_time> first_end_{pl::end_of_time}; // of the days at hand
};

struct price_figures {
  std::int64_t n = 0;
  std::array<std::int64_t, 3> ranks{};
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t sum = 0;

  void add(const sized_bid& b) noexcept {
    least = n == 0 ? b.price : std::min(least, b.price);
    most = n == 0 ? b.price : std::max(most, b.price);
    ++n;
    ++ranks[static_cast<std::size_t>(rank_of(b.price))];
    sum += b.price;
  }
  price_figures result() const noexcept { return *this; }
};

struct last_bid {
  std::int64_t ms = std::numeric_limits<std::int64_t>::min();
  std::uint32_t sequence = 0;
  std::int64_t price = 0;
  std::string_view channel;
};

/// The ten highest bids on an auction; of equal ones the earlier.
struct ten_highest {
  struct one {
    std::int64_t price;
    std::int64_t ms;
    std::uint32_t sequence;
    std::int64_t bidder;
  };
  std::array<one, 10> bids{};
  std::size_t n = 0;

  static bool before(const one& a, const one& b) noexcept {
    return std::tuple{-a.price, a.ms, a.sequence} < std::tuple{-b.price, b.ms, b.sequence};
  }

  void add(const one& b) noexcept {
    if (n == bids.size() && !before(b, bids.back()))
      return;
    const auto end = bids.begin() + static_cast<std::ptrdiff_t>(n);
    const auto at = std::upper_bound(bids.begin(), end, b, before);
    std::move_backward(at, n < bids.size() ? end : end - 1, n < bids.size() ? end + 1 : end);
    *at = b;
    n = std::min(n + 1, bids.size());
  }
};

} // namespace

plan q15(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    const auto all = [](const sized_bid&) { return std::string_view{}; };
    return sized_bids(events)
        .boundary()
        .step(distinct_counts<decltype(all)>{all})
        .map([](const auto& s) {
          const auto& f = s.figures;
          return std::tuple{day_of(s.day * day_ms), f.bids[0],     f.bids[1],    f.bids[2],    f.bids[3],
                            f.bidders[0],           f.bidders[1],  f.bidders[2], f.bidders[3], f.auctions[0],
                            f.auctions[1],          f.auctions[2], f.auctions[3]};
        })
        .end(answer_sink{to});
  });
}

plan q16(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    const auto channel = [](const sized_bid& b) { return b.channel; };
    return sized_bids(events)
        .key_by(&sized_bid::channel)
        .step(distinct_counts<decltype(channel)>{channel})
        .map([](const auto& s) {
          const auto& f = s.figures;
          return std::tuple{s.group,       day_of(s.day * day_ms), f.bids[0],     f.bids[1],    f.bids[2],
                            f.bids[3],     f.bidders[0],           f.bidders[1],  f.bidders[2], f.bidders[3],
                            f.auctions[0], f.auctions[1],          f.auctions[2], f.auctions[3]};
        })
        .end(answer_sink{to});
  });
}

plan q17(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    return sized_bids(events)
        .key_by(&sized_bid::auction)
        .window(pl::tumbling{24h}, price_figures{})
        .map([](const auto& w) {
          const price_figures& f = w.value;
          return std::tuple{w.key,       day_of(in_ms(w.window.start)),
                            f.n,         f.ranks[0],
                            f.ranks[1],  f.ranks[2],
                            f.least,     f.most,
                            f.sum / f.n, f.sum};
        })
        .end(answer_sink{to});
  });
}

plan q18(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    return sized_bids(events)
        .key_by([](const sized_bid& b) {
          return std::pair{b.bidder, b.auction};
        })
        .fold(last_bid{},
              [](last_bid& l, const sized_bid& b) {
                if (std::pair{b.ms, b.sequence} >= std::pair{l.ms, l.sequence})
                  l = {b.ms, b.sequence, b.price, b.channel};
              })
        .map([](const auto& last) {
          return std::tuple{last.first.first, last.first.second, last.second.price, last.second.channel,
                            last.second.ms};
        })
        .end(answer_sink{to});
  });
}

plan q19(const feed& from, target to) {
  return over(from, [&](const auto& events) {
    using row = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
    return sized_bids(events)
        .key_by(&sized_bid::auction)
        .fold(ten_highest{},
              [](ten_highest& t, const sized_bid& b) {
                t.add({b.price, b.ms, b.sequence, b.bidder});
              })
        .template expand<row>([](const auto& top, auto& emit) {
          for (std::size_t i = 0; i < top.second.n; ++i) {
            const auto& b = top.second.bids[i];
            emit(row{top.first, static_cast<std::int64_t>(i + 1), b.bidder, b.price, b.ms});
          }
        })
        .end(answer_sink{to});
  });
}

} // namespace nexmark::plans
