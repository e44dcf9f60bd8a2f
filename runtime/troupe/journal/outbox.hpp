// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/store.hpp>
#include <troupe/seams.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// How long an outbox waits for an acknowledgement before it sends a message again: so long the first time, twice as long
/// each time after, up to the longest.
inline constexpr std::chrono::seconds redeliver_first{5};
inline constexpr std::chrono::seconds redeliver_longest{300};

/// A message that waits in an outbox: as a value, or, after a replay, as it was written down. Only its target knows its type.
struct stored_message {
  const journal_type* type = nullptr;
  std::shared_ptr<const void> value; ///< Of that type.
  // Without a type:
  std::string written_type;
  int version = 0; // equivalent: set with the type
  std::string data;
};

/// An outbox entry that is not settled.
struct owed_entry {
  std::uint64_t sequence = 0; // equivalent: each has its own
  std::string target;         ///< A journal's key.
  stored_message message;
  std::optional<wall_time_point> due; ///< A timer: when. A message: nothing.
  std::string timer;                  ///< Its name.
};

namespace detail {

/// The message, if it is of that type; null if it is of another one. Throws journal_error if it cannot be read.
std::shared_ptr<const void> read_message(const stored_message& m, const journal_type& type);
/// What to call the message in a report.
std::string type_name(const stored_message& m);

/// What one durable actor owes: messages to other durable actors, and timers, each until it is settled.
///
/// Says what is to be sent when; sends nothing itself. Messages to one target leave in their order, at most `window` of
/// them before the first is acknowledged. Two clocks: attempts go by steady time, the due times of timers by the wall.
///
/// Threads: one at a time.
class outbox {
public:
  static constexpr std::size_t window = 128;

  /// Adds an entry with a sequence above all others. A message, and a timer that was due at `overdue` or before, is to be
  /// sent at `first_attempt`, another timer when it is due.
  void add(owed_entry e, time_point first_attempt, wall_time_point overdue = wall_time_point::min()) {
    const auto sequence = e.sequence;
    auto& s = entries_.emplace_hint(entries_.end(), sequence, slot{std::move(e), first_attempt})->second;
    if (is_timer(s.entry)) {
      ++timers_count_;
      timers_[s.entry.timer] = sequence;
      if (*s.entry.due <= overdue)
        agenda_.emplace(first_attempt, sequence);
      else
        due_.emplace(*s.entry.due, sequence);
      return;
    }
    auto& queue = queues_[s.entry.target];
    queue.push_back(sequence);
    if (queue.size() <= window)
      agenda_.emplace(first_attempt, sequence);
  }

  /// Null if it is settled, or never was.
  const owed_entry* find(std::uint64_t sequence) const {
    const auto found = entries_.find(sequence);
    return found == entries_.end() ? nullptr : &found->second.entry;
  }

  /// The timer of that name that has not fired: its sequence, or 0.
  std::uint64_t timer(std::string_view name) const {
    const auto found = timers_.find(name);
    return found == timers_.end() ? 0 : found->second;
  }

  /// The message to the same target that comes right before this one and is not settled: its sequence, or 0.
  std::uint64_t before(std::uint64_t sequence) const {
    const auto* e = find(sequence);
    if (e == nullptr || is_timer(*e))
      return 0;
    std::uint64_t last = 0;
    for (const auto s : queues_.find(e->target)->second) { // it is within the window
      if (s >= sequence)
        break;
      last = s;
    }
    return last;
  }

