// SPDX-License-Identifier: BSD-3-Clause
#include "marketplace_diary.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace order_simulation {

using troupe::commerce::transaction_id;

market_sums& market_sums::operator+=(const market_sums& x) {
  for (std::size_t k = 0; k < transaction_kinds; ++k) {
    ended[k] += x.ended[k];
    failed[k] += x.failed[k];
  }
  orders_completed += x.orders_completed;
  orders_rejected += x.orders_rejected;
  orders_failed += x.orders_failed;
  acknowledged += x.acknowledged;
  dashboards += x.dashboards;
  dashboards_wrong += x.dashboards_wrong;
  sessions_checked += x.sessions_checked;
  sessions_mixed += x.sessions_mixed;
  return *this;
}

std::uint64_t market_sums::transactions() const {
  return std::accumulate(failed.begin(), failed.end(), std::accumulate(ended.begin(), ended.end(), std::uint64_t{0}));
}

bool ended_transactions::contains(transaction_id tid) const {
  const std::uint64_t epoch = tid >> 32 & 0xffff;
  const std::uint64_t number = tid & 0xffff'ffff;
  if (epoch != epoch_)
    return epoch < epoch_;
  return number < below_ || std::ranges::find(above_, number) != above_.end();
}

void ended_transactions::add(transaction_id tid) {
  above_.push_back(tid & 0xffff'ffff);
  for (auto next = std::ranges::find(above_, below_); next != above_.end(); next = std::ranges::find(above_, below_)) {
    *next = above_.back();
    above_.pop_back();
    ++below_;
  }
}

marketplace_diary::marketplace_diary(std::uint32_t driver) : journaled_actor{"diary/" + std::to_string(driver)} {}

marketplace_diary::effect<> marketplace_diary::on(const note_ends& m) const {
  fault_point();
  transactions_ended fresh;
  for (const auto& e : m.ends)
    if (!state().over.contains(e.tid)) {
      fresh.tids.push_back(e.tid);
      fresh.sums += e.sums;
    }
  if (fresh.tids.empty())
    return {};
  return {std::move(fresh)};
}

marketplace_diary::effect<> marketplace_diary::on(const begin_epoch& m) const {
  fault_point();
  if (state().over.epoch() >= m.epoch)
    return {};
  return {epoch_begun{m.epoch}};
}

void marketplace_diary::apply(diary_state& s, const transactions_ended& e) {
  for (const auto tid : e.tids)
    s.over.add(tid);
  s.sums += e.sums;
}

void marketplace_diary::apply(diary_state& s, const epoch_begun& e) { s.over.begin_epoch(e.epoch); }

} // namespace order_simulation
