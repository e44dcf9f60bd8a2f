// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/delivery_desk.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace troupe::commerce {

namespace {

using namespace std::chrono_literals;

// Partitions that a round goes through: with more of them a round takes longer, with fewer there are more messages.
constexpr std::uint32_t group = 25;
constexpr std::size_t waiting_max = 4'096;
constexpr std::chrono::seconds answer_patience{60}; // of those who ask, if their deadline is not earlier
constexpr std::chrono::seconds first_patience{10};
constexpr std::chrono::seconds longest_patience{300};

} // namespace

delivery_desk::delivery_desk(std::uint32_t number, std::shared_ptr<const directory> shop)
    : number_{number}, shop_{std::move(shop)}, patience_{first_patience} {}

task<delivery_answer> delivery_desk::on(const update_deliveries& m) {
  fault_point();
  own_answer<delivery_answer> ended{self(), answer_patience};
  if (auto* known = find(m.tid)) {
    if (auto* before = std::exchange(known->wanted, &ended))
      before->give(delivery_answer{});
  } else {
    if (waiting_.size() >= waiting_max)
      co_return delivery_answer{};
    waiting_.push_back({m.tid, &ended});
    begin_rounds();
  }
  const auto answer = co_await ended.outcome();
  if (answer)
    co_return *answer;
  if (auto* left = find(m.tid); left != nullptr && left->wanted == &ended)
    left->wanted = nullptr; // it keeps its place
  co_return delivery_answer{};
}

delivery_desk::member* delivery_desk::find(transaction_id tid) {
  for (auto& [number, r] : rounds_)
    if (const auto at = std::ranges::find(r.members, tid, &member::tid); at != r.members.end())
      return &*at;
  const auto at = std::ranges::find(waiting_, tid, &member::tid);
  return at != waiting_.end() ? &*at : nullptr;
}

/// The first one at once; more when they are full.
void delivery_desk::begin_rounds() {
  while (!waiting_.empty() &&
         (rounds_.empty() || (waiting_.size() >= round_members_max && rounds_.size() < rounds_max)))
    begin_round();
}

void delivery_desk::begin_round() {
  // Under a number of its own: ends of rounds that an earlier incarnation began, or that were given up, do not count.
  const auto mine = std::uint64_t{incarnation()} << 32 | ++last_round_;
  const auto partitions = shop_->shipments();
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), round_members_max));
  auto& r = rounds_[mine] = {now(), (partitions + group - 1) / group, {waiting_.begin(), end}};
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
  watch_rounds();
}

void delivery_desk::watch_rounds() {
  if (!rounds_.empty() && !std::exchange(watching_, true))
    after(patience_, rounds_overdue{});
}

void delivery_desk::on(const rounds_overdue&) {
  fault_point();
  watching_ = false;
  const auto latest = now() - patience_;
  std::vector<std::uint64_t> lost;
  for (const auto& [number, r] : rounds_)
    if (r.begun <= latest)
      lost.push_back(number);
  std::ranges::sort(lost, std::ranges::greater{});
  for (const auto number : lost) { // so that the oldest are first again
    const auto at = rounds_.find(number);
    const auto& members = at->second.members;
    for (auto x = members.rbegin(); x != members.rend(); ++x)
      waiting_.push_front({x->tid, x->wanted, 0});
    rounds_.erase(at);
  }
  if (!lost.empty())
    patience_ = std::min(2 * patience_, longest_patience);
  begin_rounds();
  watch_rounds();
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
  const auto took = std::chrono::ceil<std::chrono::seconds>(now() - found->second.begun);
  rounds_.erase(found);
  patience_ = std::clamp(2 * took, first_patience, longest_patience);
  if (!waiting_.empty())
    begin_round();
  begin_rounds();
  for (const auto& x : ended)
    if (x.wanted != nullptr)
      x.wanted->give(delivery_answer{x.packages, true});
}

} // namespace troupe::commerce
