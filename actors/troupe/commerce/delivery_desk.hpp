// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/own_answer.hpp>

#include <troupe/actor.hpp>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe::commerce {

/// Lets all shipment partitions deliver: sends a round through each group of partitions and waits for the rounds' ends.
///
/// Transactions that come while a round is under way share the next one, up to `round_members_max`: what a round costs, a
/// message per partition and one per group, they pay together. Each partition delivers for each of them in turn.
///
///     update_deliveries  delivery_answer   packages delivered by this transaction, now or before
///     round_ended        -
///
/// Keeps nothing: after a restart the askers ask again with the same transactions, which the partitions recognise.
/// Limits: 1,024 transactions at a time, like any actor.
class delivery_desk final : public actor<delivery_desk, update_deliveries, round_ended> {
public:
  /// `number` is this desk's place in the directory.
  delivery_desk(std::uint32_t number, std::shared_ptr<const directory> shop);

  task<delivery_answer> on(const update_deliveries& m);
  void on(const round_ended& m);

private:
  /// A transaction, and the handler that waits for its end.
  struct member {
    transaction_id tid = 0;
    own_answer<delivery_answer>* wanted = nullptr; // null: it does not wait any more
    std::uint32_t packages = 0;
  };
  struct round {
    std::uint32_t left = 0; ///< Parts that have not come to their end.
    std::vector<member> members;
  };

  void begin_round();
  void forget(const own_answer<delivery_answer>& answer);

  const std::uint32_t number_;
  const std::shared_ptr<const directory> shop_;
  std::vector<member> waiting_;                       // for the next round
  std::unordered_map<std::uint64_t, round> rounds_{}; // by number
  std::uint32_t last_round_ = 0;
};

} // namespace troupe::commerce
