// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/spawn.hpp>
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
  std::size_t actors = 0;
  std::size_t supervisors = 0;
  std::size_t suspended = 0; ///< Of both: failed, and waiting for their restart.
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
  /// copied, and each incarnation is built from them.
  /// Errors: what A's constructor throws, with nothing started; request_error with errc::name_taken, bad_options
  /// or shutting_down.
  template <class A, class... Args>
  ref<A> start(std::string_view name, const child_options& options, Args&&... args) const {
    auto& parent = core();
    auto& c = detail::spawn<A>(detail::required(cell_).core(), parent,
                               detail::checked_options(parent, options, name).value(), std::forward<Args>(args)...);
    return ref<A>{detail::cell_pointer::taking(c)};
  }

  template <class A, class... Args>
  requires(std::is_constructible_v<A, const std::decay_t<Args>&...>) ref<A> start(std::string_view name, Args&&... args)
  const { return start<A>(name, child_options{}, std::forward<Args>(args)...); }

  /// Starts a supervisor under this one. As a child it is permanent, and its shutdown takes as long as its children's.
  supervisor supervise(std::string_view name, const supervisor_options& options = {}) const;

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
  explicit supervisor(detail::cell& c) noexcept : any_ref{c} {}
};

} // namespace troupe
