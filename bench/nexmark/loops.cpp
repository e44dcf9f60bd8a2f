// SPDX-License-Identifier: BSD-3-Clause
// The queries as one would write them by hand, if all events were in memory and in order: what pipelines are measured
// against. Standard containers, one thread.
#include <algorithm>
#include <array>
#include <bench/nexmark/plans.hpp>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace nexmark::loops {

namespace {

std::int64_t floor_to(std::int64_t ms, std::int64_t step) noexcept {
  const auto k = ms / step - (ms % step < 0 ? 1 : 0);
  return k * step;
}

constexpr std::int64_t day_ms = 86'400'000;

struct pair_hash {
  template <class A, class B>
  std::size_t operator()(const std::pair<A, B>& p) const noexcept {
    return std::hash<A>{}(p.first) * 0x9e3779b97f4a7c15 ^ std::hash<B>{}(p.second);
  }
};

struct lot {
  std::int64_t opened;
  std::int64_t expires;
  std::int64_t seller;
  std::int64_t category;
  std::int64_t price = -1;
  std::int64_t bidder = 0;
  std::int64_t time = 0;
};

/// Every auction with what came of it. Events are in order, so a bid that finds no auction is no bid on it.
std::unordered_map<std::int64_t, lot> lots(std::span<const event> events) {
  std::unordered_map<std::int64_t, lot> all;
  for (const auto& e : events) {
    if (e.what == event::kind::auction) {
      all.emplace(e.auction.id, lot{e.time, e.auction.expires, e.auction.seller, e.auction.category});
    } else if (e.what == event::kind::bid) {
      const auto found = all.find(e.bid.auction);
      if (found != all.end() && e.time <= found->second.expires && e.bid.price > found->second.price) {
        found->second.price = e.bid.price;
        found->second.bidder = e.bid.bidder;
        found->second.time = e.time;
      }
    }
  }
  return all;
}

struct distinct_figures {
  std::array<std::int64_t, 4> bids{};
  std::array<std::unordered_set<std::int64_t>, 4> bidders;
  std::array<std::unordered_set<std::int64_t>, 4> auctions;

  void add(const event& e) {
    const auto rank = static_cast<std::size_t>(rank_of(e.bid.price)) + 1;
    for (const auto i : {std::size_t{0}, rank}) {
      ++bids[i];
      bidders[i].insert(e.bid.bidder);
      auctions[i].insert(e.bid.auction);
    }
  }
  auto row() const {
    const auto n = [](const auto& set) { return static_cast<std::int64_t>(set.size()); };
    return std::tuple{bids[0],       bids[1],       bids[2],        bids[3],        n(bidders[0]),  n(bidders[1]),
                      n(bidders[2]), n(bidders[3]), n(auctions[0]), n(auctions[1]), n(auctions[2]), n(auctions[3])};
  }
};

} // namespace

digest q0(std::span<const event> events) {
  digest d;
  for (const auto& e : events)
    if (is_bid(e))
      add_to(d, std::tuple{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, e.bid.url, e.time});
  return d;
}

digest q1(std::span<const event> events) {
  digest d;
  for (const auto& e : events)
    if (is_bid(e))
      add_to(d, std::tuple{e.bid.auction, e.bid.bidder, e.bid.price * 908, e.time});
  return d;
}

digest q2(std::span<const event> events) {
  digest d;
  for (const auto& e : events)
    if (is_bid(e) && e.bid.auction % 123 == 0)
      add_to(d, std::tuple{e.bid.auction, e.bid.price});
  return d;
}

digest q3(std::span<const event> events) {
  digest d;
  std::unordered_map<std::int64_t, const person*> persons;
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> auctions; // by seller
  const auto match = [&](const person& p, std::int64_t auction) {
    add_to(d, std::tuple{p.name, p.city, p.state, auction});
  };
  for (const auto& e : events) {
    if (e.what == event::kind::person) {
      if (e.person.state != "or" && e.person.state != "id" && e.person.state != "ca")
        continue;
      persons.emplace(e.person.id, &e.person);
      if (const auto found = auctions.find(e.person.id); found != auctions.end())
        for (const auto a : found->second)
          match(e.person, a);
    } else if (e.what == event::kind::auction && e.auction.category == 10) {
      auctions[e.auction.seller].push_back(e.auction.id);
      if (const auto found = persons.find(e.auction.seller); found != persons.end())
        match(*found->second, e.auction.id);
    }
  }
  return d;
}

digest q4(std::span<const event> events) {
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> categories;
  for (const auto& [id, l] : lots(events)) {
    if (l.price < 0)
      continue;
    auto& [n, sum] = categories[l.category];
    ++n;
    sum += l.price;
  }
  digest d;
  for (const auto& [category, f] : categories)
    add_to(d, std::tuple{category, f.first, f.second, f.second / f.first});
  return d;
}

