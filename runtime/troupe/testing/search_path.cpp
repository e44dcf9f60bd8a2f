// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/search_path.hpp>

#include <algorithm>

namespace troupe::detail {

void footprint::touch(std::uint64_t id) {
  const auto at = std::lower_bound(touched.begin(), touched.end(), id);
  if (at == touched.end() || *at != id)
    touched.insert(at, id);
}

void footprint::merge(const footprint& other) {
  actor = other.actor;
  everything |= other.everything;
  for (const auto id : other.touched)
    touch(id);
}

bool footprint::independent_of(const footprint& other) const noexcept {
  if (everything || other.everything || actor == other.actor)
    return false;
  auto a = touched.begin();
  auto b = other.touched.begin();
  while (a != touched.end() && b != other.touched.end()) {
    if (*a == *b)
      return false;
    *a < *b ? ++a : ++b; // equivalent: they differ
  }
  return true;
}

void search_path::restart() noexcept {
  at_ = 0;
  last_turn_ = 0;
  asleep_.clear();
  redundant_ = false;
}

bool search_path::sleeps(const step& s, std::uint64_t actor) noexcept {
  return std::any_of(s.asleep.begin(), s.asleep.end(), [&](const footprint& f) { return f.actor == actor; });
}

/// The first from `from` on that is awake. False: all sleep.
bool search_path::choose_awake(step& s, std::uint32_t from) noexcept {
  for (s.chosen = from; s.chosen < s.among; ++s.chosen)
    if (!sleeps(s, s.ready[s.chosen]))
      return true;
  return false;
}

std::uint32_t search_path::next_turn(const std::deque<engine::runnable*>& ready) {
  if (at_ == steps_.size()) {
    auto& fresh = steps_.emplace_back();
    fresh.among = static_cast<std::uint32_t>(ready.size());
    for (const auto* r : ready)
      fresh.ready.push_back(r->subject());
    fresh.asleep = asleep_;
    if (!choose_awake(fresh, 0)) {
      redundant_ = true; // whatever comes now has been seen
      fresh.chosen = fresh.among - 1;
    }
  }
  last_turn_ = ++at_;
  return steps_[at_ - 1].chosen;
}

std::uint32_t search_path::next(std::uint32_t n) {
  if (redundant_)
    return 0; // equivalent: the run ends with this turn, and whatever it could choose has been seen
  if (at_ == steps_.size()) {
    auto& fresh = steps_.emplace_back();
    fresh.among = n;
  }
  return steps_[at_++].chosen;
}

void search_path::turn_over(const footprint& f) {
  if (!reduce_ || last_turn_ == 0)
    return;
  auto& s = steps_[last_turn_ - 1];
  s.made.merge(f);
  asleep_.clear();
  for (const auto& other : s.asleep)
    if (other.independent_of(f))
      asleep_.push_back(other);
}

bool search_path::advance() {
  while (!steps_.empty()) {
    auto& s = steps_.back();
    if (s.ready.empty()) {
      if (++s.chosen < s.among)
        return true;
    } else {
      if (reduce_)
        s.asleep.push_back(s.made); // from here on, unless something that it depends on comes first
      s.made = {};
      if (choose_awake(s, s.chosen + 1))
        return true;
    }
    steps_.pop_back();
  }
  return false;
}

} // namespace troupe::detail
