// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/shipment.hpp>

#include <algorithm>
#include <bit>
#include <span>
#include <string>

namespace troupe::commerce {

namespace {

constexpr std::size_t looked_at = 10; // the oldest shipments that one delivery considers

line_set bit(std::size_t i) { return line_set{1} << i; }

/// The sellers of an order's packages, each once.
std::vector<seller_id> sellers_of(const std::vector<product_key>& packages) {
  std::vector<seller_id> all;
  all.reserve(packages.size());
  for (const auto& p : packages)
    if (std::ranges::find(all, p.seller) == all.end())
      all.push_back(p.seller);
  return all;
}

bool knows(const shipment_state& s, order_key o) {
  return std::ranges::find(s.open, o, &open_shipment::order) != s.open.end() ||
         s.closed.find([&](order_key k) { return k == o; }) != nullptr;
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
      if ((s.delivered & bit(p)) != 0 || std::ranges::find(earlier, from) != earlier.end())
        continue;
      mine |= bit(p);
      served.push_back(from);
    }
    if (mine != 0)
      parts.push_back({s.number, mine});
  }
  return parts;
}

/// What others are to be told of one shipment's delivery. Taken from the state before the delivery is applied.
struct shipment::notice {
  order_key order{};
  line_set packages = 0;
  bool first = false;
  bool last = false;
  std::vector<product_key> all;
};

shipment::shipment(std::uint32_t partition, std::shared_ptr<const directory> shop)
    : journaled_actor{"shipment/" + std::to_string(partition)}, shop_{std::move(shop)} {}

shipment::effect<> shipment::on(const ship_order& m) const {
  // What follows a shipment is told right after it is kept, so for a known one everything is told already.
  if (knows(state(), m.order))
    return {};
  fault_point();
  effect<> made{shipment_made{m.order, m.freight, now(), m.packages}};
  return std::move(made).then([this, o = m.order, sellers = sellers_of(m.packages)] {
    for (const auto s : sellers)
      shop_->seller(s).tell(note_ready{o});
    shop_->of(o.customer).order.tell(order_moved{o.number, order_status::ready_for_shipment});
  });
}

shipment::effect<std::uint32_t> shipment::on(const deliver_oldest& m) const {
  if (const auto* before = state().deliveries.find([&](const auto& d) { return d.tid == m.tid; }))
    return before->packages;
  fault_point();
  auto parts = deliverable(state().open);
  const auto count = size_of(parts);
  if (count == 0)
    return count;
  effect<std::uint32_t> done{count, packages_delivered{m.tid, parts}};
  return std::move(done).then([this, all = notices(parts)] { tell(all); });
}

shipment::effect<> shipment::on(const delivery_round& m) const {
  fault_point();
  const auto& s = state();
  const auto* before = s.deliveries.find([&](const auto& d) { return d.tid == m.tid; });
  auto parts = before == nullptr && !s.open.empty() ? deliverable(s.open) : std::vector<delivered_part>{};
  if (parts.empty()) {
    // Mostly there is nothing to do, and nothing can fail between here and the end of the handler.
    pass_on(m, before != nullptr ? before->packages : 0);
    return {};
  }
  effect<> done{packages_delivered{m.tid, parts}};
  return std::move(done).then([this, m, all = notices(parts), count = size_of(parts)] {
    tell(all);
    pass_on(m, count);
  });
}

std::uint32_t shipment::size_of(const std::vector<delivered_part>& parts) {
  std::uint32_t n = 0;
  for (const auto& p : parts)
    n += static_cast<std::uint32_t>(std::popcount(p.packages));
  return n;
}

std::vector<shipment::notice> shipment::notices(const std::vector<delivered_part>& parts) const {
  std::vector<notice> all;
  all.reserve(parts.size());
  for (const auto& p : parts) {
    const auto& s = *std::ranges::find(state().open, p.number, &open_shipment::number);
    all.push_back({s.order, p.packages, s.delivered == 0, (s.delivered | p.packages) == s.all(), s.packages});
  }
  return all;
}

void shipment::tell(const std::vector<notice>& all) const {
  for (const auto& n : all) {
    const auto& buyer = shop_->of(n.order.customer);
    const auto sellers = sellers_of(n.all);
    buyer.customer.tell(note_arrival{n.order.number, n.packages});
    if (n.first)
      buyer.order.tell(order_moved{n.order.number, order_status::in_transit});
    for (const auto s : sellers) {
      line_set theirs = 0;
      for (std::size_t p = 0; p < n.all.size(); ++p)
        if (n.all[p].seller == s)
          theirs |= n.packages & bit(p);
      if (theirs != 0)
        shop_->seller(s).tell(note_packages{n.order, theirs});
      if (n.last)
        shop_->seller(s).tell(note_concluded{n.order});
    }
    if (n.last)
      buyer.order.tell(order_moved{n.order.number, order_status::delivered});
  }
}

void shipment::pass_on(delivery_round m, std::uint32_t delivered) const {
  m.delivered += delivered;
  if (m.left == 0) {
    shop_->desk(m.desk).tell(round_ended{m.round, m.delivered});
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
}

void shipment::apply(shipment_state& s, const packages_delivered& e) {
  s.deliveries.add({e.tid, size_of(e.parts)});
  s.delivered += size_of(e.parts);
  for (const auto& p : e.parts) {
    const auto found = std::ranges::find(s.open, p.number, &open_shipment::number);
    found->delivered |= p.packages;
    found->status = shipment_status::delivery_in_progress;
    if (found->delivered != found->all())
      continue;
    s.concluded.add(hash_of(found->order));
    s.closed.add(found->order);
    s.open.erase(found);
  }
}

} // namespace troupe::commerce