digest q5(std::span<const event> events) {
  constexpr std::int64_t step = 2'000;
  constexpr std::int64_t size = 10'000;
  digest d;
  std::deque<std::pair<std::int64_t, std::unordered_map<std::int64_t, std::int64_t>>> panes;
  std::unordered_map<std::int64_t, std::int64_t> merged;
  const auto close = [&](std::int64_t end) { // of one window
    merged.clear();
    for (const auto& [start, counts] : panes)
      if (start >= end - size && start < end)
        for (const auto& [auction, n] : counts)
          merged[auction] += n;
    std::int64_t most = 0;
    for (const auto& [auction, n] : merged)
      most = std::max(most, n);
    for (const auto& [auction, n] : merged)
      if (n == most)
        add_to(d, std::tuple{end - size, auction, n});
  };
  std::int64_t next_end = std::numeric_limits<std::int64_t>::min();
  const auto advance = [&](std::int64_t now) {
    while (!panes.empty() && next_end <= now) {
      close(next_end);
      while (!panes.empty() && panes.front().first < next_end + step - size)
        panes.pop_front();
      next_end += step;
      if (!panes.empty() && panes.front().first >= next_end)
        next_end = panes.front().first + step;
    }
  };
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    const auto start = floor_to(e.time, step);
    if (panes.empty() || panes.back().first != start) {
      advance(start);
      if (panes.empty())
        next_end = start + step;
      panes.emplace_back(start, std::unordered_map<std::int64_t, std::int64_t>{});
    }
    ++panes.back().second[e.bid.auction];
  }
  advance(std::numeric_limits<std::int64_t>::max() - size);
  return d;
}

digest q6(std::span<const event> events) {
  std::map<std::int64_t, std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>>> sellers;
  for (const auto& [id, l] : lots(events))
    if (l.price >= 0)
      sellers[l.seller].emplace_back(l.expires, id, l.price);
  digest d;
  for (auto& [seller, sales] : sellers) {
    const auto n = std::min<std::size_t>(sales.size(), 10);
    std::partial_sort(sales.begin(), sales.begin() + static_cast<std::ptrdiff_t>(n), sales.end(), std::greater<>{});
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < n; ++i)
      sum += std::get<2>(sales[i]);
    add_to(d, std::tuple{seller, static_cast<std::int64_t>(n), sum, sum / static_cast<std::int64_t>(n)});
  }
  return d;
}

digest q7(std::span<const event> events) {
  digest d;
  std::int64_t start = std::numeric_limits<std::int64_t>::min();
  std::vector<const event*> best;
  const auto close = [&] {
    for (const auto* e : best)
      add_to(d, std::tuple{start, e->bid.auction, e->bid.bidder, e->bid.price, e->time});
    best.clear();
  };
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    if (const auto s = floor_to(e.time, 10'000); s != start) {
      close();
      start = s;
    }
    if (!best.empty() && e.bid.price > best.front()->bid.price)
      best.clear();
    if (best.empty() || e.bid.price == best.front()->bid.price)
      best.push_back(&e);
  }
  close();
  return d;
}

digest q8(std::span<const event> events) {
  digest d;
  std::int64_t start = std::numeric_limits<std::int64_t>::min();
  std::unordered_map<std::int64_t, std::string_view> persons;
  std::unordered_set<std::int64_t> sellers;
  const auto close = [&] {
    for (const auto& [id, name] : persons)
      if (sellers.contains(id))
        add_to(d, std::tuple{id, name, start});
    persons.clear();
    sellers.clear();
  };
  for (const auto& e : events) {
    if (is_bid(e))
      continue;
    if (const auto s = floor_to(e.time, 10'000); s != start) {
      close();
      start = s;
    }
    if (e.what == event::kind::person)
      persons.emplace(e.person.id, e.person.name);
    else
      sellers.insert(e.auction.seller);
  }
  close();
  return d;
}

digest q9(std::span<const event> events) {
  digest d;
  for (const auto& [id, l] : lots(events))
    if (l.price >= 0)
      add_to(d, std::tuple{id, l.bidder, l.price, l.time});
  return d;
}

digest q11(std::span<const event> events) {
  struct open {
    std::int64_t start;
    std::int64_t last;
    std::uint64_t bids;
  };
  constexpr std::int64_t gap = 10'000;
  digest d;
  std::unordered_map<std::int64_t, open> sessions;
  const auto close = [&](std::int64_t bidder, const open& s) {
    add_to(d, std::tuple{bidder, s.start, s.last + gap, s.bids});
  };
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    const auto [at, fresh] = sessions.try_emplace(e.bid.bidder, open{e.time, e.time, 0});
    auto& s = at->second;
    if (!fresh && e.time - s.last >= gap) {
      close(e.bid.bidder, s);
      s = {e.time, e.time, 0};
    }
    s.last = e.time;
    ++s.bids;
  }
  for (const auto& [bidder, s] : sessions)
    close(bidder, s);
  return d;
}

digest q12e(std::span<const event> events) {
  digest d;
  std::int64_t start = std::numeric_limits<std::int64_t>::min();
  std::unordered_map<std::int64_t, std::uint64_t> bids;
  const auto close = [&] {
    for (const auto& [bidder, n] : bids)
      add_to(d, std::tuple{bidder, start, n});
    bids.clear();
  };
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    if (const auto s = floor_to(e.time, 10'000); s != start) {
      close();
      start = s;
    }
    ++bids[e.bid.bidder];
  }
  close();
  return d;
}

