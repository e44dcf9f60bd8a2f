// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>

#include <troupe/actor.hpp>
#include <troupe/own_answer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe::commerce {

/// To itself: rounds may have been lost on their way.
struct rounds_overdue {};

/// Lets all shipment partitions deliver: sends a round through each group of partitions and waits for the rounds' ends.
///
/// Transactions that come while a round is under way share the next one, up to `round_members_max`: what a round costs, a
/// message per partition and one per group, they pay together. Each partition delivers for each of them in turn. At most
/// `rounds_max` are under way; beyond that transactions wait here, and not the rounds at the partitions, where orders wait
/// as well. One that is asked for again keeps its place: the last asker gets the answer, the one before `complete` false.
/// A round that does not come back is sent again, after 10 s, or twice the time of the last one that did, and then twice as
/// long each time, to 5 min: one that is merely slow would only wait behind itself.
///
///     update_deliveries  delivery_answer   packages delivered by this transaction, now or before
///     round_ended        -
///     rounds_overdue     -
///
/// Keeps nothing: after a restart the askers ask again with the same transactions. A partition recognises those that were
/// among the last to deliver something; for others it delivers once more.
/// Limits: 1,024 transactions at a time, like any actor, and 4,096 with those that nobody waits for any more; beyond that
/// `complete` is false at once.
class delivery_desk final : public actor<delivery_desk, update_deliveries, round_ended, rounds_overdue> {
public:
  /// Enough for a shop on a disk, where a round takes half a second.
  static constexpr std::size_t rounds_max = 64;

  /// `number` is this desk's place in the directory.
  delivery_desk(std::uint32_t number, std::shared_ptr<const directory> shop);

  task<delivery_answer> on(const update_deliveries& m);
  void on(const round_ended& m);
  void on(const rounds_overdue&);

private:
  /// A transaction, and the handler that waits for its end.
  struct member {
    transaction_id tid = 0;
    own_answer<delivery_answer>* wanted = nullptr; // null: it does not wait any more
    std::uint32_t packages = 0;
  };
  struct round {
    time_point begun{};
    std::uint32_t left = 0; ///< Parts that have not come to their end.
    std::vector<member> members;
  };

  member* find(transaction_id tid);
  void begin_rounds();
  void begin_round();
  void watch_rounds();

  const std::uint32_t number_;
  const std::shared_ptr<const directory> shop_;
  std::deque<member> waiting_;                        // for the next round
  std::unordered_map<std::uint64_t, round> rounds_{}; // by number
  std::uint32_t last_round_ = 0;
  std::chrono::seconds patience_; // with a round
  bool watching_ = false;         // a rounds_overdue is to come
};

} // namespace troupe::commerce
