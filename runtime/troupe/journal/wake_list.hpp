// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::detail {

/// When which entities are to be loaded that owe something and are not in memory: one entry for each, however often it
/// comes and goes, so memory follows those that owe.
///
/// Whom it names as due may be impossible to load at present. So an entry stays until it is erased, which is when the entity
/// is loaded, and is due again after a pause; pauses double.
///
/// Two clocks: timers go by the wall, everything else by steady time. Decides only. Threads: one at a time.
class wake_list {
public:
  static constexpr std::chrono::nanoseconds first_pause = std::chrono::seconds{1};
  static constexpr std::chrono::nanoseconds longest_pause = std::chrono::seconds{60};

  /// It has a timer, or owes a message since `due`. The earliest time counts.
  void wake_at(const std::string& key, wall_time_point due) {
    const auto at = entries_.try_emplace(key).first;
    if (at->second.due && *at->second.due <= due)
      return;
    if (at->second.due)
      due_.erase({*at->second.due, at->first});
    at->second.due = due;
    due_.emplace(due, at->first);
  }
  /// It may owe something now. As above.
  void look_at(const std::string& key, time_point when) {
    const auto at = entries_.try_emplace(key).first;
    if (at->second.look && *at->second.look <= when)
      return;
    set_look(*at, when);
  }
  /// It looks after itself.
  void erase(const std::string& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end())
      return;
    if (at->second.due)
      due_.erase({*at->second.due, at->first});
    if (at->second.look)
      looks_.erase({*at->second.look, at->first});
    entries_.erase(at);
  }

  /// Up to `most` that are due, each once.
  std::vector<std::string> take_due(time_point now, wall_time_point wall, std::size_t most) {
    std::vector<std::string> result;
    while (result.size() < most && !due_.empty() && due_.begin()->first <= wall)
      result.push_back(put_off(due_.begin()->second, now));
    while (result.size() < most && !looks_.empty() && looks_.begin()->first <= now)
      result.push_back(put_off(looks_.begin()->second, now));
    return result;
  }
  /// After which time that will name somebody.
  std::optional<std::chrono::nanoseconds> next(time_point now, wall_time_point wall) const {
    std::optional<std::chrono::nanoseconds> result;
    if (!looks_.empty())
      result = std::max(looks_.begin()->first, now) - now;
    if (!due_.empty()) {
      const std::chrono::nanoseconds left = std::max(due_.begin()->first, wall) - wall;
      result = std::min(result.value_or(left), left);
    }
    return result;
  }

  std::size_t size() const noexcept { return entries_.size(); }

private:
  struct entry {
    std::optional<wall_time_point> due;
    std::optional<time_point> look;
    std::chrono::nanoseconds pause = first_pause;
  };
  using entries = std::unordered_map<std::string, entry>;

  const std::string& put_off(std::string_view key, time_point now) {
    auto& e = *entries_.find(std::string{key});
    if (e.second.due)
      due_.erase({*e.second.due, e.first});
    e.second.due.reset();
    set_look(e, now + e.second.pause);
    e.second.pause = std::min(2 * e.second.pause, longest_pause);
    return e.first;
  }

  void set_look(entries::value_type& e, time_point when) {
    if (e.second.look)
      looks_.erase({*e.second.look, e.first});
    e.second.look = when;
    looks_.emplace(when, e.first);
  }

  entries entries_;                                            // the sets refer to their keys
  std::set<std::pair<wall_time_point, std::string_view>> due_; // timers
  std::set<std::pair<time_point, std::string_view>> looks_;
};

} // namespace troupe::detail