digest q14(std::span<const event> events) {
  digest d;
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    const auto milli = e.bid.price * 908;
    if (milli > 1'000'000'000 && milli < 50'000'000'000)
      add_to(d, std::tuple{e.bid.auction, e.bid.bidder, milli, std::string_view{"nightTime"}, e.time});
  }
  return d;
}

digest q15(std::span<const event> events) {
  std::map<std::int64_t, distinct_figures> days;
  for (const auto& e : events)
    if (is_bid(e))
      days[floor_to(e.time, day_ms)].add(e);
  digest d;
  for (const auto& [day, f] : days)
    add_to(d, std::tuple_cat(std::tuple{day_of(day)}, f.row()));
  return d;
}

digest q16(std::span<const event> events) {
  std::unordered_map<std::pair<std::string_view, std::int64_t>, distinct_figures, pair_hash> groups;
  for (const auto& e : events)
    if (is_bid(e))
      groups[{e.bid.channel, floor_to(e.time, day_ms)}].add(e);
  digest d;
  for (const auto& [g, f] : groups)
    add_to(d, std::tuple_cat(std::tuple{g.first, day_of(g.second)}, f.row()));
  return d;
}

digest q17(std::span<const event> events) {
  struct figures {
    std::int64_t n = 0;
    std::array<std::int64_t, 3> ranks{};
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    std::int64_t most = std::numeric_limits<std::int64_t>::min();
    std::int64_t sum = 0;
  };
  std::unordered_map<std::pair<std::int64_t, std::int64_t>, figures, pair_hash> groups;
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    auto& f = groups[{e.bid.auction, floor_to(e.time, day_ms)}];
    ++f.n;
    ++f.ranks[static_cast<std::size_t>(rank_of(e.bid.price))];
    f.least = std::min(f.least, e.bid.price);
    f.most = std::max(f.most, e.bid.price);
    f.sum += e.bid.price;
  }
  digest d;
  for (const auto& [g, f] : groups)
    add_to(d, std::tuple{g.first, day_of(g.second), f.n, f.ranks[0], f.ranks[1], f.ranks[2], f.least, f.most,
                         f.sum / f.n, f.sum});
  return d;
}

digest q18(std::span<const event> events) {
  std::unordered_map<std::pair<std::int64_t, std::int64_t>, const event*, pair_hash> last;
  for (const auto& e : events)
    if (is_bid(e))
      last[{e.bid.bidder, e.bid.auction}] = &e;
  digest d;
  for (const auto& [who, e] : last)
    add_to(d, std::tuple{e->bid.bidder, e->bid.auction, e->bid.price, e->bid.channel, e->time});
  return d;
}

digest q19(std::span<const event> events) {
  std::unordered_map<std::int64_t, std::vector<const event*>> top;
  for (const auto& e : events) {
    if (!is_bid(e))
      continue;
    auto& bids = top[e.bid.auction];
    const auto at = std::upper_bound(bids.begin(), bids.end(), &e,
                                     [](const event* a, const event* b) { return a->bid.price > b->bid.price; });
    if (at == bids.end() && bids.size() == 10)
      continue;
    bids.insert(at, &e);
    if (bids.size() > 10)
      bids.pop_back();
  }
  digest d;
  for (const auto& [auction, bids] : top)
    for (std::size_t i = 0; i < bids.size(); ++i)
      add_to(d, std::tuple{auction, static_cast<std::int64_t>(i + 1), bids[i]->bid.bidder, bids[i]->bid.price,
                           bids[i]->time});
  return d;
}

digest q20(std::span<const event> events) {
  struct known {
    const auction* item = nullptr;
    std::vector<const event*> waiting;
  };
  digest d;
  std::unordered_map<std::int64_t, known> auctions;
  const auto match = [&](const event& b, const auction& a) {
    if (a.category == 10)
      add_to(d, std::tuple{b.bid.auction, b.bid.bidder, b.bid.price, b.time, a.seller, a.expires});
  };
  for (const auto& e : events) {
    if (e.what == event::kind::auction) {
      auto& k = auctions[e.auction.id];
      k.item = &e.auction;
      for (const auto* b : k.waiting)
        match(*b, e.auction);
      k.waiting.clear();
    } else if (e.what == event::kind::bid) {
      auto& k = auctions[e.bid.auction];
      if (k.item != nullptr)
        match(e, *k.item);
      else
        k.waiting.push_back(&e);
    }
  }
  return d;
}

digest q21(std::span<const event> events) {
  digest d;
  for (const auto& e : events)
    if (is_bid(e))
      if (const auto id = channel_number(e.bid))
        add_to(d, std::tuple{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, *id});
  return d;
}

digest q22(std::span<const event> events) {
  digest d;
  for (const auto& e : events)
    if (is_bid(e))
      add_to(d, std::tuple{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, directory(e.bid.url, 3),
                           directory(e.bid.url, 4), directory(e.bid.url, 5)});
  return d;
}

} // namespace nexmark::loops
