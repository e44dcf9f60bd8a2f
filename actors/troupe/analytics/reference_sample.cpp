// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/analytics/reference_sample.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace troupe::analytics {

namespace {

constexpr double groups_wanted = 200;
constexpr std::size_t fresh_most = 32;
constexpr double weight_least = 0.125; // of a group that is kept

constexpr double tail_share = 0.02;
constexpr double tail_least = 5;
constexpr double tail_shape = 0.2;

/// The scale of a t-digest: groups are as long as one step of it, hence short where the share is near 0 or 1.
double scale(double share) {
  return groups_wanted / (2 * std::numbers::pi) * std::asin(2 * std::clamp(share, 0.0, 1.0) - 1);
}

/// A number that grows as `value` gets more extreme: to the right side or, mirrored, to the left.
struct to_the_right {
  double operator()(double value) const { return value; }
  template <class Groups>
  const auto& from_the_end(const Groups& groups, std::size_t i) const {
    return groups[groups.size() - 1 - i];
  }
};

struct to_the_left {
  double operator()(double value) const { return -value; }
  template <class Groups>
  const auto& from_the_end(const Groups& groups, std::size_t i) const {
    return groups[i];
  }
};

} // namespace

template <class Outward>
double reference_sample::surprise(double value, Outward outward) const {
  if (weight_ < least)
    return 0;
  const double extreme = outward(value);
  double beyond = 0; // weight of what is at least as extreme
  for (const double f : fresh_)
    beyond += outward(f) >= extreme ? 1 : 0;
  const double tail = std::max(tail_least, tail_share * weight_);

  // From the end inwards, until the value is passed and the tail is complete.
  double start = extreme;
  double passed = 0;
  std::size_t in_tail = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const group& g = outward.from_the_end(groups_, i);
    const double mean = outward(g.mean);
    if (mean >= extreme)
      beyond += g.weight;
    passed += g.weight;
    start = mean;
    in_tail = i;
    if (passed >= tail && mean < extreme)
      break;
  }
  const double by_rank = std::max(0.0, -std::log10((beyond + 1) / (weight_ + 1)));
  if (beyond >= tail || extreme <= start)
    return by_rank;

  double excess = 0;
  double weight = 0;
  for (std::size_t i = 0; i < in_tail; ++i) {
    const group& g = outward.from_the_end(groups_, i);
    excess += (outward(g.mean) - start) * g.weight;
    weight += g.weight;
  }
  for (const double f : fresh_)
    if (outward(f) > start) {
      excess += outward(f) - start;
      weight += 1;
    }
  weight = std::max(weight, tail);
  // Where the tail is a single value, what differs from it by more than rounding is an outlier.
  const double rounding = 1e-9 * std::max(std::abs(start), std::numeric_limits<double>::min());
  const double scaled = (extreme - start) / std::max(excess / weight, rounding);
  return std::max(0.0, std::log10(1 + tail_shape * scaled) / tail_shape - std::log10(weight / (weight_ + 1)));
}

double reference_sample::surprise_above(double value) const { return surprise(value, to_the_right{}); }
double reference_sample::surprise_below(double value) const { return surprise(value, to_the_left{}); }
double reference_sample::surprise(double value) const { return std::max(surprise_above(value), surprise_below(value)); }

void reference_sample::add(double value) {
  fresh_.push_back(value);
  weight_ += 1;
  if (fresh_.size() == fresh_most)
    compress();
  if (weight_ >= memory)
    fade();
}

void reference_sample::compress() {
  std::sort(fresh_.begin(), fresh_.end());
  std::vector<group> all;
  all.reserve(groups_.size() + fresh_.size());
  auto old = groups_.begin();
  for (const double f : fresh_) {
    for (; old != groups_.end() && old->mean <= f; ++old)
      all.push_back(*old);
    all.push_back({f, 1});
  }
  all.insert(all.end(), old, groups_.end());
  fresh_.clear();

  groups_.clear();
  double before = 0;
  group open = all.front();
  for (auto next = all.begin() + 1; next != all.end(); ++next) {
    const double joined = open.weight + next->weight;
    const bool fits = scale((before + joined) / weight_) - scale(before / weight_) <= 1;
    if (fits || next->mean == open.mean) {
      open.mean += (next->mean - open.mean) * next->weight / joined;
      open.weight = joined;
    } else {
      before += open.weight;
      groups_.push_back(open);
      open = *next;
    }
  }
  groups_.push_back(open);
}

void reference_sample::fade() {
  if (!fresh_.empty())
    compress();
  weight_ = 0;
  for (auto& g : groups_)
    g.weight /= 2;
  std::erase_if(groups_, [](const group& g) { return g.weight < weight_least; });
  for (const auto& g : groups_)
    weight_ += g.weight;
}

} // namespace troupe::analytics
