// SPDX-License-Identifier: BSD-3-Clause
#include "replay_queue.hpp"

#include <algorithm>

namespace order_simulation {

void replay_queue::add(std::uint64_t order, std::uint32_t index, std::int64_t wanted, std::int64_t returned) {
  fresh_.clear();
  parts_.push_back({order, index, ballot::none, fate::open, wanted, returned});
  cast_certain();
}

void replay_queue::decide(std::uint64_t order, bool accepted) {
  fresh_.clear();
  const auto found = std::find_if(parts_.begin(), parts_.end(), [&](const part& p) { return p.order == order; });
  if (found == parts_.end())
    return;
  found->outcome = accepted ? fate::taken : fate::left;
  if (found->cast == ballot::none) {
    found->cast = ballot::moot;
    fresh_.push_back({found->order, found->index, ballot::moot});
  }
  fold_front();
  cast_certain();
}

bool replay_queue::holds(std::uint64_t order) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const part& p) { return p.order == order; });
}

bool replay_queue::undecided(std::uint64_t order) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const part& p) { return p.order == order && p.outcome == fate::open; });
}

ballot replay_queue::cast_for(std::uint64_t order) const {
  const auto found = std::find_if(parts_.begin(), parts_.end(), [&](const part& p) { return p.order == order; });
  return found == parts_.end() ? ballot::none : found->cast;
}

void replay_queue::fold_front() {
  auto first = parts_.begin();
  for (; first != parts_.end() && first->outcome != fate::open; ++first) {
    returned_ += first->returned;
    available_ += first->returned;
    if (first->outcome == fate::taken) {
      sold_ += first->wanted;
      available_ -= first->wanted;
    }
  }
  parts_.erase(parts_.begin(), first);
}

/// Walks through the parts with the least and the most that can be available before each.
void replay_queue::cast_certain() {
  std::int64_t least = available_;
  std::int64_t most = available_;
  for (part& p : parts_) {
    least += p.returned;
    most += p.returned;
    if (p.cast == ballot::none && (least >= p.wanted || most < p.wanted)) {
      p.cast = least >= p.wanted ? ballot::yes : ballot::no;
      fresh_.push_back({p.order, p.index, p.cast});
    }
    // An order that got a "no" will not take its part, whatever the others say.
    const bool may_take = p.outcome == fate::taken || (p.outcome == fate::open && p.cast != ballot::no);
    if (may_take)
      least -= p.wanted;
    if (p.outcome == fate::taken)
      most -= p.wanted;
  }
}

} // namespace order_simulation
