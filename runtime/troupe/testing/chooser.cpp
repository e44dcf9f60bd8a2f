// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/chooser.hpp>
#include <troupe/testing/trace.hpp>

#include <algorithm>
#include <tuple>

namespace troupe::detail {

namespace {

double unit(std::uint64_t bits) noexcept { return static_cast<double>(bits >> 11) * 0x1p-53; }

} // namespace

std::pair<exploration_strategy, unsigned> drawn_strategy(std::uint64_t seed) noexcept {
  const auto bits = mixed(seed, 0x6d697865);
  const auto depth = static_cast<unsigned>(1 + (bits >> 8) % 4);
  switch (bits % 8) {
    case 0: return {exploration_strategy::first_in_first_out, depth};
    case 1:
    case 2:
    case 3:
    case 4: return {exploration_strategy::uniform, depth};
    default: return {exploration_strategy::priorities, depth};
  }
}

chooser::chooser(const simulation_options& options, search_path* path, bool record)
    : seed_{options.replay ? options.replay->seed : options.seed}, faults_max_{options.faults_max}, path_{path},
      record_{record}, strategy_{options.strategy}, replaying_{options.replay.has_value()} {
  auto depth = options.depth;
  if (strategy_ == exploration_strategy::mixed)
    std::tie(strategy_, depth) = drawn_strategy(seed_);
  if (replaying_)
    for (const auto& d : options.replay->choices)
      forced_[static_cast<std::uint64_t>(d.kind) << 32 | d.subject][d.ordinal] = d.value;
  if (strategy_ == exploration_strategy::priorities && !replaying_)
    for (unsigned i = 1; i < depth; ++i)
      change_points_.push_back(static_cast<std::uint32_t>(draw(0xc4a, i) % std::max(options.turns_expected, 1u)));
  std::sort(change_points_.begin(), change_points_.end());
}

std::uint64_t chooser::draw(std::uint64_t what, std::uint64_t ordinal) const noexcept {
  return mixed(mixed(seed_, what), ordinal);
}

std::uint32_t chooser::note(choice_kind kind, std::uint32_t subject, std::uint32_t ordinal, std::uint32_t value) {
  if (record_ && value != 0)
    recorded_.push_back({kind, subject, ordinal, value});
  return value;
}

std::uint32_t chooser::replayed(choice_kind kind, std::uint32_t subject, std::uint32_t ordinal) const {
  const auto of = forced_.find(static_cast<std::uint64_t>(kind) << 32 | subject);
  if (of == forced_.end())
    return 0;
  const auto found = of->second.find(ordinal);
  return found == of->second.end() ? 0 : found->second;
}

std::size_t chooser::order(const std::deque<engine::runnable*>& ready) {
  const auto n = static_cast<std::uint32_t>(ready.size());
  std::uint32_t place = 0;
  if (path_ != nullptr)
    place = path_->next_turn(ready);
  if (n == 1)
    return 0;
  const auto turn = turn_++;
  if (path_ != nullptr)
    return note(choice_kind::order, 0, turn, place);
  if (replaying_)
    place = std::min(replayed(choice_kind::order, 0, turn), n - 1);
  else if (strategy_ == exploration_strategy::uniform)
    place = static_cast<std::uint32_t>((static_cast<unsigned __int128>(draw(0, turn)) * n) >> 64);
  else if (strategy_ == exploration_strategy::priorities)
    place = static_cast<std::uint32_t>(by_priority(ready));
  return note(choice_kind::order, 0, turn, place);
}

std::int64_t& chooser::priority_of(const engine::runnable& r) {
  const auto id = r.subject();
  if (id >= priorities_.size())
    priorities_.resize(id + 64);
  auto& p = priorities_[id];
  if (p == 0)
    p = static_cast<std::int64_t>(draw(0x9d0, id) >> 2) + 1;
  return p;
}

std::size_t chooser::by_priority(const std::deque<engine::runnable*>& ready) {
  std::size_t first = 0;
  for (std::size_t i = 1; i < ready.size(); ++i)
    if (priority_of(*ready[i]) > priority_of(*ready[first]))
      first = i;
  if (next_change_ < change_points_.size() && turn_ > change_points_[next_change_]) {
    ++next_change_;
    priority_of(*ready[first]) = -static_cast<std::int64_t>(next_change_); // behind all others from now on
    return by_priority(ready);
  }
  return first;
}

std::uint32_t chooser::strike(choice_kind kind, std::uint32_t subject, double rate, std::uint32_t values) {
  if (rate <= 0 && !replaying_)
    return 0;
  if (subject >= occasions_.size())
    occasions_.resize(subject + 64);
  const auto ordinal = occasions_[subject][static_cast<std::size_t>(kind)]++;
  std::uint32_t value = 0;
  if (replaying_) {
    value = replayed(kind, subject, ordinal);
  } else if (faults_ < faults_max_) {
    if (path_ != nullptr) {
      value = path_->next(values + 1);
    } else {
      const auto bits = draw(static_cast<std::uint64_t>(kind) << 32 | subject, std::uint64_t{ordinal} << 1);
      if (unit(bits) < rate)
        value = 1 + static_cast<std::uint32_t>(mixed(bits, ordinal) % values);
    }
  }
  faults_ += value != 0;
  return note(kind, subject, ordinal, value);
}

} // namespace troupe::detail
