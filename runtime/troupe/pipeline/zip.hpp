// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/stateful.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <utility>
#include <variant>

namespace troupe::pipeline::steps {

/// What waits for the other side.
template <class L, class R>
struct zip_state {
  void archive(auto& a) requires archivable<std::deque<L>> && archivable<std::deque<R>> { a(left, right, ended); }
  std::deque<L> left;
  std::deque<R> right;
  std::array<bool, 2> ended{};
};

/// The n-th element of the one side with the n-th of the other. The side that is ahead waits: no more is taken from it.
template <class L, class R>
class zip : public stateful<restorable<zip_state<L, R>>> {
public:
  zip() : zip::stateful{std::in_place} {}

  static constexpr const char* name = "zip";
  template <class>
  using output = std::pair<L, R>;

  template <class Next>
  void on(const std::variant<L, R>& x, Next&& next) {
    auto& s = this->state_.change();
    if (s.ended[1 - x.index()] && (x.index() == 0 ? s.right.empty() : s.left.empty()))
      return; // nothing will ever come for it
    if (const auto* l = std::get_if<0>(&x))
      s.left.push_back(*l);
    else
      s.right.push_back(*std::get_if<1>(&x));
    if (!s.left.empty() && !s.right.empty()) {
      next(std::pair<L, R>{std::move(s.left.front()), std::move(s.right.front())});
      s.left.pop_front();
      s.right.pop_front();
    }
  }

  bool wants(std::size_t side) const noexcept {
    const auto& s = this->state_.get();
    return s.ended[1 - side] || (side == 0 ? s.left.empty() : s.right.empty());
  }
  void on_input_end(std::size_t side) noexcept { this->state_.change().ended[side] = true; }
};

} // namespace troupe::pipeline::steps
