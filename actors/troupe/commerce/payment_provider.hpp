// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/messages.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

namespace troupe::commerce {

/// How the simulated provider behaves. An order's fate depends on the order and the seed alone.
struct provider_options {
  double declined = 0; ///< Share of charges that it declines, 0..1.
  double slow = 0;     ///< Share of charges that take `delay`, 0..1.
  std::chrono::nanoseconds delay{0};
  std::uint64_t seed = 1;
  std::size_t remembered = 10'000; ///< Orders whose charge it recognises when it is repeated or refunded.
};

/// The provider's own books, which are not the shop's.
struct provider_books {
  struct account {
    std::uint64_t order = 0; ///< Its hash.
    money taken{};           ///< 0: declined, or given back.
    bool closed = false;     ///< Refunded.
    TROUPE_JSON(account, order, taken, closed)
  };

  std::deque<account> accounts; ///< The last `remembered` ones, oldest first.
  std::uint64_t approved = 0;
  std::uint64_t declined = 0;
  std::uint64_t refunded = 0;
  money balance{};
  static constexpr std::string_view journal_name = "provider_books";
  TROUPE_JSON(provider_books, accounts, approved, declined, refunded, balance)
};

struct provider_query {
  using reply = provider_books;
};

struct charge_decided {
  std::uint64_t order = 0; ///< Its hash.
  money taken{};
  bool approved = false;
  std::size_t remembered = 0;
  static constexpr std::string_view journal_name = "charge_decided";
  TROUPE_JSON(charge_decided, order, taken, approved, remembered)
};
struct charge_refunded {
  std::uint64_t order = 0; ///< Its hash.
  std::size_t remembered = 0;
  static constexpr std::string_view journal_name = "charge_refunded";
  TROUPE_JSON(charge_refunded, order, remembered)
};

/// A payment provider to test and demonstrate with. A real one is any actor that handles `charge` and `refund`.
///
///     charge          charge_answer   approved | declined
///     refund          -
///     provider_query  provider_books
class simulated_provider final
    : public journaled_actor<simulated_provider, provider_books, events<charge_decided, charge_refunded>, charge,
                             refund, provider_query> {
public:
  static constexpr std::size_t snapshot_every = 1'024;

  /// `number` tells the providers of one shop apart.
  explicit simulated_provider(std::uint32_t number, provider_options options = {});

  task<charge_answer> on(const charge& m);
  effect<> on(const refund& m) const;
  provider_books on(const provider_query&) const { return state(); }

  static void apply(provider_books& s, const charge_decided& e);
  static void apply(provider_books& s, const charge_refunded& e);

private:
  const provider_books::account* account_of(std::uint64_t order) const;

  const provider_options options_;
};

} // namespace troupe::commerce
