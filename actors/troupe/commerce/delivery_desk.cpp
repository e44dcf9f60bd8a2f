// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/delivery_desk.hpp>

#include <algorithm>

namespace troupe::commerce {

namespace {

// Partitions that a round goes through: with more of them a round takes longer, with fewer there are more messages.
constexpr std::uint32_t group = 10;
constexpr std::chrono::seconds patience{2};

} // namespace

delivery_desk::delivery_desk(std::uint32_t number, std::shared_ptr<const directory> shop)
    : number_{number}, shop_{std::move(shop)} {}

task<delivery_answer> delivery_desk::on(const update_deliveries& m) {
  fault_point();
  // Under a number of its own: ends of rounds that an earlier incarnation began, or whose asker gave up, do not count.
  const auto mine = std::uint64_t{incarnation()} << 32 | ++last_round_;
  own_answer<delivery_answer> all_ended{self(), patience};
  const auto partitions = shop_->shipments();
  rounds_[mine] = {(partitions + group - 1) / group, 0, &all_ended};
  for (std::uint32_t first = 0; first < partitions; first += group) {
    const auto last = std::min(first + group, partitions) - 1;
    shop_->shipment(first).tell(delivery_round{m.tid, mine, number_, first + 1, last - first, 0});
  }
  const auto ended = co_await all_ended.outcome();
  rounds_.erase(mine);
  co_return ended ? *ended : delivery_answer{};
}

void delivery_desk::on(const round_ended& m) {
  fault_point();
  const auto found = rounds_.find(m.round);
  if (found == rounds_.end() || found->second.left == 0)
    return;
  auto& r = found->second;
  r.packages += m.delivered;
  if (--r.left == 0)
    r.wanted->give(delivery_answer{r.packages, true});
}

} // namespace troupe::commerce
