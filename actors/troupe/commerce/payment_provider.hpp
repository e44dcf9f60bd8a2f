// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/messages.hpp>

#include <troupe/actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

namespace troupe::commerce {

/// How the simulated provider behaves. An order's fate depends on the order and the seed alone.
struct provider_options {
  double declined = 0; ///< Share of charges that it declines, 0..1.
  double slow = 0;     ///< Share of charges that take `delay`, 0..1.
  std::chrono::nanoseconds delay{0};
  std::uint64_t seed = 1;
  std::size_t remembered = 10'000; ///< Orders whose charge it recognises when it is repeated or refunded.
};

/// The provider's own books, which are not the shop's: they outlive the provider actor's restarts.
///
/// Threads: the provider's turn, or anybody while it is idle.
struct provider_books {
  struct account {
    money taken{};       ///< 0: declined, or given back.
    bool closed = false; ///< Refunded.
  };

  std::unordered_map<std::uint64_t, account> accounts; ///< By hash of the order; the last `remembered` ones.
  std::deque<std::uint64_t> by_age;
  std::uint64_t approved = 0;
  std::uint64_t declined = 0;
  std::uint64_t repeated = 0;
  std::uint64_t refunded = 0;
  money balance{};
};

struct provider_query {
  using reply = provider_books;
};

/// A payment provider to test and demonstrate with. A real one is any actor that handles `charge` and `refund`.
///
///     charge          charge_answer   approved | declined
///     refund          -
///     provider_query  provider_books
class simulated_provider final : public actor<simulated_provider, charge, refund, provider_query> {
public:
  explicit simulated_provider(provider_options options = {}, std::shared_ptr<provider_books> books = nullptr);

  task<charge_answer> on(const charge& m);
  void on(const refund& m);
  provider_books on(const provider_query&) const { return *books_; }

private:
  charge_answer decide(const charge& m);
  provider_books::account& open_account(std::uint64_t key);

  const provider_options options_;
  const std::shared_ptr<provider_books> books_;
};

} // namespace troupe::commerce
