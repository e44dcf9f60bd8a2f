// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/spawn.hpp>
#include <troupe/observe/actor_tree.hpp>
#include <troupe/ref.hpp>
#include <troupe/supervision/child_spec.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// How many children a supervisor has.
struct child_count {
  std::size_t specs = 0;       ///< All, whatever they do.
  std::size_t active = 0;      ///< Of all: neither waiting for a restart nor stopped by name.
  std::size_t actors = 0;      ///< Of all: no supervisors.
  std::size_t supervisors = 0; ///< Of all.
  std::size_t waiting = 0;     ///< Of all: down, and waiting for a restart.
};

/// The address of a supervisor: starts, restarts and stops the actors under it. See docs/reference/guarantees.md.
///
/// A child that is still in a handler a second after it was killed is reported as stuck and not waited for any more;
/// its name stays taken and the shutdown report names it until it has gone. What an `on_stop` throws is reported; a
/// destructor that throws ends the program, as everywhere in C++.
///
/// Threads: any. Copies are the same supervisor.
class supervisor : public any_ref {
public:
  supervisor() = default;

  /// Builds an actor on the calling thread and puts it last in start order; it runs when this returns.
  ///
  /// `name` is unique among the supervisor's children, without slashes; empty for an unnamed child. The arguments are
  /// copied, and each incarnation is built from them. What is questionable about the options is published as an event.
  /// Errors: what A's constructor throws, with nothing started; request_error with errc::name_taken, bad_options
  /// or shutting_down.
  template <class A, class... Args>
  ref<A> start(std::string_view name, const child_options& options, Args&&... args) const {
    auto& parent = core();
    auto& c = detail::spawn<A>(detail::required(cell_).core(), parent,
                               detail::checked_options(parent, detail::actor_type_of<A>, options, name).value(),
                               std::forward<Args>(args)...);
    detail::review(parent, c);
    return ref<A>{detail::cell_pointer::taking(c)};
  }

  template <class A, class... Args>
  requires(std::is_constructible_v<A, const std::decay_t<Args>&...>) ref<A> start(std::string_view name, Args&&... args)
  const { return start<A>(name, child_options{}, std::forward<Args>(args)...); }

  /// Starts a supervisor under this one. As a child it is permanent, and its shutdown takes as long as its children's.
  supervisor supervise(std::string_view name, const supervisor_options& options = {}) const;

  using any_ref::stop;

  /// Stops the child of that name and keeps its place: name, handle, options, and position in start order. The reply comes
  /// when it has stopped.
  ///
  /// What is queued is dropped, what comes is refused as by a stopped actor, group restarts pass it by, and watchers are
  /// not told, until `restart` or `remove`. A temporary child is gone for good. A supervisor halts its children, whose
  /// mailboxes go on accepting. Stopping a stopped child changes nothing.
  /// Errors: not_found; timed_out if it is still in a handler after its shutdown time (it stops when that returns);
  /// restarted if the supervisor itself goes down meanwhile; shutting_down.
  reply<void> stop(std::string_view name) const;

  /// Builds a fresh incarnation of a child that was stopped by name, in its old place. The reply comes when it runs.
  /// Errors: not_found, not_stopped, failed with what its constructor threw (it stays stopped), and as `stop`.
  reply<void> restart(std::string_view name) const;

  /// Forgets a child that was stopped by name, which ends it for its watchers, and frees its name.
  /// Errors: not_found, not_stopped, and as `stop`.
  reply<void> remove(std::string_view name) const;

  /// The children in start order, each with its state, restarts and queue, without those below.
  std::vector<actor_tree> list() const;

  /// This supervisor and all under it.
  actor_tree tree() const;

  /// The children in start order.
  std::vector<any_ref> children() const;
  child_count count() const;
  /// The books of this supervisor's children together, those that have stopped included.
  ledger books() const;

  /// For the runtime.
  static supervisor make(detail::system_core& system, detail::supervisor_core* parent, std::string_view name,
                         const supervisor_options& options);
  detail::supervisor_core& core() const;

private:
  reply<void> request(int what, std::string_view name) const;
  explicit supervisor(detail::cell& c) noexcept : any_ref{c} {}
};

} // namespace troupe
