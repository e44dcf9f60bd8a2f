// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/shipment.hpp>

#include <algorithm>
#include <bit>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace troupe::commerce {

namespace {

using namespace std::chrono_literals;

constexpr auto tell_pause = 100ms; // before what somebody does not confirm is told again
constexpr auto tell_pause_longest = 3s;
constexpr auto keep_pause = 20ms;     // what others have confirmed waits so long for a record to go along with
constexpr std::size_t told_max = 4;   // or until there are so many: few enough to be recognised if they are told again
constexpr std::size_t looked_at = 10; // the oldest shipments that one delivery considers

/// The sellers of an order's packages, each once.
std::vector<seller_id> sellers_of(const std::vector<product_key>& packages) {
  std::vector<seller_id> all;
  all.reserve(packages.size());
  for (const auto& p : packages)
    if (std::ranges::find(all, p.seller) == all.end())
      all.push_back(p.seller);
  return all;
}

/// Open, told to somebody who has not confirmed it, or closed not long ago. An order that does not know yet that it was
/// shipped asks again, and how many others are closed meanwhile is not in its hands.
bool knows(const shipment_state& s, order_key o) {
  return std::ranges::find(s.open, o, &open_shipment::order) != s.open.end() ||
         std::ranges::find(s.untold, o, &shipment_notice::order) != s.untold.end() ||
         s.closed.find([&](order_key k) { return k == o; }) != nullptr;
}

/// Delivers the parts; what is delivered as a whole goes.
void take(std::vector<open_shipment>& open, const std::vector<delivered_part>& parts) {
  for (const auto& p : parts) {
    const auto found = std::ranges::find(open, p.number, &open_shipment::number);
    found->delivered |= p.packages;
    if (found->delivered == found->all())
      open.erase(found);
  }
}

} // namespace

std::vector<delivered_part> deliverable(const std::vector<open_shipment>& open) {
  std::vector<delivered_part> parts;
  std::vector<seller_id> served;
  for (std::size_t i = 0; i < std::min(looked_at, open.size()); ++i) {
    const auto& s = open[i];
    const auto before = served.size();
    line_set mine = 0;
    for (std::size_t p = 0; p < s.packages.size(); ++p) {
      const auto from = s.packages[p].seller;
      const auto earlier = std::span{served}.first(before); // served by older shipments
      if ((s.delivered & line_bit(p)) != 0 || std::ranges::find(earlier, from) != earlier.end())
        continue;
      mine |= line_bit(p);
      served.push_back(from);
    }
    if (mine != 0)
      parts.push_back({s.number, mine});
  }
  return parts;
}

shipment::shipment(std::uint32_t partition, std::shared_ptr<const directory> shop, retry_policy policy)
    : journaled_actor{"shipment/" + std::to_string(partition)}, shop_{std::move(shop)}, policy_{policy},
      again_to_{state().last_notice}, pauses_{tell_pause, tell_pause_longest} {
  if (!state().untold.empty())
    begin_to_tell();
}

template <class Effect>
Effect shipment::and_told(Effect fx) {
  if (!told_.empty())
    fx.and_event(notices_told{told_});
  return std::move(fx).then([this] {
    told_.clear();
    begin_to_tell();
  });
}

shipment::effect<> shipment::on(const ship_order& m) {
  if (knows(state(), m.order))
    return {};
  fault_point();
  return and_told(effect<>{shipment_made{m.order, m.freight, moment_of(wall_now()), m.packages}});
}

shipment::effect<std::uint32_t> shipment::on(const deliver_oldest& m) {
  if (const auto* before = state().deliveries.find(m.tid))
    return before->packages;
  fault_point();
  auto parts = deliverable(state().open);
  const auto count = size_of(parts);
  if (count == 0)
    return count;
  return and_told(effect<std::uint32_t>{count, packages_delivered{m.tid, std::move(parts)}});
}

