// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>
#include <troupe/commerce/retry.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace troupe::commerce {

/// What is for sale under one key.
struct product_state {
  struct update {
    transaction_id tid = 0;
    std::uint64_t revision = 0;
    std::uint64_t sequence = 0; ///< Once published.
    TROUPE_JSON(update, tid, revision, sequence)
  };

  money price{};
  money freight{};
  std::uint64_t version = 0;   ///< The transaction that replaced the product last; 0: none.
  std::uint64_t revision = 0;  ///< Updates of price or version so far.
  std::uint64_t replaced = 0;  ///< The revision that made the version.
  std::uint64_t published = 0; ///< The last revision that stock and seller have confirmed.
  recent<update, 4> updates;   ///< Updates are made one after the other, so a repetition concerns one of the last.
  static constexpr std::string_view journal_name = "product_state";
  TROUPE_JSON(product_state, price, freight, version, revision, replaced, published, updates)
};

struct product_query {
  using reply = product_state;
};

struct price_changed {
  transaction_id tid = 0;
  money price{};
  static constexpr std::string_view journal_name = "price_changed";
  TROUPE_JSON(price_changed, tid, price)
};
struct product_replaced {
  transaction_id tid = 0;
  money price{};
  money freight{};
  static constexpr std::string_view journal_name = "product_replaced";
  TROUPE_JSON(product_replaced, tid, price, freight)
};
struct update_published {
  std::uint64_t revision = 0;
  std::uint64_t sequence = 0;
  static constexpr std::string_view journal_name = "update_published";
  TROUPE_JSON(update_published, revision, sequence)
};

/// One product. An update is answered when its stock (for a new version) and its seller's price list have it: whoever
/// has the answer, and whoever he tells, then finds it in every cart that is checked out.
///
///     update_price     update_place
///     replace_product  update_place
///     product_query    product_state
///
/// Key: the transaction; recognises the last 4 updates. Exclusive: one update at a time.
class product final
    : public journaled_actor<product, product_state, events<price_changed, product_replaced, update_published>,
                             update_price, replace_product, product_query> {
public:
  static constexpr bool exclusive = true;
  static constexpr std::size_t snapshot_every = 8;

  product(product_key item, money price, money freight, std::shared_ptr<const directory> shop);

  task<update_place> on(const update_price& m);
  task<update_place> on(const replace_product& m);
  product_state on(const product_query&) const { return state(); }

  static void apply(product_state& s, const price_changed& e);
  static void apply(product_state& s, const product_replaced& e);
  static void apply(product_state& s, const update_published& e);

private:
  const product_state::update* known(transaction_id tid) const;
  task<update_place> publish();

  const product_key item_;
  const std::shared_ptr<const directory> shop_;
};

} // namespace troupe::commerce
