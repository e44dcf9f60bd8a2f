// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/ledger.hpp>
#include <troupe/ref.hpp>
#include <troupe/supervision/brief_lock.hpp>

#include <cstddef>
#include <vector>

namespace troupe::detail {

/// The children of one supervisor in start order, with the books of those that have gone.
///
/// A child is *given up* when it is still in a handler after its supervisor has killed it: nobody waits for it, and if
/// it outlives its supervisor it moves to the list at the top of the tree, where the shutdown report finds it.
///
/// Threads: any.
class child_list {
public:
  enum class entry : unsigned char { added, full, closed };
  enum class removal : unsigned char { unnoticed, noticed, elsewhere };

  child_list() = default;
  child_list(const child_list&) = delete;
  child_list& operator=(const child_list&) = delete;

  /// Puts `child` last, unless there are `most` already or the list is closed.
  entry add(cell& child, std::size_t most);
  /// Takes no more children from now on.
  void close();

  /// `child` has gone and left these books. `noticed`: the supervisor's turn wants to know, and `home` got a count for
  /// telling it. `elsewhere`: it has moved to another list.
  removal remove(cell& child, const ledger& closing, cell& home);
  /// Whether `remove` notices children that are not significant.
  void notice(bool all);
  /// Whether `child` is still here; if so, `remove` notices it.
  bool notice(const cell& child);
  /// As `all`, and `remove` notices each of them from now on.
  std::vector<cell_pointer> all_noticed();

  void give_up(cell& child);
  /// Only those are left that were given up.
  bool settled() const;
  /// Moves what is left to the end of `top`; `home` gets a count for each.
  void move_to(child_list& top, cell& home);

  std::vector<cell_pointer> all() const;
  std::size_t size() const;
  std::size_t significant() const;
  /// Books of all children, those that have gone and those of supervisors below included.
  ledger books() const;

private:
  void link(cell& child) noexcept;
  void unlink(cell& child) noexcept;
  std::vector<cell_pointer> counted() const;

  // -- guarded by lock_; in a line of its own what starting and stopping a child both touch --
  alignas(64) mutable brief_lock lock_; // taken from the top of the tree down; no user code and no lane under it
  cell* first_ = nullptr;
  cell* last_ = nullptr;
  std::size_t size_ = 0;
  std::size_t given_up_ = 0;
  bool open_ = true;
  bool notices_ = false;
  alignas(64) ledger gone_;
};

} // namespace troupe::detail
