// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/agenda.hpp>
#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/event_time.hpp>
#include <troupe/pipeline/key_hash.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>

#include <algorithm>
#include <functional>
#include <type_traits>
#include <utility>

/// Steps with a state for each key and logic of the user's own.

namespace troupe::pipeline {

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

/// How long the state of a key is remembered.
struct expiry {
  /// It is forgotten when event time is so far beyond the last element of the key. Above 0.
  event_duration after;
};

namespace steps {

/// `logic.on(context, state, x, emit)` for each element, with the state of its key; `logic.on_reminder(context, state, emit)`
/// when the reminder of a key is due, and `logic.at_end(key, state, emit)` for each key at the end of the stream, if there are
/// such members.
///
/// A state that may change is copied first, once per batch, for the case that the batch fails. Where many elements change
/// nothing, `bool look(const state, x, emit)` spares that: it is asked first, if the key has a state, and returns true if that
/// was all there is to do about x.
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
  [[gnu::always_inline]] void on(const In& x, Next&& next) {
    const K key = std::invoke(key_, x);
    if constexpr (looks) {
      if (const auto* there = keys_.find(key); there == nullptr)
        change(key, keys_.touch(key, initial_), x, next);
      else if (!logic_.look(there->state, x, next))
        change(key, keys_.touch_found(*there), x, next);
    } else {
      change(key, keys_.touch(key, initial_), x, next);
    }
  }

  template <class Next>
  void on_watermark(event_time w, Next&& next) {
    watermark_.change() = w;
    if constexpr (reminds)
      agenda_.due(w, [&](event_time at, const K& key) {
        const auto* there = keys_.find(key);
        if (there == nullptr || there->reminder != at)
          return; // it was replaced
        auto& here = keys_.touch_found(*there);
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

  template <class A>
  void archive(A& a) requires archivable<K> && archivable<S> {
    keys_.archive(a, initial_);
    a(watermark_);
    if constexpr (A::reads)
      rollback(); // makes the agenda
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
    void archive(auto& a) { a(state, reminder); }
    S state;
    event_time reminder; // end_of_time: none
  };

  struct no_emit {
    void operator()(Out) const {}
  };
  static constexpr bool reminds = requires(Logic & l, key_context<K>& c, S& s, no_emit& e) { l.on_reminder(c, s, e); };

  static constexpr bool looks = requires(const Logic& l, const S& s, const In& x, no_emit& e) { l.look(s, x, e); };

  template <class Next>
  [[gnu::always_inline]] void change(const K& key, entry& here, const In& x, Next& next) {
    key_context<K> context{key, watermark_.get(), here.reminder};
    logic_.on(context, here.state, x, next);
    conclude(key, here, context);
  }

  [[gnu::always_inline]] void conclude(const K& key, entry& here, const key_context<K>& context) {
    if (context.forgets() || context.reminder() != here.reminder) [[unlikely]]
      settle(key, here, context);
  }

  [[gnu::noinline]] void settle(const K& key, entry& here, const key_context<K>& context) {
    if (context.forgets()) {
      keys_.erase_found(here);
      return;
    }
    here.reminder = context.reminder();
    if constexpr (reminds)
      if (here.reminder != end_of_time)
        agenda_.remind(here.reminder, key);
  }

  Key key_;
  entry initial_;
  Logic logic_;
  keyed_table<K, entry> keys_;
  agenda<K> agenda_;
  restorable<event_time> watermark_{start_of_time};
};

/// The state of a key that is forgotten when nothing has come for it for a while.
template <class S>
struct expiring_state {
  void archive(auto& a) requires archivable<S> { a(state, last); }
  S state;
  event_time last = start_of_time; // of its elements
};

/// Makes any logic forget keys for which nothing has come for `after` of event time. A key has one reminder, which moves on
/// when it finds that something has.
template <class Logic, class Time>
struct expiring {
  template <class Context, class S, class T, class Emit>
  void on(Context& c, expiring_state<S>& s, const T& x, Emit& emit) {
    logic.on(c, s.state, x, emit);
    s.last = std::max(s.last, std::invoke(time, x));
    if (c.reminder() == end_of_time)
      c.remind(later_by(s.last, after));
  }

  template <class Context, class S, class Emit>
  void on_reminder(Context& c, expiring_state<S>& s, Emit& emit) {
    if (const auto due = later_by(s.last, after); due > c.watermark())
      return c.remind(due);
    at_end(c.key(), s, emit);
    c.forget();
  }

  template <class K, class S, class Emit>
  void at_end(const K& key, const expiring_state<S>& s, Emit& emit) {
    if constexpr (requires { logic.at_end(key, s.state, emit); })
      logic.at_end(key, s.state, emit);
  }

  Logic logic;
  Time time;
  event_duration after;
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

} // namespace steps

} // namespace troupe::pipeline
