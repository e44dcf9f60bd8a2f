// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/delivery_desk.hpp>

#include <algorithm>

namespace troupe::commerce {

namespace {

// Partitions that a round goes through: with more of them a round takes longer, with fewer there are more messages.
constexpr std::uint32_t group = 25;
constexpr std::chrono::seconds patience{2};

} // namespace

delivery_desk::delivery_desk(std::uint32_t number, std::shared_ptr<const directory> shop)
    : number_{number}, shop_{std::move(shop)} {}

task<delivery_answer> delivery_desk::on(const update_deliveries& m) {
  fault_point();
  own_answer<delivery_answer> ended{self(), patience};
  waiting_.push_back({m.tid, &ended});
  if (rounds_.empty() || waiting_.size() >= round_members_max)
    begin_round();
  const auto answer = co_await ended.outcome();
  forget(ended);
  co_return answer ? *answer : delivery_answer{};
}

void delivery_desk::begin_round() {
  // Under a number of its own: ends of rounds that an earlier incarnation began, or whose askers gave up, do not count.
  const auto mine = std::uint64_t{incarnation()} << 32 | ++last_round_;
  const auto partitions = shop_->shipments();
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), round_members_max));
  auto& r = rounds_[mine] = {(partitions + group - 1) / group, {waiting_.begin(), end}};
  waiting_.erase(waiting_.begin(), end);
  delivery_round tour{mine, number_, 0, 0, static_cast<std::uint32_t>(r.members.size()), {}};
  for (std::size_t i = 0; i < r.members.size(); ++i)
    tour.shares[i].tid = r.members[i].tid;
  for (std::uint32_t first = 0; first < partitions; first += group) {
    const auto last = std::min(first + group, partitions) - 1;
    tour.next = first + 1;
    tour.left = last - first;
    shop_->shipment(first).tell(tour);
  }
}

/// Nobody waits for that answer any more. A round for which nobody waits is not waited for either.
void delivery_desk::forget(const own_answer<delivery_answer>& answer) {
  const auto is_it = [&](const member& m) { return m.wanted == &answer; };
  std::erase_if(waiting_, is_it);
  for (auto at = rounds_.begin(); at != rounds_.end(); ++at) {
    auto& members = at->second.members;
    const auto found = std::ranges::find_if(members, is_it);
    if (found == members.end())
      continue;
    found->wanted = nullptr;
    if (std::ranges::all_of(members, [](const member& m) { return m.wanted == nullptr; }))
      rounds_.erase(at);
    break;
  }
  if (rounds_.empty() && !waiting_.empty())
    begin_round();
}

void delivery_desk::on(const round_ended& m) {
  fault_point();
  const auto found = rounds_.find(m.round);
  if (found == rounds_.end())
    return;
  auto& members = found->second.members;
  for (std::size_t i = 0; i < members.size(); ++i)
    members[i].packages += m.shares[i].packages;
  if (--found->second.left > 0)
    return;
  const auto ended = std::move(members);
  rounds_.erase(found);
  if (!waiting_.empty())
    begin_round();
  for (const auto& x : ended)
    if (x.wanted != nullptr)
      x.wanted->give(delivery_answer{x.packages, true});
}

} // namespace troupe::commerce