  /// What is to be sent now, oldest first. Each is on the agenda again for the case that no acknowledgement comes.
  std::vector<std::uint64_t> take_due(time_point now, wall_time_point wall) {
    std::vector<std::uint64_t> result;
    while (!due_.empty() && due_.begin()->first <= wall) {
      const auto sequence = due_.begin()->second;
      due_.erase(due_.begin());
      result.push_back(sequence);
      schedule_again(sequence, now);
    }
    std::vector<std::uint64_t> again;
    while (!agenda_.empty() && agenda_.begin()->first <= now) {
      again.push_back(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
    }
    std::ranges::sort(again);
    for (const auto sequence : again) {
      result.push_back(sequence);
      schedule_again(sequence, now);
    }
    return result;
  }

  /// Its target was not there, or had no room: again soon, at first after 100 ms.
  void refused(std::uint64_t sequence, time_point now) {
    const auto found = entries_.find(sequence);
    if (found == entries_.end())
      return;
    auto& s = found->second;
    agenda_.erase({s.next, sequence});
    const auto pause = std::chrono::milliseconds{100} * (1u << std::min(s.refusals++, 6u));
    s.next = now + std::min<std::chrono::nanoseconds>(pause, redeliver_first);
    agenda_.emplace(s.next, sequence);
  }

  /// Its target has not handled the one before yet: it is to be sent when that is settled.
  void early(std::uint64_t sequence) {
    if (const auto found = entries_.find(sequence); found != entries_.end())
      found->second.early = true;
  }

  /// Acknowledged, fired or cancelled: it is forgotten, and those that waited for it may go. False if it was settled before.
  bool settle(std::uint64_t sequence, time_point now) {
    const auto found = entries_.find(sequence);
    if (found == entries_.end())
      return false;
    const auto& e = found->second.entry;
    agenda_.erase({found->second.next, sequence});
    if (is_timer(e)) {
      --timers_count_;
      due_.erase({*e.due, sequence});
      if (const auto named = timers_.find(e.timer); named != timers_.end() && named->second == sequence)
        timers_.erase(named);
    } else {
      leave_queue(e.target, sequence, now);
    }
    entries_.erase(found);
    return true;
  }

  /// When `take_due` will have something to send.
  std::optional<time_point> next_attempt() const {
    return agenda_.empty() ? std::nullopt : std::optional{agenda_.begin()->first};
  }
  /// When the next timer is due that has not fired.
  std::optional<wall_time_point> next_timer() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }

  bool empty() const noexcept { return entries_.empty(); }
  /// Messages and timers.
  std::size_t size() const noexcept { return entries_.size(); }
  std::size_t messages() const noexcept { return entries_.size() - timers_count_; }
  /// Nothing but timers that are not due yet.
  bool only_timers() const noexcept { return entries_.size() == due_.size(); }
  /// The same, but for messages whose targets were not there, or had no room.
  bool only_refused() const {
    return timers_count_ == due_.size() && std::ranges::all_of(queues_, [this](const auto& q) {
             return entries_.find(q.second.front())->second.refusals != 0;
           });
  }

private:
  struct slot {
    owed_entry entry;
    time_point next{};
    unsigned attempts = 0;
    unsigned refusals = 0;
    bool early = false;
  };

  static bool is_timer(const owed_entry& e) noexcept { return e.due.has_value(); }

  void schedule_again(std::uint64_t sequence, time_point now) {
    auto& s = entries_.find(sequence)->second;
    const auto factor = std::uint64_t{1} << std::min(s.attempts++, 10u);
    s.next = now + std::min<std::chrono::nanoseconds>(redeliver_first * factor, redeliver_longest);
    s.early = false;
    agenda_.emplace(s.next, sequence);
  }

  void send_at(std::uint64_t sequence, time_point when) {
    auto& s = entries_.find(sequence)->second;
    agenda_.erase({s.next, sequence});
    s.next = when;
    agenda_.emplace(when, sequence);
  }

  void leave_queue(const std::string& target, std::uint64_t sequence, time_point now) {
    const auto found = queues_.find(target);
    auto& queue = found->second;
    const auto place = std::ranges::find(queue, sequence); // nearly always the first
    const auto next = queue.erase(place);
    if (next != queue.end() && entries_.find(*next)->second.early)
      send_at(*next, now);
    if (queue.size() >= window)
      send_at(queue[window - 1], now); // it has come within the window
    if (queue.empty())
      queues_.erase(found);
  }

  std::map<std::uint64_t, slot> entries_;
  std::size_t timers_count_ = 0;                                      // of entries_
  std::unordered_map<std::string, std::deque<std::uint64_t>> queues_; // of messages, by target
  std::map<std::string, std::uint64_t, std::less<>> timers_;          // by name
  std::set<std::pair<time_point, std::uint64_t>> agenda_;             // attempts
  std::set<std::pair<wall_time_point, std::uint64_t>> due_;           // timers that have not fired
};

} // namespace detail

} // namespace troupe
