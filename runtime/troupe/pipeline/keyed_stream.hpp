// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/join_steps.hpp>
#include <troupe/pipeline/process.hpp>
#include <troupe/pipeline/stream.hpp>
#include <troupe/pipeline/window_steps.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe::pipeline {

/// A stream of which each element has a key: where keyed steps are added. All elements of a key meet in one instance, in
/// their order.
template <class Head, class Key, class... Steps>
class keyed_stream {
public:
  using value_type = typename stream<Head, Steps...>::value_type;
  using key_type = key_of<Key, value_type>;

  keyed_stream(stream<Head, Steps...> s, Key key) : stream_{std::move(s)}, key_{std::move(key)} {}

  /// For each window and key, what a copy of `a` makes of its elements: `windowed` results. `kind` is tumbling, sliding,
  /// session or counted (which gives pairs of key and result); `o` is window_options, or live_window_options for windows that
  /// say by the clock what they hold so far.
  template <class Kind, class A, class Options = window_options, class Time = own_time>
  requires accumulates<A, value_type>
  auto window(Kind kind, A a, Options o = {}, Time time = {}) const {
    return window_of<false>(kind, std::move(a), o, std::move(time));
  }

  /// As `window`, as two streams: the results, and what came too late.
  template <class Kind, class A, class Options = window_options, class Time = own_time>
  requires accumulates<A, value_type>
  auto window_and_late(Kind kind, A a, Options o = {}, Time time = {}) const {
    auto both = window_of<true>(kind, std::move(a), o, std::move(time)).boundary();
    using side = typename decltype(both)::value_type;
    auto pick = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      return both.filter([](const side& x) { return x.index() == I; }).map([](const side& x) {
        return std::get<I>(x);
      });
    };
    return std::pair{pick(std::integral_constant<std::size_t, 0>{}), pick(std::integral_constant<std::size_t, 1>{})};
  }

  /// When a window is complete, `f(window, table, emit)` for all its keys in this instance: `table.for_each(g)` calls
  /// `g(key, accumulator)`.
  template <class Out, class Kind, class A, class F, class Time = own_time>
  requires accumulates<A, value_type>
  auto whole_window(Kind kind, A a, F f, Time time = {}) const {
    detail::require_valid(validate(kind));
    return stream_.with(
        steps::whole_window<value_type, Out, Key, Time, A, F>{key_, std::move(time), kind, std::move(a), std::move(f)});
  }

  /// Your own logic, with a state for each key: see steps::process. `emit` takes an `Out`.
  template <class Out, class S, class Logic>
  auto process(S initial, Logic logic) const {
    return stream_.with(steps::process<value_type, S, Out, Key, Logic>{key_, std::move(initial), std::move(logic)});
  }

  /// `f(s, x)` changes the state of the key and returns what goes on in the place of x.
  template <class S, class F>
  requires std::invocable<const F&, S&, const value_type&>
  auto scan(S initial, F f) const {
    using out = std::remove_cvref_t<std::invoke_result_t<const F&, S&, const value_type&>>;
    auto logic = [f = std::move(f)](auto& emit, S& s, const value_type& x) { emit(std::invoke(f, s, x)); };
    return process<out>(std::move(initial), steps::plain_logic<decltype(logic)>{std::move(logic)});
  }

  /// As `scan`, with keys that are forgotten: what comes later for them begins anew.
  template <class S, class F, class Time = own_time>
  requires std::invocable<const F&, S&, const value_type&>
  auto scan(S initial, F f, expiry e, Time time = {}) const {
    using out = std::remove_cvref_t<std::invoke_result_t<const F&, S&, const value_type&>>;
    auto logic = [f = std::move(f)](auto& emit, S& s, const value_type& x) { emit(std::invoke(f, s, x)); };
    return expiring<out>(std::move(initial), steps::plain_logic<decltype(logic)>{std::move(logic)}, e, std::move(time));
  }

  /// As `fold`, with keys that are forgotten: then their pair goes on, and what comes later for them begins anew.
  template <class S, class F, class Time = own_time>
  requires std::invocable<const F&, S&, const value_type&>
  auto fold(S initial, F f, expiry e, Time time = {}) const {
    return expiring<std::pair<key_type, S>>(std::move(initial), steps::fold_logic<F>{std::move(f)}, e, std::move(time));
  }

  /// `f(s, x)` changes the state of the key; at the end of the stream, a pair of each key and its state goes on.
  template <class S, class F>
  requires std::invocable<const F&, S&, const value_type&>
  auto fold(S initial, F f) const {
    return process<std::pair<key_type, S>>(std::move(initial), steps::fold_logic<F>{std::move(f)});
  }

  /// A step of your own, which finds all elements of a key in one instance.
  template <class Step>
  auto step(Step s) const {
    return stream_.with(std::move(s));
  }

  /// For elements that are a variant of two sides: `combine(left, right)` for each two with the same key.
  template <class Combine, class TimeL = own_time, class TimeR = own_time>
  auto join(Combine combine, join_options o = {}, TimeL left = {}, TimeR right = {}) const {
    using sides = sides_of<TimeL, TimeR>;
    return stream_.with(
        steps::join<sides, Combine>{sides{key_, std::move(left), std::move(right)}, o, std::move(combine)});
  }

  /// `combine(left, right, window)` for each two with the same key in the same window.
  template <class Combine, class TimeL = own_time, class TimeR = own_time>
  auto window_join(tumbling kind, Combine combine, TimeL left = {}, TimeR right = {}) const {
    using sides = sides_of<TimeL, TimeR>;
    detail::require_valid(validate(kind));
    return stream_.with(
        steps::window_join<sides, Combine>{sides{key_, std::move(left), std::move(right)}, kind, std::move(combine)});
  }

  /// `combine(left, version)` for each left one, with the right one of its key that was the latest at its time, or null.
  template <class Combine, class TimeL = own_time, class TimeR = own_time>
  auto lookup(Combine combine, TimeL left = {}, TimeR right = {}) const {
    using sides = sides_of<TimeL, TimeR>;
    return stream_.with(
        steps::lookup<sides, Combine>{sides{key_, std::move(left), std::move(right)}, std::move(combine)});
  }

