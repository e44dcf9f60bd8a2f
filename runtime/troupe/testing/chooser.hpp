// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>
#include <troupe/testing/schedule.hpp>
#include <troupe/testing/search_path.hpp>
#include <troupe/testing/simulation_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::detail {

/// Makes the choices of one run: from a seed, by a schedule, or along a path.
///
/// From a seed, each fault is a function of the seed and of its occasion (kind, actor, how many before), so that taking
/// one choice out of a schedule leaves the occasions of the others where they are, as far as the program allows.
/// Threads: owner only.
class chooser {
public:
  /// A null `path`: by `options.replay`, or else from `options.seed`. `record`: keep what was not the default.
  chooser(const simulation_options& options, search_path* path, bool record);

  /// The place, below `ready.size()`, of the one that has the next turn. *Requires*: `ready` is not empty.
  std::size_t order(const std::deque<engine::runnable*>& ready);

  /// 0, or with probability `rate` one of 1..`values`.
  std::uint32_t strike(choice_kind kind, std::uint32_t subject, double rate, std::uint32_t values);

  /// What was decided and was not the default.
  const std::vector<choice>& recorded() const noexcept { return recorded_; }

  std::uint64_t faults() const noexcept { return faults_; }
  /// Decisions about the order so far in which there was a choice.
  std::uint64_t choices() const noexcept { return turn_; }

private:
  std::uint32_t note(choice_kind kind, std::uint32_t subject, std::uint32_t ordinal, std::uint32_t value);
  std::uint32_t replayed(choice_kind kind, std::uint32_t subject, std::uint32_t ordinal) const;
  std::size_t by_priority(const std::deque<engine::runnable*>& ready);
  std::int64_t& priority_of(const engine::runnable& r);
  std::uint64_t draw(std::uint64_t what, std::uint64_t ordinal) const noexcept;

  static constexpr std::size_t kinds = 9;

  const std::uint64_t seed_;
  const unsigned faults_max_;
  search_path* const path_;
  const bool record_;
  exploration_strategy strategy_;
  bool replaying_ = false;

  std::uint32_t turn_ = 0;
  std::uint64_t faults_ = 0;
  std::vector<std::array<std::uint32_t, kinds>> occasions_;                                    // by subject
  std::unordered_map<std::uint64_t, std::unordered_map<std::uint32_t, std::uint32_t>> forced_; // looked up only
  std::vector<choice> recorded_;

  // -- strategy `priorities` --
  std::vector<std::uint32_t> change_points_; // sorted
  std::size_t next_change_ = 0;
  std::vector<std::int64_t> priorities_; // by id; 0: not drawn yet
};

/// The strategy and the depth that a seed draws for `mixed`.
std::pair<exploration_strategy, unsigned> drawn_strategy(std::uint64_t seed) noexcept;

} // namespace troupe::detail