shipment::effect<> shipment::on(const delivery_round& m) {
  fault_point();
  const auto& s = state();
  auto done = m;
  effect<> delivered;
  bool any = false;
  std::vector<open_shipment> rest; // of the oldest ones, for those who come after the first that delivers
  for (std::uint32_t i = 0; i < m.members; ++i) {
    auto& share = done.shares[i];
    if (const auto* before = s.deliveries.find(share.tid)) {
      share.packages += before->packages;
      continue;
    }
    const auto& open = any ? rest : s.open;
    if (open.empty())
      continue;
    auto parts = deliverable(open);
    const auto earlier = std::span{m.shares}.first(i);
    if (parts.empty() || std::ranges::find(earlier, share.tid, &delivery_share::tid) != earlier.end())
      continue;
    share.packages += size_of(parts);
    if (!any)
      rest.assign(s.open.begin(),
                  s.open.begin() + static_cast<std::ptrdiff_t>(std::min(s.open.size(), round_members_max * looked_at)));
    any = true;
    take(rest, parts);
    delivered.and_event(packages_delivered{share.tid, std::move(parts)});
  }
  if (!any) {
    // Mostly there is nothing to do, and nothing can fail between here and the end of the handler.
    pass_on(done);
    return {};
  }
  if (!told_.empty())
    delivered.and_event(notices_told{told_});
  return std::move(delivered).then([this, done] {
    told_.clear();
    begin_to_tell();
    pass_on(done);
  });
}

std::uint32_t shipment::size_of(const std::vector<delivered_part>& parts) {
  std::uint32_t n = 0;
  for (const auto& p : parts)
    n += static_cast<std::uint32_t>(std::popcount(p.packages));
  return n;
}

namespace {

/// What is on its way to the others about some notices.
struct told {
  std::vector<call<seller_ref, note_ready>> ready;
  std::vector<call<seller_ref, note_packages>> packages;
  std::vector<call<seller_ref, note_concluded>> concluded;
  std::vector<call<customer_ref, note_arrival>> arrivals;
  std::vector<call<order_ref, order_moved>> moves;

  void begin(const shipment_notice& n, bool again, bool arrived, const directory& shop, const retry_policy& policy) {
    const auto& buyer = shop.of(n.order.customer);
    const auto sellers = sellers_of(n.packages);
    if (n.delivered == 0) {
      for (const auto s : sellers)
        ready.emplace_back(shop.seller(s), note_ready{n.order, again}, policy);
      moves.emplace_back(buyer.order, order_moved{n.order.number, order_status::ready_for_shipment, false}, policy);
      return;
    }
    if (!arrived)
      arrivals.emplace_back(buyer.customer, note_arrival{n.order.number, n.delivered}, policy);
    for (const auto s : sellers) {
      line_set theirs = 0;
      for (std::size_t p = 0; p < n.packages.size(); ++p)
        if (n.packages[p].seller == s)
          theirs |= n.delivered & line_bit(p);
      if (theirs != 0)
        packages.emplace_back(shop.seller(s), note_packages{n.order, theirs, n.last, again}, policy);
      else if (n.last)
        concluded.emplace_back(shop.seller(s), note_concluded{n.order, again}, policy);
    }
    if (n.first || n.last) {
      const auto to = n.last ? order_status::delivered : order_status::in_transit;
      moves.emplace_back(buyer.order, order_moved{n.order.number, to, n.first && n.last}, policy);
    }
  }
};

} // namespace

/// The notices that can be told now: nobody is to hear of an order's step who has not confirmed the one before, since a
/// receiver that is just being restarted may refuse the one and take the other.
std::vector<std::uint64_t> shipment::tellable() const {
  std::vector<std::uint64_t> numbers;
  const auto& all = state().untold;
  for (auto n = all.begin(); n != all.end(); ++n)
    if (!std::ranges::binary_search(telling_, n->number) && !is_told(n->number) &&
        std::none_of(all.begin(), n, [&](const auto& x) { return x.order == n->order && !is_told(x.number); }))
      numbers.push_back(n->number);
  return numbers;
}

bool shipment::is_told(std::uint64_t notice) const { return std::ranges::binary_search(told_, notice); }

/// A crash before that is kept has them told once more, which changes nothing at those who have heard.
void shipment::on(const others_told& m) {
  const auto confirmed = [&](auto n) { return std::ranges::binary_search(m.numbers, n); };
  std::erase_if(telling_, confirmed);
  std::erase_if(arrived_, confirmed);
  told_.insert(told_.end(), m.numbers.begin(), m.numbers.end());
  std::ranges::sort(told_);
  const bool at_once = told_.size() >= told_max && self().tell(keep_told{}) == delivery::accepted;
  if (!at_once && !std::exchange(keeping_, true))
    after("keep", keep_pause, keep_told{});
  if (!tellable().empty())
    begin_to_tell();
}

