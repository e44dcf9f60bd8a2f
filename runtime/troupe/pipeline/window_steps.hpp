// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/aligned_windows.hpp>
#include <troupe/pipeline/key_hash.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/live_window.hpp>
#include <troupe/pipeline/session_windows.hpp>
#include <troupe/pipeline/stateful.hpp>
#include <troupe/pipeline/window.hpp>

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

/// Steps that gather the elements of a key in windows.

namespace troupe::pipeline::steps {

/// What windows say: results, and, `WithLate`, what is late for good, on the second side of the variant.
template <class In, class Said, bool WithLate>
struct window_output {
  using type = std::conditional_t<WithLate, std::variant<Said, In>, Said>;

  template <class Next>
  static void say(Next& next, Said s) {
    if constexpr (WithLate)
      next(type{std::in_place_index<0>, std::move(s)});
    else
      next(std::move(s));
  }
  template <class Next>
  static void late(Next& next, const In& x) {
    if constexpr (WithLate)
      next(type{std::in_place_index<1>, x});
    else
      (void)next, (void)x;
  }
};

/// Tumbling or sliding windows.
template <class In, class Key, class Time, class A, bool WithLate>
class aligned_window : public stateful<aligned_windows<key_of<Key, In>, A>> {
  using K = key_of<Key, In>;
  using said = windowed<K, result_of<A>>;
  using out = window_output<In, said, WithLate>;

public:
  static constexpr const char* name = "window";
  template <class>
  using output = typename out::type;

  template <class Kind>
  aligned_window(Key key, Time time, Kind kind, A prototype, window_options options)
      : aligned_window::stateful{std::in_place, kind, options.lateness, std::move(prototype)}, key_{std::move(key)},
        time_{std::move(time)} {}

  template <class Next>
  [[gnu::always_inline]] void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    const event_time t = std::invoke(time_, x);
    bool early = false;
    const bool taken = this->state_.add(
        key, t,
        [&](A& a) {
          a.add(x);
          if constexpr (requires { a.speaks(); })
            early = early || a.speaks();
        },
        [&](const window& w) {
          out::say(next, said{key, w, this->state_.current(key, w).result()});
        });
    if (!taken)
      out::late(next, x);
    if (early)
      this->state_.each_open(t, [&](const window& w) {
        out::say(next, said{key, w, this->state_.current(key, w).result(), false});
      });
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    this->state_.advance(w, [&](const window& over, const keyed_table<K, A>& all) {
      all.for_each([&](const K& key, const A& a) { out::say(next, said{key, over, a.result()}); });
    });
  }

  // -- for live_window --

  using change = std::pair<event_time, K>; // the start of the last window with it
  change changed_by(const In& x) const {
    return {this->state_.last_window(std::invoke(time_, x)), std::invoke(key_, x)};
  }
  template <class Next>
  void say_so_far(const change& c, Next&& next) const {
    this->state_.each_open(c.first, [&](const window& w) {
      out::say(next, said{c.second, w, this->state_.current(c.second, w).result(), false});
    });
  }

private:
  Key key_;
  Time time_;
};

/// As aligned_window, but what comes out of a complete window is what `f(window, table, emit)` makes of all its keys. For a
/// part of the answer where only the best of many keys go on.
template <class In, class Out, class Key, class Time, class A, class F>
class whole_window : public stateful<aligned_windows<key_of<Key, In>, A>> {
  using K = key_of<Key, In>;

public:
  static constexpr const char* name = "whole_window";
  template <class>
  using output = Out;

  template <class Kind>
  whole_window(Key key, Time time, Kind kind, A prototype, F f)
      : whole_window::stateful{std::in_place, kind, event_duration{0}, std::move(prototype)}, key_{std::move(key)},
        time_{std::move(time)}, f_{std::move(f)} {}

  template <class Next>
  [[gnu::always_inline]] void on(const In& x, Next&&) {
    this->state_.add(
        std::invoke(key_, x), std::invoke(time_, x), [&](A& a) { a.add(x); }, [](const window&) {});
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    this->state_.advance(w, [&](const window& over, const keyed_table<K, A>& all) { f_(over, all, next); });
  }

private:
  Key key_;
  Time time_;
  F f_;
};

template <class In, class Key, class Time, class A, bool WithLate>
class session_window : public stateful<session_windows<key_of<Key, In>, A>> {
  using K = key_of<Key, In>;
  using said = windowed<K, result_of<A>>;
  using out = window_output<In, said, WithLate>;

public:
  static constexpr const char* name = "session";
  template <class>
  using output = typename out::type;

  session_window(Key key, Time time, session kind, A prototype, window_options options)
      : session_window::stateful{std::in_place, kind, options.lateness, std::move(prototype)}, key_{std::move(key)},
        time_{std::move(time)} {}

  template <class Next>
  [[gnu::always_inline]] void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    const event_time t = std::invoke(time_, x);
    bool early = false;
    const bool taken = this->state_.add(
        key, t,
        [&](A& a) {
          a.add(x);
          if constexpr (requires { a.speaks(); })
            early = a.speaks();
        },
        [&](const window& w, const A& a) {
          out::say(next, said{key, w, a.result()});
        });
    if (!taken)
      out::late(next, x);
    if (early)
      this->state_.each_open(key, [&](const window& w, const A& a) {
        if (w.contains(t))
          out::say(next, said{key, w, a.result(), false});
      });
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    this->state_.advance(w, [&](const K& key, const window& over, const A& a) {
      out::say(next, said{key, over, a.result()});
    });
  }

  // -- for live_window --

  using change = K;
  change changed_by(const In& x) const { return std::invoke(key_, x); }
  template <class Next>
  void say_so_far(const K& key, Next&& next) const {
    this->state_.each_open(key, [&](const window& w, const A& a) { out::say(next, said{key, w, a.result(), false}); });
  }

private:
  Key key_;
  Time time_;
};

/// Windows of so many elements of a key. What is left at the end is no window.
template <class In, class Key, class A>
class count_window {
  using K = key_of<Key, In>;

public:
  static constexpr const char* name = "count_window";
  template <class>
  using output = std::pair<K, result_of<A>>;

  count_window(Key key, counted kind, A prototype)
      : key_{std::move(key)}, size_{kind.size}, initial_{0, std::move(prototype)} {}

  template <class Next>
  [[gnu::always_inline]] void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    auto& here = keys_.touch(key, initial_);
    here.accumulator.add(x);
    if (++here.n < size_)
      return;
    next(output<In>{key, here.accumulator.result()});
    keys_.erase(key);
  }

  void commit() { keys_.commit(); }
  void rollback() { keys_.rollback(); }
  template <class Archive>
  void archive(Archive& a) requires archivable<K> && archivable<A> {
    keys_.archive(a, initial_);
  }

private:
  struct so_far {
    void archive(auto& a) { a(n, accumulator); }
    std::size_t n;
    A accumulator;
  };

  Key key_;
  std::size_t size_;
  so_far initial_;
  keyed_table<K, so_far> keys_;
};

} // namespace troupe::pipeline::steps
