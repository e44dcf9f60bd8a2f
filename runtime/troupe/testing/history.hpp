// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace troupe {

/// What clients asked of one object, and what they were told, in the order of these events.
///
/// An operation that never ended may have had its effect at any time after its beginning, or not at all.
/// Threads: one, as in a simulation.
template <class Operation, class Result>
class history {
public:
  struct entry {
    Operation operation;
    std::uint64_t began;
    std::optional<std::uint64_t> ended{};
    std::optional<Result> result{};
  };

  /// A client asks. Returns what `end` wants.
  std::size_t begin(Operation operation) {
    entries_.push_back({std::move(operation), ++clock_});
    return entries_.size() - 1;
  }

  /// The answer has come.
  void end(std::size_t which, Result result) {
    entries_[which].ended = ++clock_;
    entries_[which].result = std::move(result);
  }

  const std::vector<entry>& entries() const noexcept { return entries_; }

private:
  std::vector<entry> entries_;
  std::uint64_t clock_ = 0;
};

namespace detail {

/// Depth-first search for an order of the operations that a sequential object would have answered in the same way: J. M.
/// Wing, C. Gong, "Testing and verifying concurrent objects", 1993, with the memory of G. Lowe, "Testing for
/// linearizability", 2017.
template <class State, class Operation, class Result, class Apply>
class linearization {
public:
  linearization(const history<Operation, Result>& h, Apply& apply)
      : all_{h.entries()}, done_(all_.size(), false), apply_{apply} {
    for (const auto& e : all_)
      left_ += e.ended.has_value();
  }

  bool exists(const State& state) {
    if (left_ == 0)
      return true;
    if (!seen_.insert({done_, state}).second)
      return false;
    // What began before the first end among those left may be next.
    auto first_end = ~std::uint64_t{0};
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (!done_[i] && all_[i].ended && *all_[i].ended < first_end)
        first_end = *all_[i].ended;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (done_[i] || all_[i].began > first_end)
        continue;
      auto next = state;
      const auto answer = apply_(next, all_[i].operation);
      if (all_[i].result && !(answer == *all_[i].result))
        continue;
      done_[i] = true;
      left_ -= all_[i].ended.has_value();
      if (exists(next))
        return true;
      done_[i] = false;
      left_ += all_[i].ended.has_value();
    }
    return false;
  }

private:
  const std::vector<typename history<Operation, Result>::entry>& all_;
  std::vector<bool> done_;
  std::size_t left_ = 0; // operations that ended and are not done
  Apply& apply_;
  std::set<std::pair<std::vector<bool>, State>> seen_;
};

} // namespace detail

/// Whether the history is one of an object that does each operation at one moment between its beginning and its end.
///
/// `apply(State&, const Operation&)` returns what a sequential object answers. `State` is copyable and has `<`. Costs: in
/// the worst case exponential in the number of operations that overlap; dozens of overlapping ones are no problem.
template <class State, class Operation, class Result, class Apply>
bool linearizable(const history<Operation, Result>& h, const State& initial, Apply apply) {
  return detail::linearization<State, Operation, Result, Apply>{h, apply}.exists(initial);
}

} // namespace troupe