/// The customers have confirmed these, and are not told once more: they recognise their last few orders only.
void shipment::note_arrived(const std::vector<std::uint64_t>& notices) {
  std::vector<std::uint64_t> both;
  std::ranges::set_union(arrived_, notices, std::back_inserter(both));
  arrived_ = std::move(both);
}

void shipment::begin_to_tell() {
  if (self().tell(tell_others{}) != delivery::accepted)
    try_later(); // the mailbox is full
}

void shipment::try_later() { after("tell", pauses_.next(random()), tell_others{}); }

shipment::effect<> shipment::on(const keep_told&) {
  fault_point();
  keeping_ = false;
  if (told_.empty())
    return {};
  return effect<>{notices_told{told_}}.then([this] { told_.clear(); });
}

/// Begins to tell everything that can be told, and only then waits for the answers.
task<void> shipment::on(const tell_others&) {
  fault_point();
  if (!shop_->open()) {
    try_later();
    co_return;
  }
  told way;
  const auto numbers = tellable();
  if (numbers.empty())
    co_return;
  for (const auto& n : state().untold)
    if (std::ranges::binary_search(numbers, n.number))
      way.begin(n, n.number <= again_to_, std::ranges::binary_search(arrived_, n.number), *shop_, policy_);
  telling_.insert(telling_.end(), numbers.begin(), numbers.end());
  std::ranges::sort(telling_);
  bool all = co_await finish(self(), way.ready, policy_);
  all = co_await finish(self(), way.packages, policy_) && all;
  all = co_await finish(self(), way.concluded, policy_) && all;
  const bool arrived = co_await finish(self(), way.arrivals, policy_);
  all = co_await finish(self(), way.moves, policy_) && arrived && all;
  if (all && self().tell(others_told{numbers}) == delivery::accepted) {
    pauses_.reset();
    co_return;
  }
  if (arrived)
    note_arrived(numbers);
  again_to_ = std::max(again_to_, numbers.back());
  std::erase_if(telling_, [&](auto n) { return std::ranges::binary_search(numbers, n); });
  try_later(); // somebody is silent, or the mailbox is full
}

void shipment::pass_on(delivery_round m) const {
  if (m.left == 0) {
    shop_->desk(m.desk).tell(round_ended{m.round, m.shares});
    return;
  }
  const auto& next = shop_->shipment(m.next);
  ++m.next;
  --m.left;
  next.tell(m);
}

void shipment::apply(shipment_state& s, const shipment_made& e) {
  const auto hash = hash_of(e.order);
  s.open.push_back({++s.last_number, e.order, shipment_status::approved, 0, e.freight, e.at, e.packages});
  s.shipments.add(hash);
  s.freight += e.freight;
  for (std::size_t i = 0; i < e.packages.size(); ++i)
    s.packages.add(package_hash(e.order, i, e.packages[i]));
  s.untold.push_back({++s.last_notice, e.order, 0, false, false, e.packages});
}

void shipment::apply(shipment_state& s, const packages_delivered& e) {
  s.deliveries.add({e.tid, size_of(e.parts)});
  s.delivered += size_of(e.parts);
  for (const auto& p : e.parts) {
    const auto found = std::ranges::find(s.open, p.number, &open_shipment::number);
    const bool first = found->delivered == 0;
    found->delivered |= p.packages;
    found->status = shipment_status::delivery_in_progress;
    const bool last = found->delivered == found->all();
    s.untold.push_back({++s.last_notice, found->order, p.packages, first, last, found->packages});
    if (!last)
      continue;
    s.concluded.add(hash_of(found->order));
    s.closed.add(found->order);
    s.open.erase(found);
  }
}

void shipment::apply(shipment_state& s, const notices_told& e) {
  // Both are sorted, and mostly the oldest of the one are all of the other.
  std::erase_if(s.untold, [&](const auto& n) { return std::ranges::binary_search(e.numbers, n.number); });
}

} // namespace troupe::commerce
