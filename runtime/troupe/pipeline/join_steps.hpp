// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/join.hpp>
#include <troupe/pipeline/key_hash.hpp>
#include <troupe/pipeline/stateful.hpp>
#include <troupe/pipeline/window.hpp>

#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

/// Steps in which the elements of two streams with the same key meet. The two come as one stream, of variants.

namespace troupe::pipeline::steps {

/// How the elements of both sides, a variant of two, tell their key and their time.
template <class Element, class Key, class TimeL, class TimeR>
struct two_sides {
  using element = Element;
  using left_type = std::variant_alternative_t<0, Element>;
  using right_type = std::variant_alternative_t<1, Element>;
  using key_type = key_of<Key, element>;

  /// Calls `on_left(key, time, left)` or `on_right(key, time, right)`.
  template <class OnLeft, class OnRight>
  [[gnu::always_inline]] void tell_apart(const element& x, OnLeft&& on_left, OnRight&& on_right) const {
    const key_type k = std::invoke(key, x);
    if (const auto* l = std::get_if<0>(&x))
      on_left(k, std::invoke(left, *l), *l);
    else if (const auto* r = std::get_if<1>(&x))
      on_right(k, std::invoke(right, *r), *r);
  }

  Key key;
  TimeL left;
  TimeR right;
};

/// Hands on `combine(left, right, ...)` for each two that meet as `State` says.
template <class State, class Sides, class Combine, class... AndMore>
class meeting : public stateful<State> {
  using left = typename Sides::left_type;
  using right = typename Sides::right_type;

public:
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const left&, const right&, const AndMore&...>>;

  template <class Options>
  meeting(Sides s, Options options, Combine combine)
      : meeting::stateful{std::in_place, options}, sides_{std::move(s)}, combine_{std::move(combine)} {}

  template <class Next>
  [[gnu::always_inline]] void on(const typename Sides::element& x, Next&& next) {
    const auto match = [&](const left& l, const right& r, const AndMore&... more) { next(combine_(l, r, more...)); };
    sides_.tell_apart(
        x, [&](const auto& key, event_time t, const left& l) { this->state_.add_left(key, t, l, match); },
        [&](const auto& key, event_time t, const right& r) { this->state_.add_right(key, t, r, match); });
  }

  template <class Next>
  void on_watermark(event_time w, Next&&) {
    this->state_.advance(w);
  }

private:
  Sides sides_;
  Combine combine_;
};

/// Each two with the same key meet. `combine(left, right)`.
template <class Sides, class Combine>
struct join : meeting<join_state<typename Sides::key_type, typename Sides::left_type, typename Sides::right_type>,
                      Sides, Combine> {
  static constexpr const char* name = "join";
  using join::meeting::meeting;
};

/// Each two with the same key in the same window meet. `combine(left, right, window)`.
template <class Sides, class Combine>
struct window_join
    : meeting<windowed_join_state<typename Sides::key_type, typename Sides::left_type, typename Sides::right_type>,
              Sides, Combine, window> {
  static constexpr const char* name = "window_join";
  using window_join::meeting::meeting;
};

/// Elements of the left side meet the version of the right side that was valid at their time. `combine(x, version or null)`.
template <class Sides, class Combine>
class lookup
    : public stateful<lookup_state<typename Sides::key_type, typename Sides::left_type, typename Sides::right_type>> {
  using left = typename Sides::left_type;
  using right = typename Sides::right_type;

public:
  static constexpr const char* name = "lookup";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const left&, const right*>>;

  lookup(Sides s, Combine combine)
      : lookup::stateful{std::in_place}, sides_{std::move(s)}, combine_{std::move(combine)} {}

  template <class Next>
  [[gnu::always_inline]] void on(const typename Sides::element& x, Next&&) {
    sides_.tell_apart(
        x, [&](const auto& key, event_time t, const left& l) { this->state_.ask(key, t, l); },
        [&](const auto& key, event_time t, const right& r) { this->state_.put(key, t, r); });
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    this->state_.advance(w, [&](const left& l, const right* version) { next(combine_(l, version)); });
  }

private:
  Sides sides_;
  Combine combine_;
};

} // namespace troupe::pipeline::steps
