// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <bench/nexmark/generator.hpp>
#include <cmath>
#include <cstdlib>

namespace nexmark {

namespace {

constexpr std::int64_t first_id = 1'000; // of persons and of auctions
constexpr std::int64_t first_category = 10;
constexpr std::uint64_t categories = 5;
constexpr std::int64_t lead = 10; // ids that do not exist yet may be named already
constexpr std::int64_t auctions_in_flight = 100;
constexpr std::int64_t active_people = 1'000;
constexpr std::uint32_t channels = 10'000;

constexpr std::array states{"az", "ca", "id", "or", "wa", "wy"};
constexpr std::array cities{"phoenix", "los angeles", "san francisco", "boise", "portland",
                            "bend",    "redmond",     "seattle",       "kent",  "cheyenne"};
constexpr std::array first_names{"peter", "paul",  "luke",  "john",   "saul",  "vicky",
                                 "kate",  "julie", "sarah", "deiter", "walter"};
constexpr std::array last_names{"shultz", "abrams", "spencer", "white", "bartels", "walton", "smith", "jones", "noris"};
constexpr std::array hot_channels{"Google", "Facebook", "Baidu", "Apple"};

/// SplitMix64 (Steele, Lea, Flood 2014), begun anew for each event.
class dice {
public:
  dice(std::uint64_t seed, std::uint64_t n) : state_{seed * 0x9e3779b97f4a7c15 + n * 0xd1342543de82ef95} {}
  std::uint64_t next() noexcept {
    auto z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  /// One in [from, to).
  std::int64_t between(std::int64_t from, std::int64_t to) noexcept {
    return from + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to - from)));
  }
  std::int64_t price() noexcept {
    const double u = static_cast<double>(next() >> 11) * 0x1p-53;
    return std::llround(std::pow(10.0, u * 6.0) * 100.0);
  }

private:
  std::uint64_t state_;
};

/// The newest person and auction at event `n`, counted from 0.
std::int64_t last_person(std::uint64_t n) { return static_cast<std::int64_t>(n / 50); }
std::int64_t last_auction(std::uint64_t n) {
  const auto epoch = static_cast<std::int64_t>(n / 50);
  const auto offset = static_cast<std::int64_t>(n % 50);
  if (offset == 0)
    return epoch * 3 - 1; // of the epoch before
  return epoch * 3 + std::min<std::int64_t>(offset, 3) - 1;
}

std::int64_t any_person(std::uint64_t n, dice& d) {
  const auto people = last_person(n) + 1;
  const auto active = std::min(people, active_people);
  return people - active + d.between(0, active + lead);
}

std::int64_t any_auction(std::uint64_t n, dice& d) {
  const auto last = std::max<std::int64_t>(last_auction(n), 0);
  return d.between(std::max<std::int64_t>(last - auctions_in_flight, 0), last + lead + 1);
}

/// Milliseconds of event time until `auctions_in_flight` further auctions, at 1,000 events per second.
constexpr std::int64_t horizon = auctions_in_flight * 50 / 3;

std::string word(dice& d, std::size_t from, std::size_t to) {
  std::string w(from + d.below(to - from + 1), ' ');
  for (auto& c : w)
    if (const auto letter = d.below(13 * 2 + 1); letter < 26)
      c = static_cast<char>('a' + letter);
  return w;
}

std::uint32_t reversed(std::uint32_t x) noexcept {
  std::uint32_t y = 0;
  for (int i = 0; i < 32; ++i, x >>= 1)
    y = (y << 1) | (x & 1);
  return y;
}

} // namespace

struct generator::texts {
  std::vector<std::string> names;
  std::vector<std::string> channel_names; // the hot ones first
  std::vector<std::string> urls;

