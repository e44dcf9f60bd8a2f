// SPDX-License-Identifier: BSD-3-Clause
// Queries that bring persons, auctions and bids together.
#include <bench/nexmark/plans.hpp>

namespace nexmark::plans {

namespace pl = troupe::pipeline;
using namespace std::chrono_literals;

namespace {

struct seller {
  std::int64_t id;
  std::string_view name;
  std::string_view city;
  std::string_view state;
  pl::event_time time{};
};

struct item {
  std::int64_t id;
  std::int64_t seller;
  std::int64_t expires;
  pl::event_time time{};
};

item to_item(const event& e) { return {e.auction.id, e.auction.seller, e.auction.expires, at_ms(e.time)}; }

/// Who registered in a window, and whether he opened an auction in it.
struct newcomer {
  struct sign {
    std::int64_t person;
    std::string_view name;
    bool registered; // else he opened an auction
    pl::event_time time;
  };
  void add(const sign& s) {
    if (!s.registered)
      sells = true;
    else if (std::ranges::find(names, s.name) == names.end())
      names.push_back(s.name);
  }
  std::vector<std::string_view> result() const { return sells ? names : std::vector<std::string_view>{}; }

  bool sells = false;
  std::vector<std::string_view> names;
};

/// What an auction or a bid on it says to whoever waits for both.
struct half {
  std::int64_t auction;
  std::int64_t bidder_or_seller;
  std::int64_t price_or_expires;
  std::int64_t ms;
  enum class kind : std::uint8_t { bid, wanted, unwanted } what;
};

using expanded = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

/// Bids wait until their auction is known; then they go on, or not. As an auction is opened once, no bid is kept after that.
struct expand_logic {
  struct state {
    bool known = false;
    bool wanted = false;
    std::int64_t seller = 0;
    std::int64_t expires = 0;
    std::vector<half> waiting;
  };

  template <class Emit>
  bool look(const state& s, const half& x, Emit& emit) const {
    if (!s.known || x.what != half::kind::bid)
      return false;
    if (s.wanted)
      emit(row(s, x));
    return true;
  }

  template <class Context, class Emit>
  void on(Context&, state& s, const half& x, Emit& emit) const {
    if (x.what == half::kind::bid) { // its auction is not known yet: see look
      s.waiting.push_back(x);
      return;
    }
    s.known = true;
    s.wanted = x.what == half::kind::wanted;
    s.seller = x.bidder_or_seller;
    s.expires = x.price_or_expires;
    for (const auto& b : s.waiting)
      if (s.wanted)
        emit(row(s, b));
    s.waiting.clear();
  }

private:
  static expanded row(const state& s, const half& b) {
    return {b.auction, b.bidder_or_seller, b.price_or_expires, b.ms, s.seller, s.expires};
  }
};

} // namespace

plan q3(const feed& from, target to) {
  using side = std::variant<item, seller>;
  const auto wanted = [](const event& e) -> std::optional<side> {
    if (e.what == event::kind::auction && e.auction.category == 10)
      return to_item(e);
    if (e.what == event::kind::person && (e.person.state == "or" || e.person.state == "id" || e.person.state == "ca"))
      return seller{e.person.id, e.person.name, e.person.city, e.person.state, at_ms(e.time)};
    return std::nullopt;
  };
  const auto person = [](const side& s) { return s.index() == 0 ? std::get<0>(s).seller : std::get<1>(s).id; };
  return over(from, [&](const auto& events) {
    return by_key(from, events.flat_map(wanted), person, [&](const auto& sides) {
      return sides.join([](const item& a, const seller& p) {
                    return std::tuple{p.name, p.city, p.state, a.id};
                  })
          .end(answer_sink{to});
    });
  });
}

plan q8(const feed& from, target to) {
  using sign = newcomer::sign;
  const auto to_sign = [](const event& e) -> std::optional<sign> {
    if (e.what == event::kind::person)
      return sign{e.person.id, e.person.name, true, at_ms(e.time)};
    if (e.what == event::kind::auction)
      return sign{e.auction.seller, {}, false, at_ms(e.time)};
    return std::nullopt;
  };
  return over(from, [&](const auto& events) {
    return by_key(from, events.flat_map(to_sign), &sign::person, [&](const auto& signs) {
      return signs.window(pl::tumbling{10s}, newcomer{})
          .flat_map([](const auto& w) {
            std::vector<std::tuple<std::int64_t, std::string_view, std::int64_t>> rows;
            for (const auto name : w.value)
              rows.emplace_back(w.key, name, in_ms(w.window.start));
            return rows;
          })
          .end(answer_sink{to});
    });
  });
}

plan q20(const feed& from, target to) {
  const auto to_half = [](const event& e) -> std::optional<half> {
    if (e.what == event::kind::bid)
      return half{e.bid.auction, e.bid.bidder, e.bid.price, e.time, half::kind::bid};
    if (e.what == event::kind::auction)
      return half{e.auction.id, e.auction.seller, e.auction.expires, e.time,
                  e.auction.category == 10 ? half::kind::wanted : half::kind::unwanted};
    return std::nullopt;
  };
  return over(from, [&](const auto& events) {
    return by_key(from, events.flat_map(to_half), &half::auction, [&](const auto& halves) {
      return halves.template process<expanded>(expand_logic::state{}, expand_logic{}).end(answer_sink{to});
    });
  });
}

} // namespace nexmark::plans
