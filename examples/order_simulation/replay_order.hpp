// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journaled_actor.hpp>

#include "replay_line.hpp"
#include "replay_queue.hpp"
#include "replay_staff.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace order_simulation {

/// What an order has to do with one stock code.
struct order_part {
  std::uint32_t stock_code;
  std::int64_t wanted;   ///< Units of its sale rows.
  std::int64_t returned; ///< Units of its return rows.
};

/// An order of the log, by stock code.
struct order_sheet {
  order_sheet(std::span<const order_row> rows, troupe::time_point fed);

  /// What the order comes to by that verdict.
  replay_totals totals(bool accepted) const;

  std::vector<order_part> parts{}; ///< One for each code.
  bool has_sale = false;
  std::int64_t wanted_units = 0;
  std::int64_t wanted_amount_milli = 0;
  std::int64_t returned_units = 0;
  troupe::time_point fed_at;
};

/// To an order: what one of its stock actors says. Every stock actor says something exactly once.
struct cast_vote {
  std::uint32_t part;
  ballot vote;
};

/// To an order: all its stock actors have their parts. Before, a verdict could overtake the part that it is about.
struct all_parts_out {};

/// To an order: a stock actor has kept the verdict.
struct verdict_kept {
  std::uint32_t part;
};

struct vote_counted {
  std::uint32_t part = 0;
  ballot vote{};
  static constexpr std::string_view journal_name = "vote_counted";
  TROUPE_JSON(vote_counted, part, vote)
};
struct parts_went_out {
  std::uint64_t life = 0; ///< The process of the run that sent them.
  static constexpr std::string_view journal_name = "parts_went_out";
  TROUPE_JSON(parts_went_out, life)
};

/// Those of several parts together: an order restarts less often than that.
struct verdicts_kept {
  std::vector<std::uint32_t> parts{};
  static constexpr std::string_view journal_name = "verdicts_kept";
  TROUPE_JSON(verdicts_kept, parts)
};

struct order_state {
  std::vector<bool> counted{};   ///< By part.
  std::vector<bool> confirmed{}; ///< By part: the verdict is kept.
  std::uint32_t votes = 0;
  std::uint32_t agreed = 0;
  /// The last process of the run in which all stock actors were sent their parts. What an earlier one sent may have been
  /// cut off with it: a verdict must not be there before the part.
  std::uint64_t parts_out_in = 0;
  bool decided = false;
  bool accepted = false;

  bool may_announce(std::uint64_t life) const { return decided && parts_out_in == life; }
  static constexpr std::string_view journal_name = "order_state";
  TROUPE_JSON(order_state, counted, confirmed, votes, agreed, parts_out_in, decided, accepted)
};

/// One order under rule order: accepted when all its stock actors say yes, given up when the first one says no. Tells them
/// until each has confirmed it, and ends when each has spoken, too.
///
/// It writes confirmations down now and then. Were they lost with each failure, an order of a thousand parts that fails at
/// one message in a thousand would hardly ever have them all, and would fill mailboxes with what it says again.
class replay_order : public troupe::journaled_actor<replay_order, order_state,
                                                    troupe::events<vote_counted, parts_went_out, verdicts_kept>,
                                                    cast_vote, all_parts_out, verdict_kept> {
public:
  replay_order(replay_staff* staff, std::uint64_t number, std::shared_ptr<const order_sheet> sheet);

  effect<> on(const cast_vote& v);
  effect<> on(const all_parts_out&);
  effect<> on(const verdict_kept& m);

  static void apply(order_state& s, const vote_counted& e);
  static void apply(order_state& s, const parts_went_out& e) { s.parts_out_in = e.life; }
  static void apply(order_state& s, const verdicts_kept& e);

private:
  static constexpr std::size_t confirmations_per_record = 32;

  void follow_up();
  void finish_if_over();
  void announce();

  replay_staff& staff_;
  const std::uint64_t number_;
  const std::shared_ptr<const order_sheet> sheet_;
  std::vector<bool> confirmed_;          ///< By part: the verdict is kept, as far as is known.
  std::vector<std::uint32_t> unwritten_; ///< Of these, those that are in no record.
  bool announced_ = false;               ///< By this incarnation.
  bool over_ = false;
};

/// To a stock actor: the part of a new order.
struct take_part {
  troupe::ref<replay_order> from;
  std::uint64_t order;
  std::uint32_t part;
  std::int64_t wanted;
  std::int64_t returned;
  std::uint64_t settled_below; ///< All orders below are over at every stock actor.
};

/// To a stock actor: what became of an order.
struct hear_verdict {
  troupe::ref<replay_order> from;
  std::uint64_t order;
  std::uint32_t part;
  bool accepted;
  replay_totals totals; ///< Of the order, to the first part; nothing to the others.
};

struct part_taken {
  std::uint64_t order = 0;
  std::uint32_t part = 0;
  std::int64_t wanted = 0;
  std::int64_t returned = 0;
  std::uint64_t settled_below = 0;
  static constexpr std::string_view journal_name = "part_taken";
  TROUPE_JSON(part_taken, order, part, wanted, returned, settled_below)
};
struct order_decided {
  std::uint64_t order = 0;
  bool accepted = false;
  replay_totals totals{};
  static constexpr std::string_view journal_name = "order_decided";
  TROUPE_JSON(order_decided, order, accepted, totals)
};

/// A verdict that others may not have kept yet.
struct known_verdict {
  std::uint64_t order = 0;
  bool accepted = false;
  TROUPE_JSON(known_verdict, order, accepted)
};

struct order_stock_state {
  replay_queue queue{};
  std::uint64_t taken = 0;
  std::uint64_t misplaced = 0;
  std::uint64_t orders_end = 0;          ///< Behind the last order of which it has a part.
  std::uint64_t settled_below = 0;       ///< All orders below are over.
  std::vector<known_verdict> verdicts{}; ///< On those from there on.
  replay_totals totals{};                ///< Of the decided orders of which it has the first part.

  const known_verdict* verdict_on(std::uint64_t order) const;
  static constexpr std::string_view journal_name = "order_stock_state";
  TROUPE_JSON(order_stock_state, queue, taken, misplaced, orders_end, settled_below, verdicts, totals)
};

/// To a stock actor: what the next process of a run must know of this one.
struct parts_query {
  using reply = order_stock_state;
};

/// The stock of one code under rule order. Works ahead: it takes the parts of later orders while earlier ones are not
/// decided, and votes on each part as soon as the vote is certain.
class order_stock
    : public troupe::journaled_actor<order_stock, order_stock_state, troupe::events<part_taken, order_decided>,
                                     take_part, hear_verdict, inspect_stock, parts_query> {
public:
  order_stock(replay_staff* staff, const std::string& code, std::int64_t opening_stock);

  effect<> on(const take_part& m);
  effect<> on(const hear_verdict& m);
  stock_figures on(const inspect_stock&);
  order_stock_state on(const parts_query&) { return state(); }

  static void apply(order_stock_state& s, const part_taken& e);
  static void apply(order_stock_state& s, const order_decided& e);

private:
  void vote_again(const take_part& m);
  void send_votes();
  troupe::ref<replay_order> address_of(std::uint64_t order);

  replay_staff& staff_;
  std::unordered_map<std::uint64_t, troupe::ref<replay_order>> addresses_{}; // of orders that wait for a vote
};

} // namespace order_simulation
