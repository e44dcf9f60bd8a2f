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

/// How the elements of both sides tell their key and their time.
template <class L, class R, class Key, class TimeL, class TimeR>
struct two_sides {
  using element = std::variant<L, R>;
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

/// Each two with the same key meet. `combine(left, right)`.
template <class L, class R, class Key, class TimeL, class TimeR, class Combine>
class join : public stateful<join_state<typename two_sides<L, R, Key, TimeL, TimeR>::key_type, L, R>> {
  using sides = two_sides<L, R, Key, TimeL, TimeR>;

public:
  static constexpr const char* name = "join";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const L&, const R&>>;

  join(sides s, Combine combine, join_options options)
      : join::stateful{std::in_place, options}, sides_{std::move(s)}, combine_{std::move(combine)} {}

  template <class Next>
  void on(const std::variant<L, R>& x, Next&& next) {
    const auto match = [&](const L& l, const R& r) { next(combine_(l, r)); };
    sides_.tell_apart(
        x, [&](const auto& key, event_time t, const L& l) { this->state_.add_left(key, t, l, match); },
        [&](const auto& key, event_time t, const R& r) { this->state_.add_right(key, t, r, match); });
  }

  template <class Next>
  void on_watermark(event_time w, Next&&) {
    this->state_.advance(w);
  }

private:
  sides sides_;
  Combine combine_;
};

/// Each two with the same key in the same window meet. `combine(left, right, window)`.
template <class L, class R, class Key, class TimeL, class TimeR, class Combine>
class window_join : public stateful<windowed_join_state<typename two_sides<L, R, Key, TimeL, TimeR>::key_type, L, R>> {
  using sides = two_sides<L, R, Key, TimeL, TimeR>;

public:
  static constexpr const char* name = "window_join";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const L&, const R&, const window&>>;

  window_join(sides s, tumbling kind, Combine combine)
      : window_join::stateful{std::in_place, kind}, sides_{std::move(s)}, combine_{std::move(combine)} {}

  template <class Next>
  void on(const std::variant<L, R>& x, Next&& next) {
    const auto match = [&](const L& l, const R& r, const window& w) { next(combine_(l, r, w)); };
    sides_.tell_apart(
        x, [&](const auto& key, event_time t, const L& l) { this->state_.add_left(key, t, l, match); },
        [&](const auto& key, event_time t, const R& r) { this->state_.add_right(key, t, r, match); });
  }

  template <class Next>
  void on_watermark(event_time w, Next&&) {
    this->state_.advance(w);
  }

private:
  sides sides_;
  Combine combine_;
};

/// Elements of the left side meet the version of the right side that was valid at their time. `combine(x, version or null)`.
template <class L, class R, class Key, class TimeL, class TimeR, class Combine>
class lookup : public stateful<lookup_state<typename two_sides<L, R, Key, TimeL, TimeR>::key_type, L, R>> {
  using sides = two_sides<L, R, Key, TimeL, TimeR>;

public:
  static constexpr const char* name = "lookup";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const L&, const R*>>;

  lookup(sides s, Combine combine)
      : lookup::stateful{std::in_place}, sides_{std::move(s)}, combine_{std::move(combine)} {}

  template <class Next>
  void on(const std::variant<L, R>& x, Next&&) {
    sides_.tell_apart(
        x, [&](const auto& key, event_time t, const L& l) { this->state_.ask(key, t, l); },
        [&](const auto& key, event_time t, const R& r) { this->state_.put(key, t, r); });
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    this->state_.advance(w, [&](const L& l, const R* version) { next(combine_(l, version)); });
  }

private:
  sides sides_;
  Combine combine_;
};

} // namespace troupe::pipeline::steps
