// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/journaled_actor.hpp>

#include "programs.hpp"

#include <chrono>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace simulated {

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr int account_count = 4;
constexpr int transfer_count = 15;
constexpr std::int64_t opening_balance = 100;

struct arrived_for {
  std::uint64_t transfer;
};
struct credit {
  std::uint64_t transfer;
  std::int64_t amount;
  ref_to<arrived_for> from;
};
struct debit {
  std::uint64_t transfer;
  std::int64_t amount;
  using reply = bool;
};
struct balance_of {
  using reply = std::int64_t;
};

struct debited {
  std::uint64_t transfer;
  std::int64_t amount;
};
struct credited {
  std::uint64_t transfer;
  std::int64_t amount;
};

struct account_state {
  std::int64_t balance = opening_balance;
  std::set<std::uint64_t> debits{}, credits{};
};

/// Does each debit and each credit once, however often it is asked to.
class account : public journaled_actor<account, account_state, events<debited, credited>, debit, credit, balance_of> {
public:
  explicit account(const std::string& key) : journaled_actor{key} {}
  effect<bool> on(const debit& d) {
    fault_point();
    if (state().debits.contains(d.transfer))
      return true;
    if (state().balance < d.amount)
      return false;
    return {true, debited{d.transfer, d.amount}};
  }
  effect<> on(const credit& c) {
    fault_point();
    const auto receipt = [c] { c.from.tell(arrived_for{c.transfer}); };
    effect<> done;
    if (!state().credits.contains(c.transfer))
      done = effect<>{credited{c.transfer, c.amount}};
    return std::move(done).then(receipt);
  }
  std::int64_t on(const balance_of&) const { return state().balance; }

  static void apply(account_state& s, const debited& e) {
    s.balance -= e.amount;
    s.debits.insert(e.transfer);
  }
  static void apply(account_state& s, const credited& e) {
    s.balance += e.amount;
    s.credits.insert(e.transfer);
  }
};

struct begin {};
struct remind {};

/// Where a bank is with its transfers.
struct bank_state {
  std::uint64_t transfer = 1;
  bool debited = false;
};
struct debit_done {};
struct transfer_done {};

/// Makes one transfer after the other: takes the money, then sends it until it has arrived.
class bank : public journaled_actor<bank, bank_state, events<debit_done, transfer_done>, begin, remind, arrived_for> {
public:
  explicit bank(std::vector<ref<account>> accounts) : journaled_actor{"bank"}, accounts_{std::move(accounts)} {
    self().tell(begin{});
  }
  task<> on(const begin&) {
    const auto n = state().transfer;
    if (n > transfer_count)
      co_return;
    if (!state().debited) {
      const debit request{n, amount_of(n)};
      auto asked = accounts_[n % account_count].ask(request);
      const auto taken = co_await asked.outcome();
      if (n != state().transfer || state().debited)
        co_return;
      if (!taken) {
        after("again", 20ms, begin{});
        co_return;
      }
      if (*taken) {
        auto kept = this->persist(debit_done{});
        co_await kept;
      } else {
        auto kept = this->persist(transfer_done{});
        co_await kept;
        self().tell(begin{});
        co_return;
      }
    }
    send();
  }
  void on(const remind&) { send(); }
  effect<> on(const arrived_for& a) {
    if (a.transfer != state().transfer || !state().debited)
      return {};
    cancel_timer("remind");
    return effect<>{transfer_done{}}.then([this] { self().tell(begin{}); });
  }

  static void apply(bank_state& s, const debit_done&) { s.debited = true; }
  static void apply(bank_state& s, const transfer_done&) {
    ++s.transfer;
    s.debited = false;
  }

private:
  static std::int64_t amount_of(std::uint64_t transfer) { return static_cast<std::int64_t>(transfer * 7 % 50 + 1); }
  void send() {
    const auto n = state().transfer;
    if (n > transfer_count || !state().debited)
      return;
    accounts_[(n + 1) % account_count].tell(credit{n, amount_of(n), self()});
    after("remind", 50ms, remind{});
  }

  const std::vector<ref<account>> accounts_;
};

/// The bank is on one machine, half of the accounts on another.
void run_accounts(simulation& sim) {
  for (int i = 1; i < account_count; i += 2)
    sim.node("top/account-" + std::to_string(i), "branch");
  std::vector<ref<account>> accounts;
  sim.outcome("balances", [&] {
    std::string all;
    for (const auto& a : accounts) {
      for (int i = 0;; ++i) {
        auto answer = a.ask(balance_of{}, 30s).try_get();
        if (!answer && i < 50)
          continue;
        all += std::to_string(std::move(answer).value()) + " ";
        break;
      }
    }
    return all;
  });
  sim.run([&](troupe::system& sys) {
    const auto top = sys.supervise(
        "top", {.intensity = unlimited, .group_intensity = unlimited, .backoff = {.min = 1ms, .max = 2ms}});
    child_options child;
    child.retries = unlimited;
    accounts.clear();
    for (int i = 0; i < account_count; ++i) {
      const auto name = "account-" + std::to_string(i);
      accounts.push_back(top.start<account>(name, child, name));
    }
    top.start<bank>("bank", child, accounts);
  });
}

} // namespace

application journaled_accounts() {
  return {{.name = "accounts",
           .faults = {.crash = 0.05,
                      .preempt = 0.2,
                      .slow = 0.05,
                      .slow_by = 80ms,
                      .full = 0.02,
                      .process_crash = 0.01,
                      .process_crashes_max = 3,
                      .link_delay = 0.1,
                      .link_loss = 0.03,
                      .link_down = 0.005},
           .same_outcome = true},
          run_accounts,
          "journaled_accounts"};
}

std::vector<application> all() {
  return {supervision_tree(), journaled_accounts(), durable_shop(),     marketplace(),
          replay_by_line(),   replay_by_order(),    windowed_pipeline()};
}

} // namespace simulated
