// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/mailbox/ledger.hpp>
#include <troupe/observe/event.hpp>
#include <troupe/ref.hpp>
#include <troupe/supervision/child_list.hpp>
#include <troupe/supervision/child_record.hpp>
#include <troupe/supervision/child_spec.hpp>
#include <troupe/supervision/restart_budget.hpp>
#include <troupe/supervision/restart_decision.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::detail {

/// Puts an order on a child's control lane.
void order(cell& child, void (cell::*what)() noexcept);

/// Runs the children of one supervisor: starts nothing itself, decides and orders.
///
///     phase       meaning                                    what a child's report does
///     running     children run or wait for their restart     is decided on: restart_decision.hpp
///     regrouping  a group is halted, then revived, in order  moves the sequence on; failures outside of it wait
///     halting     all children are halted, in reverse order  as above
///     halted      the supervisor waits for its supervisor    failures outside of the sequence wait
///     reviving    the halted children are revived, in order  moves the sequence on; failures outside of it wait
///     stopping    all children are stopped, in reverse order (dynamic: at once)
///
/// A *sequence* is one order given to children one after the other, each waited for: first a part that halts, then one
/// that revives. Halting destroys a child's object and keeps the cell with its mailbox; reviving builds a fresh object
/// in it. An escalation halts all children and fails the supervisor's own cell; its supervisor's `revive` revives them.
/// Nobody's handle goes stale on the way. A child that is started while a sequence runs is not part of it: it just
/// runs.
///
/// Stopping, restarting or removing a child by name is a sequence of one.
///
/// Reports of one child arrive in the order in which it made them, so a child that has reported `halted` or `revived`
/// has said before whatever it had to say of its life until then.
///
/// Threads: `adopt`, `review`, `retire`, `report`, `action_for`, `children`, `books`, `path_of` any; the rest the
/// supervisor cell's turn.
class supervisor_core {
public:
  supervisor_core(system_core& core, supervisor_options options);
  supervisor_core(const supervisor_core&) = delete;
  supervisor_core& operator=(const supervisor_core&) = delete;
  ~supervisor_core();

  const supervisor_options& options() const noexcept { return options_; }
  /// The supervisor's own cell; set once, before the first child.
  void bind(cell& self) noexcept { self_ = &self; }
  cell& self() const noexcept { return *self_; }

  // -- any thread --

  /// Links `child` last in start order. Fails if the supervisor is stopping, is full, or has a child of that name.
  result<void> adopt(cell& child);
  /// Tells subscribers that it was.
  void announce(const cell& child) const { publish(supervision_event::kind::started, child, {}); }
  /// Tells subscribers what is questionable about the options of `child`, of each kind of finding the first.
  void review(const cell& child);
  /// The child stops with these books: unlinks it and frees its name. Returns the supervisor that wants to know once it
  /// has stopped, or null.
  cell_pointer retire(cell& child, const ledger& closing, exit_reason why);
  /// Puts a report on the supervisor's control lane.
  void report(cell& child, child_report::kind what, std::exception_ptr why = nullptr, std::string message_type = {});
  /// What the rules, the child's own first, say about an exception.
  failure_action action_for(const child_options& spec, const std::exception_ptr& why) const;

  std::vector<cell_pointer> children() const { return children_.all(); }
  ledger books() const { return children_.books(); }
  std::string name() const { return self_->name(); }
  /// The path of a child named `child`; empty for an empty name.
  std::string path_of(std::string_view child) const;
  void publish(supervision_event::kind what, const cell& child, std::string why, std::string message_type = {},
               unsigned attempt = 0, std::chrono::nanoseconds delay = {}) const;

  // -- the supervisor's turn --

  void on_report(const child_report& r);
  void on_order(supervisor_order o);
  void on_request(child_request r);

private:
  enum class phase : unsigned char { running, regrouping, halting, halted, reviving, stopping };

  /// A failure that waits until the sequence under way is over.
  struct deferred_report {
    cell_pointer child;
    child_report::kind what;
    std::exception_ptr why;
  };

  void forget_name(cell& child);
  double lives_above() const noexcept;
  bool has_ended() const noexcept;

  // Decisions.
  void on_overrun(const child_report& r);
  void on_news(cell& child, child_report::kind what, const std::exception_ptr& why);
  void note(const child_report& r);
  decision judge(cell& child, child_report::kind what, const std::exception_ptr& why);
  void on_failure(cell& child, child_report::kind what, const std::exception_ptr& why);
  void give_up(cell& child, std::exception_ptr why);
  void escalate(std::exception_ptr why);
  void restart(cell& child, std::chrono::nanoseconds delay);
  child_record& record_of(cell& child);

  // Sequences.
  void regroup(cell& child, std::chrono::nanoseconds delay);
  void halt_all();
  void revive_all();
  void order_next();
  void advance();
  void on_sequence_news(cell& child, child_report::kind what, const std::exception_ptr& why);
  void retry(std::chrono::nanoseconds delay);
  void refuse_asks_of(std::size_t first);
  std::vector<cell_pointer> in_service();
  bool comes_back(const cell& child) const noexcept { return child.in_sequence == sequence_; }
  void finish_sequence();
  void clear_sequence();

  // Children by name.
  void serve(child_request r);
  void end_request();

  // The end.
  void begin_stop(bool kill);
  bool parallel_stop() const noexcept { return stop_kills_ || options_.strategy == dynamic; }
  void stop_next();
  void on_stop_timeout(bool killed);
  void finish_stop();

  void after(std::chrono::nanoseconds delay, std::function<void()> f, actor_timer** handle = nullptr);
  void await(std::chrono::nanoseconds delay, std::function<void()> f);
  void end_await() noexcept;

  // -- immutable once bound --
  system_core& core_;
  const supervisor_options options_;
  cell* self_ = nullptr;

  // -- any thread --
  child_list children_;
  std::atomic<std::uint32_t> reviewed_{0}; // a bit for each topic that was reported

  // -- the supervisor's turn --
  phase phase_ = phase::running;
  bool auto_stop_ = false; // significant children have ended
  restart_budget group_budget_;
  std::uint64_t tickets_ = 0;
  actor_timer* awaited_ = nullptr; // counted: the time for the order under way, or the pause

  std::uint64_t sequence_ = 0; // marks the children that the sequence is still to revive
  std::vector<cell_pointer> to_halt_;
  std::vector<cell_pointer> to_revive_;
  std::vector<cell_pointer> stuck_; // of to_halt_: not waited for any more
  std::size_t at_ = 0;              // in the part under way
  bool halting_part_ = true;
  std::chrono::nanoseconds pause_{}; // between the parts
  bool pausing_ = false;
  std::deque<deferred_report> deferred_;
  std::exception_ptr escalating_;
  void (cell::*halting_order_)() noexcept = &cell::order_halt; // what a member of the halting part is told

  std::deque<child_request> requests_; // that wait until the sequence under way is over
  std::optional<child_request> served_;
  result<void> served_outcome_;

  std::vector<cell_pointer> to_stop_; // in the order of stopping; at_ is being told now
  bool told_ = false;
  bool stop_kills_ = false;
};

} // namespace troupe::detail
