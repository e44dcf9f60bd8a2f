// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/agenda.hpp>
#include <troupe/pipeline/aligned_windows.hpp>
#include <troupe/pipeline/event_time.hpp>
#include <troupe/pipeline/join.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/session_windows.hpp>
#include <troupe/pipeline/window.hpp>

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

/// Steps that keep a state for each key.

namespace troupe::pipeline {

/// What the key function `Key` makes of a `T`.
template <class Key, class T>
using key_of = std::remove_cvref_t<std::invoke_result_t<const Key&, const T&>>;

/// What the logic of a `process` step may do about the key at work. Threads: the turn of the stage.
template <class K>
class key_context {
public:
  key_context(const K& key, event_time watermark, event_time reminder) noexcept
      : key_{key}, watermark_{watermark}, reminder_{reminder} {}

  const K& key() const noexcept { return key_; }
  /// How far event time has come.
  event_time watermark() const noexcept { return watermark_; }

  /// `on_reminder` is called when event time has reached `at`; with the next batch, if it has already. Each key has one
  /// reminder: a new one replaces it.
  void remind(event_time at) noexcept { reminder_ = at; }
  void cancel_reminder() noexcept { reminder_ = end_of_time; }
  /// When it is due; `end_of_time` for none.
  event_time reminder() const noexcept { return reminder_; }

  /// Forgets the state of the key once the logic returns.
  void forget() noexcept { forget_ = true; }
  bool forgets() const noexcept { return forget_; }

private:
  const K& key_;
  event_time watermark_;
  event_time reminder_;
  bool forget_ = false;
};

namespace steps {

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
class aligned_window {
  using K = key_of<Key, In>;
  using said = windowed<K, result_of<A>>;
  using out = window_output<In, said, WithLate>;

public:
  static constexpr const char* name = "window";
  template <class>
  using output = typename out::type;

  template <class Kind>
  aligned_window(Key key, Time time, Kind kind, A prototype, window_options options)
      : key_{std::move(key)}, time_{std::move(time)}, windows_{kind, options.lateness, std::move(prototype)} {}

  template <class Next>
  void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    const event_time t = std::invoke(time_, x);
    bool early = false;
    const bool taken = windows_.add(
        key, t,
        [&](A& a) {
          a.add(x);
          if constexpr (requires { a.speaks(); })
            early = early || a.speaks();
        },
        [&](const window& w) {
          out::say(next, said{key, w, windows_.current(key, w).result()});
        });
    if (!taken)
      out::late(next, x);
    if (early)
      windows_.each_open(t, [&](const window& w) {
        out::say(next, said{key, w, windows_.current(key, w).result(), false});
      });
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    windows_.advance(w, [&](const window& over, const keyed_table<K, A>& all) {
      all.for_each([&](const K& key, const A& a) { out::say(next, said{key, over, a.result()}); });
    });
  }

  void commit() { windows_.commit(); }
  void rollback() { windows_.rollback(); }

private:
  Key key_;
  Time time_;
  aligned_windows<K, A> windows_;
};

/// As aligned_window, but what comes out of a complete window is what `f(window, table, emit)` makes of all its keys. For a
/// part of the answer where only the best of many keys go on.
template <class In, class Out, class Key, class Time, class A, class F>
class whole_window {
  using K = key_of<Key, In>;

public:
  static constexpr const char* name = "whole_window";
  template <class>
  using output = Out;

  template <class Kind>
  whole_window(Key key, Time time, Kind kind, A prototype, F f)
      : key_{std::move(key)}, time_{std::move(time)}, f_{std::move(f)}, windows_{kind, event_duration{0},
                                                                                 std::move(prototype)} {}

  template <class Next>
  void on(const In& x, Next&&) {
    windows_.add(
        std::invoke(key_, x), std::invoke(time_, x), [&](A& a) { a.add(x); }, [](const window&) {});
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    windows_.advance(w, [&](const window& over, const keyed_table<K, A>& all) { f_(over, all, next); });
  }

