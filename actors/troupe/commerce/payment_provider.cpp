// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/payment_provider.hpp>
#include <troupe/patterns/pause.hpp>

namespace troupe::commerce {

namespace {

/// A number in [0, 1) that belongs to the order.
double fate_of(order_key o, std::uint64_t seed) { return static_cast<double>(hash_of(o, seed) >> 11) * 0x1p-53; }

} // namespace

simulated_provider::simulated_provider(provider_options options, std::shared_ptr<provider_books> books)
    : options_{options}, books_{books != nullptr ? std::move(books) : std::make_shared<provider_books>()} {}

task<charge_answer> simulated_provider::on(const charge& m) {
  fault_point();
  const auto answer = decide(m);
  if (options_.slow > 0 && fate_of(m.order, options_.seed + 1) < options_.slow)
    co_await pause(self(), options_.delay);
  co_return answer;
}

charge_answer simulated_provider::decide(const charge& m) {
  const auto key = hash_of(m.order);
  auto& books = *books_;
  if (const auto known = books.accounts.find(key); known != books.accounts.end()) {
    ++books.repeated;
    return known->second.taken > money{} && !known->second.closed ? charge_answer::approved : charge_answer::declined;
  }
  auto& account = open_account(key);
  if (fate_of(m.order, options_.seed) < options_.declined) {
    ++books.declined;
    return charge_answer::declined;
  }
  ++books.approved;
  account.taken = m.amount;
  books.balance += m.amount;
  return charge_answer::approved;
}

void simulated_provider::on(const refund& m) {
  fault_point();
  auto& books = *books_;
  const auto key = hash_of(m.order);
  const auto known = books.accounts.find(key);
  auto& account = known != books.accounts.end() ? known->second : open_account(key);
  if (account.closed)
    return;
  account.closed = true;
  ++books.refunded;
  books.balance -= account.taken;
  account.taken = {};
}

provider_books::account& simulated_provider::open_account(std::uint64_t key) {
  auto& books = *books_;
  if (books.by_age.size() >= options_.remembered) {
    books.accounts.erase(books.by_age.front());
    books.by_age.pop_front();
  }
  books.by_age.push_back(key);
  return books.accounts[key];
}

} // namespace troupe::commerce
