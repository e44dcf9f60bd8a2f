// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "troupe/engine/cell.hpp"
#include "troupe/mailbox/ledger.hpp"
#include "troupe/observe/event.hpp"
#include "troupe/supervision/backoff.hpp"
#include "troupe/supervision/child_record.hpp"
#include "troupe/supervision/child_spec.hpp"
#include "troupe/supervision/restart_budget.hpp"
#include "troupe/supervision/restart_decision.hpp"

namespace troupe::detail {

/// Runs the children of one supervisor: starts nothing itself, decides and orders.
///
///     phase       meaning                                    what a child's report does
///     running     children run or wait for their restart     is decided on: restart_decision.hpp
///     regrouping  a group is halted, then revived, in order  moves the sequence on; failures outside of it wait
///     halting     all children are halted, in reverse order  moves the sequence on
///     halted      the supervisor waits for its supervisor's word
///     stopping    all children are stopped, in reverse order (dynamic: at once)
///
/// A *sequence* is one order given to children one after the other, each waited for. Halting destroys a child's object and
/// keeps the cell with its mailbox; reviving builds a fresh object in it. An escalation halts all children and fails the
/// supervisor's own cell; its supervisor's `revive` revives them. Nobody's handle goes stale on the way.
///
/// Threads: `adopt`, `retire`, `report`, `children`, `books` any; the rest the supervisor cell's turn.
class supervisor_core {
public:
  supervisor_core(system_core& core, supervisor_options options);
  supervisor_core(const supervisor_core&) = delete;
  supervisor_core& operator=(const supervisor_core&) = delete;

  const supervisor_options& options() const noexcept { return options_; }
  /// The supervisor's own cell; set once, before the first child.
  void bind(cell& self) noexcept { self_ = &self; }
  cell& self() const noexcept { return *self_; }

  // -- any thread --

  /// Links `child` last in start order. Fails if the supervisor is stopping, is full, or has a child of that name.
  result<void> adopt(cell& child);
  /// Undoes `adopt` for a child that was never launched.
  void disown(cell& child) noexcept;
  /// The child has stopped: unlinks it, keeps its books, and releases the tree's count on it.
  void retire(cell& child, const ledger& closing, exit_reason why);
  /// Puts a report on the supervisor's control lane.
  void report(cell& child, child_report::kind what, std::exception_ptr why = nullptr, std::string message_type = {});

  /// Children in start order, each with a new count.
  std::vector<cell*> children() const;
  std::size_t size() const;
  /// Books of all children, those that have stopped and those of supervisors below included.
  ledger books() const;
  std::string name() const { return self_->name(); }
  /// The path of a child named `child`; empty for an empty name.
  std::string path_of(std::string_view child) const;

  // -- the supervisor's turn --

  void on_report(const child_report& r);
  void on_order(supervisor_order o);

private:
  enum class phase : unsigned char { running, regrouping, halting, halted, reviving, stopping };

  /// A failure that waits until the sequence under way is over.
  struct deferred_report {
    cell* child; // counted
    child_report::kind what;
    std::exception_ptr why;
    std::string message_type;
  };

  void on_failure(cell& child, child_report::kind what, const std::exception_ptr& why, const std::string& message_type);
  void on_revived(cell& child);
  void restart(cell& child, std::chrono::milliseconds delay);
  void regroup(cell& child, std::chrono::milliseconds delay);
  void escalate(std::exception_ptr why);
  void after(std::chrono::milliseconds delay, std::function<void()> f);

  // The sequence of a regrouping, a halt or a revival.
  void halt_all();
  void order_next();
  void advance();
  void on_sequence_report(const child_report& r);
  void finish_sequence();
  void clear_sequence() noexcept;

  // The end.
  void begin_stop(bool kill);
  void stop_next();
  void on_stop_timeout(bool killed);
  void finish_stop();

  child_record& record_of(cell& child);
  void set_watching(bool watching);
  void publish(supervision_event::kind what, const cell& child, std::string why, std::string message_type = {},
               unsigned attempt = 0, std::chrono::milliseconds delay = {}) const;

  // -- immutable once bound --
  system_core& core_;
  const supervisor_options options_;
  cell* self_ = nullptr;

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // taken from parent to child only; no user code and no lane under it
  cell* first_ = nullptr;    // start order
  cell* last_ = nullptr;
  std::size_t size_ = 0;
  bool accepting_ = true;
  bool watching_ = false;  // the turn waits for children to go: they report it
  bool abandoned_ = false; // the supervisor has gone before the last child: each holds a count on its cell
  ledger retired_;

  // -- the supervisor's turn --
  phase phase_ = phase::running;
  restart_budget group_budget_;
  std::vector<cell*> to_halt_;   // counted; the sequence's first part
  std::vector<cell*> to_revive_; // counted; its second
  std::size_t at_ = 0;           // in the part under way
  bool halting_part_ = true;
  std::chrono::milliseconds pause_{}; // between the parts
  std::uint64_t round_ = 0;           // of the order under way: makes the timers of earlier ones harmless
  std::deque<deferred_report> deferred_;
  std::exception_ptr escalating_;
  std::vector<cell*> to_stop_; // counted; in the order of stopping, at_ being told now
  bool told_ = false;
  bool stop_kills_ = false;
};

} // namespace troupe::detail