private:
  template <class TimeL, class TimeR>
  using sides_of = steps::two_sides<value_type, Key, TimeL, TimeR>;

  template <class Out, class S, class Logic, class Time>
  auto expiring(S initial, Logic logic, expiry e, Time time) const {
    detail::require(e.after.count() > 0, "expiry.after must be above 0");
    return process<Out>(steps::expiring_state<S>{std::move(initial)},
                        steps::expiring<Logic, Time>{std::move(logic), std::move(time), e.after});
  }

  template <bool WithLate, class Kind, class A, class Options, class Time>
  auto window_of(Kind kind, A a, Options o, Time time) const {
    static_assert(std::same_as<Options, window_options> || std::same_as<Options, live_window_options>);
    detail::require_valid(validate(kind));
    detail::require_valid(validate(o));
    if constexpr (std::same_as<Kind, counted>) {
      static_assert(std::same_as<Options, window_options> && !WithLate, "windows of so many elements know no time");
      return stream_.with(steps::count_window<value_type, Key, A>{key_, kind, std::move(a)});
    } else if constexpr (std::same_as<Kind, session>) {
      using step = steps::session_window<value_type, Key, Time, A, WithLate>;
      return with_clock(step{key_, std::move(time), kind, std::move(a), {o.lateness}}, o);
    } else {
      using step = steps::aligned_window<value_type, Key, Time, A, WithLate>;
      return with_clock(step{key_, std::move(time), kind, std::move(a), {o.lateness}}, o);
    }
  }

  template <class Step>
  auto with_clock(Step s, const window_options&) const {
    return stream_.with(std::move(s));
  }
  template <class Step>
  auto with_clock(Step s, const live_window_options& o) const {
    return stream_.with(steps::live_window<value_type, Step>{std::move(s), o.every});
  }

  stream<Head, Steps...> stream_;
  Key key_;
};

template <class Head, class... Steps>
template <class Key>
requires std::invocable < const Key&, const detail::elements_of<Head, Steps...>
& > auto stream<Head, Steps...>::key_by(Key key, unsigned instances) const {
  auto next = next_stage(routing::by_key, std::make_shared<router_by<value_type, Key>>(key), instances, {});
  return keyed_stream<from_stages<value_type>, Key>{std::move(next), std::move(key)};
}

template <class Head, class... Steps>
template <class Key>
requires std::invocable < const Key&, const detail::elements_of<Head, Steps...>
& > auto stream<Head, Steps...>::keyed(Key key) const {
  return keyed_stream<Head, Key, Steps...>{*this, std::move(key)};
}

template <class Head, class... Steps>
auto stream<Head, Steps...>::together() const {
  auto everything = [](const value_type&) { return no_key{}; };
  auto next = boundary();
  return keyed_stream<from_stages<value_type>, decltype(everything)>{std::move(next), everything};
}

} // namespace troupe::pipeline
