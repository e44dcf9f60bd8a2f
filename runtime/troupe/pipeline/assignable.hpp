// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace troupe::pipeline {

/// A function object that can be assigned, which closures with captures cannot. Takes no room if `F` takes none. Pure.
template <class F>
class assignable {
public:
  assignable(F f) : f_{std::move(f)} {}
  assignable(const assignable&) = default;
  assignable(assignable&&) noexcept(std::is_nothrow_move_constructible_v<F>) = default;
  ~assignable() = default;

  /// Copying `F` must not throw here, as copying what closures usually capture does not.
  assignable& operator=(const assignable& other) noexcept {
    if (this != &other) {
      std::destroy_at(&f_);
      std::construct_at(&f_, other.f_);
    }
    return *this;
  }

  template <class... Xs>
  decltype(auto) operator()(Xs&&... xs) const {
    return std::invoke(f_, std::forward<Xs>(xs)...);
  }

private:
  F f_;
};

} // namespace troupe::pipeline