  void commit() { windows_.commit(); }
  void rollback() { windows_.rollback(); }

private:
  Key key_;
  Time time_;
  F f_;
  aligned_windows<K, A> windows_;
};

template <class In, class Key, class Time, class A, bool WithLate>
class session_window {
  using K = key_of<Key, In>;
  using said = windowed<K, result_of<A>>;
  using out = window_output<In, said, WithLate>;

public:
  static constexpr const char* name = "session";
  template <class>
  using output = typename out::type;

  session_window(Key key, Time time, session kind, A prototype, window_options options)
      : key_{std::move(key)}, time_{std::move(time)}, windows_{kind, options.lateness, std::move(prototype)} {}

  template <class Next>
  void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    const bool taken = windows_.add(
        key, std::invoke(time_, x), [&](A& a) { a.add(x); },
        [&](const window& w, const A& a) {
          out::say(next, said{key, w, a.result()});
        });
    if (!taken)
      out::late(next, x);
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    windows_.advance(w, [&](const K& key, const window& over, const A& a) {
      out::say(next, said{key, over, a.result()});
    });
  }

  void commit() { windows_.commit(); }
  void rollback() { windows_.rollback(); }

private:
  Key key_;
  Time time_;
  session_windows<K, A> windows_;
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
  void on(const In& x, Next&& next) {
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

private:
  struct so_far {
    std::size_t n;
    A accumulator;
  };

  Key key_;
  std::size_t size_;
  so_far initial_;
  keyed_table<K, so_far> keys_;
};

/// `logic.on(context, state, x, emit)` for each element, with the state of its key; `logic.on_reminder(context, state, emit)`
/// when the reminder of a key is due, and `logic.at_end(key, state, emit)` for each key at the end of the stream, if there are
/// such members.
template <class In, class S, class Out, class Key, class Logic>
class process {
  using K = key_of<Key, In>;

public:
  static constexpr const char* name = "process";
  template <class>
  using output = Out;

  process(Key key, S initial, Logic logic)
      : key_{std::move(key)}, initial_{std::move(initial), end_of_time}, logic_{std::move(logic)} {}

  template <class Next>
  void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    auto& here = keys_.touch(key, initial_);
    key_context<K> context{key, watermark_.get(), here.reminder};
    logic_.on(context, here.state, x, next);
    conclude(key, here, context);
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    watermark_.change() = w;
    if constexpr (reminds)
      agenda_.due(w, [&](const K& key) {
        const auto* there = keys_.find(key);
        if (there == nullptr || there->reminder > w || there->reminder == end_of_time)
          return;
        auto& here = keys_.touch(key, initial_);
        key_context<K> context{key, w, end_of_time};
        logic_.on_reminder(context, here.state, next);
        here.reminder = end_of_time;
        conclude(key, here, context);
      });
  }

  template <class Next>
  void on_end(Next&& next) {
    if constexpr (requires(const K& k, const S& s) { logic_.at_end(k, s, next); })
      keys_.for_each([&](const K& key, const entry& e) { logic_.at_end(key, e.state, next); });
  }

  void commit() {
    keys_.commit();
    watermark_.commit();
  }

  void rollback() {
    keys_.rollback();
    watermark_.rollback();
    agenda_.clear();
    keys_.for_each([&](const K& key, const entry& e) {
      if (e.reminder != end_of_time)
        agenda_.remind(e.reminder, key);
    });
  }

private:
  struct entry {
    S state;
    event_time reminder; // end_of_time: none
  };

  struct no_emit {
    void operator()(Out) const {}
  };
  static constexpr bool reminds = requires(Logic & l, key_context<K>& c, S& s, no_emit& e) { l.on_reminder(c, s, e); };

  void conclude(const K& key, entry& here, const key_context<K>& context) {
    if (context.forgets()) {
      keys_.erase(key);
      return;
    }
    if constexpr (reminds) {
      if (context.reminder() != here.reminder) {
        here.reminder = context.reminder();
        if (here.reminder != end_of_time)
          agenda_.remind(here.reminder, key);
      }
    }
  }

  Key key_;
  entry initial_;
  Logic logic_;
  keyed_table<K, entry> keys_;
  agenda<K> agenda_;
  restorable<event_time> watermark_{start_of_time};
};

/// The logic of `scan`.
template <class F>
struct plain_logic {
  template <class Context, class S, class T, class Emit>
  void on(Context&, S& s, const T& x, Emit& emit) {
    f(emit, s, x);
  }
  F f;
};

