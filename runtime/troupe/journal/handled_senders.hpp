// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/store.hpp>
#include <troupe/seams.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::detail {

/// Whose messages a durable actor has handled, and up to which number: what tells a message that was sent again from a new
/// one. Messages of one sender come in their order, so one number for each sender is enough.
///
/// A sender is forgotten when it can send nothing again that was handled: its outbox, as the store has it, holds no message
/// any more; and what it had sent twice before that has left this actor's mailbox. Both take a look at the store, so this
/// is done for many senders at a time: memory follows the senders of late, not all that there ever were.
///
/// Looks go by messages, so that they cost each of these the same. Not so when there is no room: a sender that is refused
/// comes back every few seconds, and others may not come at all, so that then time counts.
///
/// Decides only; asks and writes nothing itself, and has no clock. Threads: one at a time.
class handled_senders {
public:
  /// With fewer senders nobody is forgotten.
  static constexpr std::size_t few = 1'024;
  /// The store is not asked more often on behalf of those that are refused.
  static constexpr std::chrono::nanoseconds look_pause = std::chrono::seconds{3};

  explicit handled_senders(std::size_t most) : most_{most} {}

  /// The highest number that was handled; 0 if none is remembered.
  std::uint64_t last(const std::string& sender) const {
    const auto found = last_.find(sender);
    return found == last_.end() ? 0 : found->second;
  }
  /// There is room for one more sender, or it is known.
  bool has_room_for(const std::string& sender) const { return last_.size() < most_ || last_.contains(sender); }
  std::size_t size() const noexcept { return last_.size(); }

  void note(const std::string& sender, std::uint64_t sequence) { last_[sender] = sequence; }

  /// A message of any sender has come. `taken`: messages that have left the mailbox, this one included. Those that a look
  /// has found to be done with are forgotten once all that was queued then has been seen, this one not yet.
  void arrived(std::uint64_t taken) {
    ++arrivals_;
    if (done_with_.empty() || taken <= forget_after_)
      return;
    for (auto& [sender, sequence] : done_with_)
      if (const auto found = last_.find(sender); found != last_.end() && found->second == sequence) {
        last_.erase(found);
        forgotten_.push_back(std::move(sender));
      }
    done_with_.clear();
    look_at_ = std::max(few, 2 * last_.size());
  }

  /// There are so many that it is worth to look whom to forget.
  bool wants_look() const noexcept {
    return done_with_.empty() && last_.size() >= std::min(look_at_, most_) && arrivals_ >= next_look_;
  }
  /// There is no room for one that has come: it is worth to look, unless that was done a moment ago.
  bool wants_room(time_point now) const noexcept { return done_with_.empty() && now >= next_room_; }
  /// `owing`: who has something in its outbox, by key, as the store has it. `accepted`: messages that the mailbox had
  /// accepted when the store had answered.
  void look(std::span<const owing_journal> owing, std::uint64_t accepted, time_point now) {
    for (const auto& [sender, sequence] : last_) {
      const auto found = std::ranges::lower_bound(owing, sender, {}, &owing_journal::key);
      if (found == owing.end() || found->key != sender || found->due) // timers alone are for itself
        done_with_.emplace_back(sender, sequence);
    }
    forget_after_ = accepted;
    put_off(now);
  }
  /// Not before a good number of messages more, or a while for one that is refused.
  void put_off(time_point now) noexcept {
    next_look_ = arrivals_ + std::max(few, last_.size());
    next_room_ = now + look_pause;
  }

  /// Those that the store is to forget too.
  const std::vector<std::string>& forgotten() const noexcept { return forgotten_; }
  /// The first `n` of them are.
  void saved(std::size_t n) {
    forgotten_.erase(forgotten_.begin(), forgotten_.begin() + static_cast<std::ptrdiff_t>(n));
  }

private:
  const std::size_t most_;
  std::unordered_map<std::string, std::uint64_t> last_;
  std::vector<std::pair<std::string, std::uint64_t>> done_with_;
  std::vector<std::string> forgotten_;
  std::size_t look_at_ = few;
  std::uint64_t arrivals_ = 0;
  std::uint64_t forget_after_ = 0; // taken messages
  std::uint64_t next_look_ = 0;    // arrivals
  time_point next_room_ = time_point::min();
};

} // namespace troupe::detail
