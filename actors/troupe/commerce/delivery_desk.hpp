// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/patterns/own_answer.hpp>

#include <troupe/actor.hpp>

#include <cstdint>
#include <memory>
#include <unordered_map>

namespace troupe::commerce {

/// Lets all shipment partitions deliver, for one transaction: sends a round through each group of partitions and waits
/// for the rounds' ends. Each partition is told once; what that costs is a message per partition and two per group.
///
///     update_deliveries  delivery_answer   packages delivered by this transaction, now or before
///     round_ended        -
///
/// Keeps nothing: after a restart the asker asks again with the same transaction, which the partitions recognise.
/// Limits: 1,024 transactions at a time, like any actor.
class delivery_desk final : public actor<delivery_desk, update_deliveries, round_ended> {
public:
  /// `number` is this desk's place in the directory.
  delivery_desk(std::uint32_t number, std::shared_ptr<const directory> shop);

  task<delivery_answer> on(const update_deliveries& m);
  void on(const round_ended& m);

private:
  struct round {
    std::uint32_t left = 0;
    std::uint32_t packages = 0;
    own_answer<delivery_answer>* wanted = nullptr;
  };

  const std::uint32_t number_;
  const std::shared_ptr<const directory> shop_;
  std::unordered_map<std::uint64_t, round> rounds_; // by number
  std::uint32_t last_round_ = 0;
};

} // namespace troupe::commerce