/// The logic of `fold`.
template <class F>
struct fold_logic {
  template <class Context, class S, class T, class Emit>
  void on(Context&, S& s, const T& x, Emit&) {
    std::invoke(f, s, x);
  }
  template <class K, class S, class Emit>
  void at_end(const K& key, const S& s, Emit& emit) {
    emit(std::pair<K, S>{key, s});
  }
  F f;
};

/// Elements of two sides with the same key meet.
template <class L, class R, class Key, class TimeL, class TimeR, class Combine>
class join {
  using sides = std::variant<L, R>;
  using K = key_of<Key, sides>;

public:
  static constexpr const char* name = "join";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const L&, const R&>>;

  join(Key key, TimeL left, TimeR right, Combine combine, join_options options)
      : key_{std::move(key)}, left_{std::move(left)}, right_{std::move(right)}, combine_{std::move(combine)},
        state_{options} {}

  template <class Next>
  void on(const sides& x, Next&& next) {
    const K key = std::invoke(key_, x);
    const auto match = [&](const L& l, const R& r) { next(combine_(l, r)); };
    if (const auto* l = std::get_if<0>(&x))
      state_.add_left(key, std::invoke(left_, *l), *l, match);
    else
      state_.add_right(key, std::invoke(right_, *std::get_if<1>(&x)), *std::get_if<1>(&x), match);
  }

  template <class Next>
  void on_watermark(event_time w, Next&&) {
    state_.advance(w);
  }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  Key key_;
  TimeL left_;
  TimeR right_;
  Combine combine_;
  join_state<K, L, R> state_;
};

/// Elements of two sides with the same key and in the same window meet. `combine(left, right, window)`.
template <class L, class R, class Key, class TimeL, class TimeR, class Combine>
class window_join {
  using sides = std::variant<L, R>;
  using K = key_of<Key, sides>;

public:
  static constexpr const char* name = "window_join";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const L&, const R&, const window&>>;

  window_join(Key key, TimeL left, TimeR right, tumbling kind, Combine combine)
      : key_{std::move(key)}, left_{std::move(left)}, right_{std::move(right)}, combine_{std::move(combine)},
        state_{kind} {}

  template <class Next>
  void on(const sides& x, Next&& next) {
    const K key = std::invoke(key_, x);
    const auto match = [&](const L& l, const R& r, const window& w) { next(combine_(l, r, w)); };
    if (const auto* l = std::get_if<0>(&x))
      state_.add_left(key, std::invoke(left_, *l), *l, match);
    else
      state_.add_right(key, std::invoke(right_, *std::get_if<1>(&x)), *std::get_if<1>(&x), match);
  }

  template <class Next>
  void on_watermark(event_time w, Next&&) {
    state_.advance(w);
  }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  Key key_;
  TimeL left_;
  TimeR right_;
  Combine combine_;
  windowed_join_state<K, L, R> state_;
};

/// Elements of the left side meet the version of the right side that was valid at their time. `combine(x, version or null)`.
template <class L, class R, class Key, class TimeL, class TimeR, class Combine>
class lookup {
  using sides = std::variant<L, R>;
  using K = key_of<Key, sides>;

public:
  static constexpr const char* name = "lookup";
  template <class>
  using output = std::remove_cvref_t<std::invoke_result_t<Combine&, const L&, const R*>>;

  lookup(Key key, TimeL left, TimeR right, Combine combine)
      : key_{std::move(key)}, left_{std::move(left)}, right_{std::move(right)}, combine_{std::move(combine)} {}

  template <class Next>
  void on(const sides& x, Next&&) {
    const K key = std::invoke(key_, x);
    if (const auto* l = std::get_if<0>(&x))
      state_.ask(key, std::invoke(left_, *l), *l);
    else
      state_.put(key, std::invoke(right_, *std::get_if<1>(&x)), *std::get_if<1>(&x));
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    state_.advance(w, [&](const L& l, const R* version) { next(combine_(l, version)); });
  }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

private:
  Key key_;
  TimeL left_;
  TimeR right_;
  Combine combine_;
  lookup_state<K, L, R> state_;
};

} // namespace steps

} // namespace troupe::pipeline
