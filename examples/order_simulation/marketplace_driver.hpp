// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>

#include "marketplace_traffic.hpp"

#include <cstdint>
#include <deque>
#include <memory>

namespace order_simulation {

/// To itself: the client in that slot goes on. `incarnation` lets those of an earlier incarnation pass.
struct client_turn {
  std::uint32_t slot = 0;
  std::uint32_t incarnation = 0;
};

/// To itself: the diary is to be told what has ended.
struct write_diary {};

/// To itself, in an open loop: transactions may have arrived.
struct arrival_tick {};

/// A part of the clients: each of them submits a transaction, waits for its answer, checks it, and goes on. A
/// transaction under way when the driver fails is submitted again under its own id. A transaction's end is told to the
/// diary after the customer, many at a time.
///
/// A failure costs as many repetitions as clients were at work, each of which may bring the next failure. So the window
/// for clients at work halves with each failure and grows by one with each transaction that ends, as TCP's does: there
/// are about as many as the rate of failures lets finish, and what is repeated stays a bounded part of all work.
class marketplace_driver final : public troupe::actor<marketplace_driver, client_turn, arrival_tick, write_diary> {
public:
  marketplace_driver(std::shared_ptr<driver_book> book, troupe::ref<marketplace_diary> diary);

  troupe::task<void> on(const client_turn& m);
  void on(const arrival_tick&);
  troupe::task<void> on(const write_diary&);

private:
  troupe::task<bool> run(client_slot& s);
  troupe::task<bool> check_out(client_slot& s);
  troupe::task<bool> update(client_slot& s);
  troupe::task<bool> look(client_slot& s);
  troupe::task<bool> deliver(client_slot& s);
  void judge(client_slot& s, const troupe::commerce::checkout_answer& answer);
  void renew_somebody();
  bool may_begin() const;
  bool take_up(client_slot& s);
  bool has_room() const { return asleep_.empty() && at_work_ < book_->window; }
  void go_on(std::uint32_t slot) { self().tell(client_turn{slot, incarnation()}); }
  void wake_next();
  void note_arrivals();
  void begin_arrived();
  void let_others_work();
  void await_arrival();
  void write_down();
  void look_for_end();

  const std::shared_ptr<driver_book> book_;
  const troupe::ref<marketplace_diary> diary_;
  std::deque<std::uint32_t> asleep_; ///< Slots that this incarnation has to wake.
  std::uint32_t at_work_ = 0;        ///< Slots that it has woken, and that have not come to rest since.
  bool awaiting_ = false;            ///< An arrival_tick is to come.
  bool writing_ = false;             ///< A write_diary is on its way, or at work.
  bool in_diary_ = false;            ///< One is at work.
};

} // namespace order_simulation
