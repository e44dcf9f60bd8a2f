// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/cart.hpp>
#include <troupe/commerce/customer.hpp>
#include <troupe/commerce/delivery_desk.hpp>
#include <troupe/commerce/order.hpp>
#include <troupe/commerce/payment.hpp>
#include <troupe/commerce/payment_provider.hpp>
#include <troupe/commerce/product.hpp>
#include <troupe/commerce/seller.hpp>
#include <troupe/commerce/shipment.hpp>
#include <troupe/commerce/stock.hpp>

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe::commerce {

struct small_shop_options {
  std::uint32_t customers = 3;
  std::uint32_t sellers = 3;
  std::uint32_t products = 2; ///< Of each seller.
  std::uint32_t partitions = 2;
  std::int64_t stock_each = 100;
  money price{1'000};
  money freight{50};
  provider_options provider{};
  payment_patience patience{};
  std::shared_ptr<fault_injector> faults{};
  std::uint64_t seed = 1;
  unsigned turn_messages = 128;
};

/// A whole shop in simulated time, in which every run with the same seed is the same.
class small_shop {
public:
  explicit small_shop(small_shop_options o = {})
      : options{o}, sys{{.turn_messages = o.turn_messages,
                         .through = {.clock = clock, .random = seeded_random(o.seed)},
                         .faults = o.faults,
                         .stepped = o.seed}} {
    const auto root = sys.supervise("shop", {.intensity = unlimited, .group_intensity = unlimited, .backoff = pause});
    const std::shared_ptr<const directory> known = who;
    for (std::uint32_t i = 0; i < o.partitions; ++i) {
      shipments.push_back(root.start<shipment>("", child, i, known));
      who->add_shipment(shipments.back());
    }
    desk = root.start<delivery_desk>("", child, 0u, known);
    who->add_desk(desk);
    provider = root.start<simulated_provider>("", child, 0u, o.provider);
    for (std::uint32_t s = 1; s <= o.sellers; ++s) {
      sellers.push_back(root.start<seller>("", child, seller_id{s}, std::vector<money>(o.products, o.price)));
      who->set(seller_id{s}, sellers.back());
      for (std::uint32_t p = 1; p <= o.products; ++p) {
        const product_key key{{s}, p};
        products.push_back(root.start<product>("", child, key, o.price, o.freight, known));
        stocks.push_back(root.start<stock>("", child, key, o.stock_each));
        who->set(key, products.back(), stocks.back());
      }
    }
    for (std::uint32_t c = 1; c <= o.customers; ++c) {
      const customer_id id{c};
      carts.push_back(root.start<cart>("", child, id, known));
      orders.push_back(root.start<order>("", child, id, known));
      payments.push_back(root.start<payment>("", child, id, provider_ref{provider}, o.patience));
      customers.push_back(root.start<customer>("", child, id));
      who->set(id, {carts.back(), orders.back(), payments.back(), customers.back()});
    }
  }

  ~small_shop() { sys.shutdown(); }

  order_line line(std::uint32_t seller, std::uint32_t number, std::uint32_t quantity = 1) const {
    order_line l;
    l.item = {{seller}, number};
    l.unit_price = options.price;
    l.freight = options.freight;
    l.quantity = quantity;
    return l;
  }

  const ref<stock>& stock_of(std::uint32_t seller, std::uint32_t number) const {
    return stocks[(seller - 1) * options.products + number - 1];
  }
  const ref<product>& product_of(std::uint32_t seller, std::uint32_t number) const {
    return products[(seller - 1) * options.products + number - 1];
  }

  /// A whole session; the transaction's id is the session's, and the request is repeated until it is decided.
  checkout_answer buy(std::uint32_t customer, transaction_id tid, const std::vector<order_line>& lines) {
    for (const auto& l : lines)
      (void)ask(carts[customer - 1], add_item{tid, l});
    return check_out(customer, tid, tid);
  }

  checkout_answer check_out(std::uint32_t customer, transaction_id tid, transaction_id session) {
    checkout_answer answer;
    for (int i = 0; i < 100 && answer.verdict == checkout_verdict::unfinished; ++i)
      answer = ask(carts[customer - 1], checkout{tid, session, payment_method::credit_card});
    return answer;
  }

  std::uint32_t deliver(transaction_id tid) {
    for (int i = 0; i < 100; ++i)
      if (const auto answer = ask(desk, update_deliveries{tid}); answer.complete) {
        sys.run_until_idle(); // what the partitions have told others
        return answer.packages;
      }
    return 0;
  }

  provider_books provider_ledger() { return ask(provider, provider_query{}); }

  /// Asks from outside, again if a failure has got in between.
  template <class Ref, class M>
  reply_of<M> ask(const Ref& to, const M& message) {
    for (int i = 0;; ++i) {
      auto answer = to.ask(message, std::chrono::seconds{30}).try_get();
      if (answer || i == 200)
        return std::move(answer).value();
    }
  }

  small_shop_options options;
  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<directory> who = std::make_shared<directory>();
  backoff_options pause{.min = std::chrono::milliseconds{1}, .max = std::chrono::milliseconds{2}};
  child_options child{.retries = 60};
  troupe::system sys;
  std::vector<ref<shipment>> shipments;
  ref<delivery_desk> desk;
  ref<simulated_provider> provider;
  std::vector<ref<seller>> sellers;
  std::vector<ref<product>> products; // by seller, then by number
  std::vector<ref<stock>> stocks;
  std::vector<ref<cart>> carts;
  std::vector<ref<order>> orders;
  std::vector<ref<payment>> payments;
  std::vector<ref<customer>> customers;
};

} // namespace troupe::commerce