  explicit texts(std::uint64_t seed) {
    for (const auto* f : first_names)
      for (const auto* l : last_names)
        names.push_back(std::string{f} + ' ' + l);
    for (const auto* c : hot_channels)
      channel_names.emplace_back(c);
    for (std::uint32_t i = 0; i < channels; ++i)
      channel_names.push_back("channel-" + std::to_string(i));
    for (std::size_t i = 0; i < channel_names.size(); ++i) {
      dice d{seed, ~i};
      const auto part = [&] {
        auto w = word(d, 3, 5);
        std::ranges::replace(w, ' ', '_');
        return w;
      };
      auto url = "https://www.nexmark.com/" + part() + '/' + part() + '/' + part() + "/item.htm?query=1";
      if (i >= hot_channels.size() && d.below(10) > 0)
        url += "&channel_id=" + std::to_string(std::llabs(static_cast<std::int32_t>(
                                    reversed(static_cast<std::uint32_t>(i - hot_channels.size())))));
      urls.push_back(std::move(url));
    }
  }
};

generator::generator(std::uint64_t seed) : seed_{seed}, texts_{std::make_shared<const texts>(seed)} {}

event generator::make(std::uint64_t n) const {
  dice d{seed_, n};
  event e{};
  e.sequence = static_cast<std::uint32_t>(n);
  e.time = base_time + static_cast<std::int64_t>(n);
  const auto offset = n % 50;
  if (offset == 0) {
    e.what = event::kind::person;
    e.person = {first_id + last_person(n), texts_->names[d.below(texts_->names.size())], cities[d.below(cities.size())],
                states[d.below(states.size())]};
  } else if (offset <= 3) {
    e.what = event::kind::auction;
    const auto seller = d.below(4) > 0 ? last_person(n) / 100 * 100 : any_person(n, d);
    e.auction = {first_id + last_auction(n), first_id + seller,
                 first_category + static_cast<std::int64_t>(d.below(categories)),
                 e.time + 1 + d.between(0, std::max<std::int64_t>(1, 2 * horizon))};
  } else {
    e.what = event::kind::bid;
    const auto auction = d.below(2) > 0 ? last_auction(n) / 100 * 100 : any_auction(n, d);
    const auto bidder = d.below(4) > 0 ? last_person(n) / 100 * 100 + 1 : any_person(n, d);
    const auto price = d.price();
    const auto channel = d.below(2) > 0 ? d.below(hot_channels.size()) : hot_channels.size() + d.below(channels);
    e.bid = {first_id + auction, first_id + bidder, price, texts_->channel_names[channel], texts_->urls[channel]};
  }
  return e;
}

std::string generator::header() {
  return "seq,type,date_time,id,name,email_address,credit_card,city,state,item_name,description,initial_bid,reserve,"
         "expires,"
         "seller,category,auction,bidder,price,channel,url";
}

std::string generator::line(std::uint64_t n) const {
  const auto e = make(n);
  dice d{~seed_, n};
  const auto text = [](std::int64_t x) { return std::to_string(x); };
  auto row = text(e.sequence) + ',';
  switch (e.what) {
    case event::kind::person: {
      auto card = text(d.between(1'000, 10'000));
      for (int i = 0; i < 3; ++i)
        card += ' ' + text(d.between(1'000, 10'000));
      return row + "P," + text(e.time) + ',' + text(e.person.id) + ',' + std::string{e.person.name} + ',' +
             word(d, 3, 7) + '@' + word(d, 2, 5) + ".com," + card + ',' + std::string{e.person.city} + ',' +
             std::string{e.person.state} + ",,,,,,,,,,,,";
    }
    case event::kind::auction: {
      const auto initial = d.price();
      return row + "A," + text(e.time) + ',' + text(e.auction.id) + ",,,,,," + word(d, 3, 20) + ',' + word(d, 20, 100) +
             ',' + text(initial) + ',' + text(initial + d.price()) + ',' + text(e.auction.expires) + ',' +
             text(e.auction.seller) + ',' + text(e.auction.category) + ",,,,,";
    }
    case event::kind::bid: break;
  }
  return row + "B," + text(e.time) + ",,,,,,,,,,,,,," + text(e.bid.auction) + ',' + text(e.bid.bidder) + ',' +
         text(e.bid.price) + ',' + std::string{e.bid.channel} + ',' + std::string{e.bid.url};
}

} // namespace nexmark
