// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/json_text.hpp>

#include <cstdint>
#include <vector>

namespace order_simulation {

/// What a stock actor says about its part of an order.
enum class ballot : std::uint8_t {
  none, ///< Nothing yet: it depends on earlier orders that are not decided.
  yes,  ///< There is enough, even if all earlier orders that are not decided take theirs.
  no,   ///< There is not enough, even if none of them does.
  moot, ///< The order was decided before: this ballot changes nothing.
};

/// The parts that a stock code has in orders under way, in the order of the file, and what is available before the first
/// of them. Decides which ballots are certain; once certain, a ballot stays right whatever becomes of other orders.
///
/// Plain values: no actor, no clock. Threads: owner only.
class replay_queue {
public:
  /// A ballot that has become certain with the latest change.
  struct cast_ballot {
    std::uint64_t order = 0;
    std::uint32_t part = 0;
    ballot vote{};
    TROUPE_JSON(cast_ballot, order, part, vote)
  };

  explicit replay_queue(std::int64_t opening_stock = 0) : available_{opening_stock} {}

  /// A part of a new order, behind all others: `returned` comes in whatever becomes of the order, and before `wanted` is
  /// looked for.
  void add(std::uint64_t order, std::uint32_t part, std::int64_t wanted, std::int64_t returned);

  /// The order is accepted, or not. Does nothing for an order that is not here (any more).
  void decide(std::uint64_t order, bool accepted);

  bool holds(std::uint64_t order) const;
  /// Whether a part of that order waits for its verdict.
  bool undecided(std::uint64_t order) const;
  /// What was said about that order's part; nothing: none was cast, or the order is not here (any more).
  ballot cast_for(std::uint64_t order) const;

  /// The ballots that became certain with the last call of `add` or `decide`.
  const std::vector<cast_ballot>& fresh() const { return fresh_; }

  std::int64_t available() const { return available_; } ///< Before the first waiting part.
  std::int64_t sold() const { return sold_; }           ///< As above.
  std::int64_t returned() const { return returned_; }   ///< As above.
  std::uint64_t waiting() const { return parts_.size(); }

private:
  enum class fate : std::uint8_t { open, taken, left };
  struct part {
    std::uint64_t order = 0;
    std::uint32_t index = 0;
    ballot cast{};
    fate outcome{};
    std::int64_t wanted = 0;
    std::int64_t returned = 0;
    TROUPE_JSON(part, order, index, cast, outcome, wanted, returned)
  };

  TROUPE_JSON(replay_queue, available_, sold_, returned_, parts_, fresh_)

  void fold_front();
  void cast_certain();

  std::int64_t available_;
  std::int64_t sold_ = 0;
  std::int64_t returned_ = 0;
  std::vector<part> parts_{};
  std::vector<cast_ballot> fresh_{};
};

} // namespace order_simulation
