// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/product.hpp>

#include <string>

namespace troupe::commerce {

namespace {

product_state opened(money price, money freight) {
  product_state s;
  s.price = price;
  s.freight = freight;
  return s;
}

} // namespace

product::product(product_key item, money price, money freight, std::shared_ptr<const directory> shop)
    : journaled_actor{"product/" + std::to_string(item.seller.value) + "/" + std::to_string(item.number),
                      opened(price, freight)},
      item_{item}, shop_{std::move(shop)} {}

const product_state::update* product::known(transaction_id tid) const {
  return state().updates.find([&](const auto& u) { return u.tid == tid; });
}

task<update_place> product::on(const update_price& m) {
  if (const auto* before = known(m.tid); before == nullptr)
    co_await persist(price_changed{m.tid, m.price});
  else if (before->sequence != 0)
    co_return update_place{before->sequence};
  fault_point();
  co_return co_await publish();
}

task<update_place> product::on(const replace_product& m) {
  if (const auto* before = known(m.tid); before == nullptr)
    co_await persist(product_replaced{m.tid, m.price, m.freight});
  else if (before->sequence != 0)
    co_return update_place{before->sequence};
  fault_point();
  co_return co_await publish();
}

/// The stock first: as long as it has the old version it sells the old product, which the price list still shows.
task<update_place> product::publish() {
  const auto& s = state();
  if (s.replaced > s.published) {
    const set_stock_version version{s.version, s.revision};
    (co_await ask_persistently(self(), shop_->stock(item_), version)).value();
  }
  const publish_price price{item_.number, s.revision, s.version, s.price};
  const auto place = (co_await ask_persistently(self(), shop_->seller(item_.seller), price)).value();
  co_await persist(update_published{price.revision, place.sequence});
  co_return place;
}

void product::apply(product_state& s, const price_changed& e) {
  s.price = e.price;
  s.updates.add({e.tid, ++s.revision, 0});
}

void product::apply(product_state& s, const product_replaced& e) {
  s.price = e.price;
  s.freight = e.freight;
  s.version = e.tid;
  s.updates.add({e.tid, ++s.revision, 0});
  s.replaced = s.revision;
}

void product::apply(product_state& s, const update_published& e) {
  s.published = e.revision;
  if (auto* u = s.updates.find([&](const auto& x) { return x.revision == e.revision; }))
    u->sequence = e.sequence;
}

} // namespace troupe::commerce
