// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/event_time.hpp>

#include <functional>
#include <ranges>
#include <type_traits>
#include <utility>

/// Steps that keep nothing from one element to the next.

namespace troupe::pipeline::steps {

template <class F>
struct map {
  static constexpr const char* name = "map";
  template <class In>
  using output = std::remove_cvref_t<std::invoke_result_t<F&, const In&>>;

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&& next) {
    next(std::invoke(f, std::forward<X>(x)));
  }
  F f;
};

template <class F>
struct filter {
  static constexpr const char* name = "filter";
  template <class In>
  using output = In;

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&& next) {
    if (std::invoke(f, std::as_const(x)))
      next(std::forward<X>(x));
  }
  F f;
};

/// `f(x)` is an optional, or a range.
template <class F>
struct flat_map {
  static constexpr const char* name = "flat_map";
  template <class In>
  struct made {
    using type = std::remove_cvref_t<std::invoke_result_t<F&, const In&>>;
  };
  template <class In>
  static constexpr bool optional_result = requires(const typename made<In>::type& r) {
    r.has_value();
  };

  template <class Made, bool Optional>
  struct element {
    using type = std::ranges::range_value_t<Made>;
  };
  template <class Made>
  struct element<Made, true> {
    using type = typename Made::value_type;
  };
  template <class In>
  using output = typename element<typename made<In>::type, optional_result<In>>::type;

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&& next) {
    auto made_of_x = std::invoke(f, std::forward<X>(x));
    if constexpr (requires { made_of_x.has_value(); }) {
      if (made_of_x)
        next(std::move(*made_of_x));
    } else {
      for (auto&& y : made_of_x)
        next(std::move(y));
    }
  }
  F f;
};

/// `f(x, emit)` calls `emit(y)` as often as it likes.
template <class Out, class F>
struct expand {
  static constexpr const char* name = "expand";
  template <class In>
  using output = Out;

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&& next) {
    f(std::as_const(x), next);
  }
  F f;
};

} // namespace troupe::pipeline::steps
