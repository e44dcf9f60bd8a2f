// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/keys.hpp>

#include <troupe/journal/format.hpp>
#include <troupe/journal/journaled_actor.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace order_simulation {

inline constexpr std::size_t transaction_kinds = 5;

/// What some transactions have come to, as their customers know it.
struct market_sums {
  std::array<std::uint64_t, transaction_kinds> ended{};
  std::array<std::uint64_t, transaction_kinds> failed{};
  std::uint64_t orders_completed = 0;
  std::uint64_t orders_rejected = 0;
  std::uint64_t orders_failed = 0;
  troupe::commerce::tally acknowledged; ///< Accepted orders that a customer was told of.
  std::uint64_t dashboards = 0;
  std::uint64_t dashboards_wrong = 0;
  std::uint64_t sessions_checked = 0;
  std::uint64_t sessions_mixed = 0; ///< Answers with lines of another session.
  TROUPE_JSON(market_sums, ended, failed, orders_completed, orders_rejected, orders_failed, acknowledged, dashboards,
              dashboards_wrong, sessions_checked, sessions_mixed)

  market_sums& operator+=(const market_sums& x);
  std::uint64_t transactions() const;
};

/// The transactions of one driver that have ended. A transaction's id is made of the driver, the epoch and a number that
/// counts from 1 in each epoch; when an epoch begins, all of the earlier ones are over.
class ended_transactions {
public:
  static constexpr troupe::commerce::transaction_id id(std::uint32_t driver, std::uint64_t epoch,
                                                       std::uint64_t number) {
    return (std::uint64_t{driver} + 1) << 48 | (epoch & 0xffff) << 32 | number;
  }
  static constexpr std::uint32_t driver_of(troupe::commerce::transaction_id tid) {
    return static_cast<std::uint32_t>(tid >> 48) - 1;
  }

  bool contains(troupe::commerce::transaction_id tid) const;
  void add(troupe::commerce::transaction_id tid);
  void begin_epoch(std::uint64_t epoch) { *this = ended_transactions{epoch}; }
  std::uint64_t epoch() const { return epoch_; }

  ended_transactions() = default;
  TROUPE_JSON(ended_transactions, epoch_, below_, above_)

private:
  explicit ended_transactions(std::uint64_t epoch) : epoch_{epoch} {}

  std::uint64_t epoch_ = 0;
  std::uint64_t below_ = 1;            ///< All numbers below have ended,
  std::vector<std::uint64_t> above_{}; ///< and of those above these; unsorted, few.
};

/// One transaction's end.
struct transaction_end {
  troupe::commerce::transaction_id tid = 0;
  market_sums sums; ///< Of this one.
};

struct transactions_ended {
  std::vector<troupe::commerce::transaction_id> tids;
  market_sums sums;
  static constexpr std::string_view journal_name = "transactions_ended";
  TROUPE_JSON(transactions_ended, tids, sums)
};
struct epoch_begun {
  std::uint64_t epoch = 0;
  static constexpr std::string_view journal_name = "epoch_begun";
  TROUPE_JSON(epoch_begun, epoch)
};

struct diary_state {
  ended_transactions over;
  market_sums sums;
  static constexpr std::string_view journal_name = "diary_state";
  TROUPE_JSON(diary_state, over, sums)
};

struct note_ends {
  std::vector<transaction_end> ends;
};
/// Everything before is over: the next ids are new ones.
struct begin_epoch {
  std::uint64_t epoch = 0;
};
struct diary_query {
  using reply = diary_state;
};

/// What one driver's customers have been told, for the next process of the run. The driver tells it after the customer; what
/// a kill takes away in between is asked again under its old id.
///
///     note_ends     -
///     begin_epoch   -
///     diary_query   diary_state
///
/// Key: the transaction.
class marketplace_diary final
    : public troupe::journaled_actor<marketplace_diary, diary_state, troupe::events<transactions_ended, epoch_begun>,
                                     note_ends, begin_epoch, diary_query> {
public:
  static constexpr std::size_t snapshot_every = 64;

  explicit marketplace_diary(std::uint32_t driver);

  effect<> on(const note_ends& m) const;
  effect<> on(const begin_epoch& m) const;
  diary_state on(const diary_query&) const { return state(); }

  static void apply(diary_state& s, const transactions_ended& e);
  static void apply(diary_state& s, const epoch_begun& e);
};

} // namespace order_simulation
