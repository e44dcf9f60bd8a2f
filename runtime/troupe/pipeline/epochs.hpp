// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// Which stages have said what they keep, for the checkpoint under way. One at a time. A stage that has ended says it once
/// more, for all that come.
///
/// That one is consistent with the others of an epoch whose barrier the stage has not seen: it has ended because all its
/// inputs have, and those had ended before their barrier. Pure.
class epochs {
public:
  /// `last`: the number of the checkpoint that the run goes on from, 0 for none.
  explicit epochs(std::size_t stages = 0, std::uint32_t last = 0) : now_(stages), for_good_(stages), epoch_{last} {}

  bool under_way() const noexcept { return under_way_; }
  /// Of the last one that was begun.
  std::uint32_t epoch() const noexcept { return epoch_; }

  /// Begins the next one. Requires that none is under way.
  std::uint32_t begin() {
    under_way_ = true;
    now_ = for_good_;
    return ++epoch_;
  }

  /// What a stage keeps as of the barrier of `epoch`. What is said twice, or too late, changes nothing.
  void note(std::size_t stage, std::uint32_t epoch, std::string kept) {
    if (under_way_ && epoch == epoch_ && !now_[stage])
      now_[stage] = std::move(kept);
  }

  /// What a stage keeps that has ended.
  void note_end(std::size_t stage, std::string kept) {
    if (under_way_ && !now_[stage])
      now_[stage] = kept;
    for_good_[stage] = std::move(kept);
  }

  /// The checkpoint under way, if it is complete; by stage. Ends it.
  std::optional<std::vector<std::string>> take() {
    if (!under_way_ || !complete(now_))
      return std::nullopt;
    under_way_ = false;
    return all_of(now_);
  }

  /// What all stages keep, if all have ended.
  std::optional<std::vector<std::string>> last() const {
    return complete(for_good_) ? std::optional{all_of(for_good_)} : std::nullopt;
  }

private:
  using said = std::vector<std::optional<std::string>>;

  static bool complete(const said& all) noexcept {
    for (const auto& s : all)
      if (!s)
        return false;
    return true;
  }
  static std::vector<std::string> all_of(const said& all) {
    std::vector<std::string> each;
    for (const auto& s : all)
      each.push_back(*s);
    return each;
  }

  said now_;
  said for_good_;
  std::uint32_t epoch_;
  bool under_way_ = false;
};

} // namespace troupe::pipeline
