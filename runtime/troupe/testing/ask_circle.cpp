// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/ask_circle.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::detail {

namespace {

/// Depth-first, from the actor asked back to the asker.
class way_back {
public:
  explicit way_back(const std::vector<pending_ask>& asks) : asks_{asks} {}

  std::vector<std::uint64_t> of(const pending_ask& start) {
    way_ = {start.asker};
    seen_.clear();
    return leads_back(start.asked, start.asker_blocked) ? way_ : std::vector<std::uint64_t>{};
  }

private:
  bool leads_back(std::uint64_t at, bool blocked) {
    if (at == way_.front())
      return blocked;
    if (!seen_.insert({at, blocked}).second)
      return false;
    way_.push_back(at);
    for (const auto& a : asks_)
      if (a.asker == at && leads_back(a.asked, blocked || a.asker_blocked))
        return true;
    way_.pop_back();
    return false;
  }

  const std::vector<pending_ask>& asks_;
  std::vector<std::uint64_t> way_;
  std::set<std::pair<std::uint64_t, bool>> seen_; // an actor, and whether somebody on the way to it is blocked
};

} // namespace

std::vector<std::uint64_t> ask_circle(std::vector<pending_ask> asks) {
  std::sort(asks.begin(), asks.end(), [](const pending_ask& a, const pending_ask& b) {
    return std::pair{a.asker, a.asked} < std::pair{b.asker, b.asked}; // equivalent: equal ones are alike
  });
  way_back search{asks};
  for (const auto& a : asks)
    if (a.expires)
      if (auto circle = search.of(a); !circle.empty())
        return circle;
  return {};
}

} // namespace troupe::detail
