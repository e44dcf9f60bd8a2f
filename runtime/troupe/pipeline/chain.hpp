// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/event_time.hpp>
#include <troupe/seams.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::pipeline {

/// What a step makes of elements of type `In`.
template <class Step, class In>
using step_output = typename Step::template output<In>;

/// A step that wants to know the time.
template <class Step>
inline constexpr bool is_timed = requires(Step& s) {
  s.due();
};

/// A step without a state, or with one that can be written down.
template <class Step>
inline constexpr bool archivable_step = !requires(Step & s) {
  s.commit();
}
|| requires(Step& s, archive_writer& w, archive_reader& r) {
  s.archive(w);
  s.archive(r);
};

/// The steps of one stage, fused: for each element one nested call, which the compiler turns into one loop body.
///
/// A step is a copyable value with a `name`, a member template `output<In>`, and
///
///     void on(x, next);                       // an element; `next(y)` hands an element to the following step
///
/// and, as far as it needs them,
///
///     void on_watermark(event_time, next);    // event time has come so far
///     void on_end(next);                      // there will be no more elements
///     event_time progress();                  // it makes watermarks: the one after the elements so far
///     bool idle();                            //   and whether it expects nothing for now
///     void begin(time_point now);             // a batch begins
///     void on_time(time_point now, next);     // the time that `due` said has come
///     std::optional<time_point> due();
///     bool accepting();                       // false: no further elements for now
///     bool wants(std::size_t input);          // false: none from this input for now
///     void on_input_end(std::size_t input);   // nothing more comes from this input
///     void commit();                          // what was done since the last commit is done for good
///     void rollback();                        // ... has not happened
///     void run_effects();                     // what the world outside sees; after the commit, one by one
///     std::size_t effects_done();             //   how many so far
///     void skip_effect();                     //   give up the next one
///     void prepare_archive();                 // a checkpoint is made: what it stands for is to be on the disk
///     void archive(auto& a);                  // for checkpoints: `a(...)` writes the committed state down, or reads it
///
/// A step with a `commit` has a state, and cannot be part of a checkpoint without an `archive`.
///
/// Threads: the turn of the stage.
template <class... Steps>
class chain {
public:
  static constexpr std::size_t length = sizeof...(Steps);

  chain() = default;
  explicit chain(std::tuple<Steps...> steps) : steps_{std::move(steps)} {}

  template <class X, class Out>
  void feed(X&& x, Out& out) {
    feed_from<0>(std::forward<X>(x), out);
  }

  /// After the elements of a batch: watermarks that steps make.
  template <class Out>
  void progress(Out& out) {
    progress_from<0>(out);
  }

  template <class Out>
  void watermark(event_time w, Out& out) {
    watermark_from<0>(w, out);
  }

  template <class Out>
  void end(Out& out) {
    end_from<0>(out);
  }

  template <class Out>
  void time(time_point now, Out& out) {
    time_from<0>(now, out);
  }

  void begin(time_point now) {
    each([&](auto& s) {
      if constexpr (requires { s.begin(now); })
        s.begin(now);
    });
  }

  std::optional<time_point> due() {
    std::optional<time_point> first;
    each([&](auto& s) {
      if constexpr (requires { s.due(); })
        if (auto d = s.due(); d && (!first || *d < *first))
          first = d;
    });
    return first;
  }

  /// Whether any step wants to know the time.
  static constexpr bool timed = (is_timed<Steps> || ...);

  bool accepting() {
    bool all = true;
    each([&](auto& s) {
      if constexpr (requires { s.accepting(); })
        all = all && s.accepting();
    });
    return all;
  }

  void input_ended(std::size_t input) {
    if constexpr (length > 0) {
      if constexpr (requires { std::get<0>(steps_).on_input_end(input); })
        std::get<0>(steps_).on_input_end(input);
    }
    (void)input;
  }

  /// Whether the first step may refuse an input; the others cannot.
  static constexpr bool selective = [] {
    if constexpr (length > 0)
      return requires(std::tuple_element_t<0, std::tuple<Steps...>> & s) { s.wants(std::size_t{}); };
    else
      return false;
  }();

  bool wants(std::size_t input) {
    if constexpr (length > 0) {
      if constexpr (requires { std::get<0>(steps_).wants(input); })
        return std::get<0>(steps_).wants(input);
    }
    (void)input;
    return true;
  }

  void commit() {
    each([](auto& s) {
      if constexpr (requires { s.commit(); })
        s.commit();
    });
  }

  void rollback() {
    each([](auto& s) {
      if constexpr (requires { s.rollback(); })
        s.rollback();
    });
  }

  void run_effects() {
    each([](auto& s) {
      if constexpr (requires { s.run_effects(); })
        s.run_effects();
    });
  }

  /// Effects that the world has seen so far.
  std::size_t effects_done() {
    std::size_t n = 0;
    each([&](auto& s) {
      if constexpr (requires { s.effects_done(); })
        n += s.effects_done();
    });
    return n;
  }

  /// Gives up the effect that is next, which failed again and again. False: there is no step that can.
  bool skip_effect() {
    bool skipped = false;
    each([&](auto& s) {
      if constexpr (requires { s.skip_effect(); }) {
        s.skip_effect();
        skipped = true;
      }
    });
    return skipped;
  }

  /// The first step with a state that cannot be written down. Null: all can.
  static constexpr const char* not_archivable() noexcept {
    const char* first = nullptr;
    ((first = first == nullptr && !archivable_step<Steps> ? Steps::name : first), ...);
    return first;
  }

  void prepare_archive() {
    each([](auto& s) {
      if constexpr (requires { s.prepare_archive(); })
        s.prepare_archive();
    });
  }

  template <class A>
  void archive(A& a) {
    each([&](auto& s) {
      if constexpr (requires { s.archive(a); })
        s.archive(a);
    });
  }

  static std::string names() {
    std::string all;
    ((all += (all.empty() ? "" : " "), all += Steps::name), ...);
    return all;
  }

private:
  template <class F>
  void each(F&& f) {
    std::apply([&](auto&... s) { (f(s), ...); }, steps_);
  }

  template <std::size_t I, class X, class Out>
  [[gnu::always_inline]] void feed_from(X&& x, Out& out) {
    if constexpr (I == length)
      out.push(std::forward<X>(x));
    else
      std::get<I>(steps_).on(
          std::forward<X>(x), [ this, &out ](auto&& y) __attribute__((always_inline)) {
            feed_from<I + 1>(std::forward<decltype(y)>(y), out);
          });
  }

  template <std::size_t I, class Out>
  auto next(Out& out) {
    return [this, &out](auto&& y) { feed_from<I + 1>(std::forward<decltype(y)>(y), out); };
  }

  template <std::size_t I, class Out>
  void progress_from(Out& out) {
    if constexpr (I < length) {
      auto& s = std::get<I>(steps_);
      if constexpr (requires { s.progress(); }) {
        watermark_from<I + 1>(s.progress(), out);
        out.set_idle(s.idle());
      }
      progress_from<I + 1>(out);
    }
  }

  template <std::size_t I, class Out>
  void watermark_from(event_time w, Out& out) {
    if constexpr (I == length) {
      out.advance(w);
    } else {
      auto& s = std::get<I>(steps_);
      if constexpr (requires { s.progress(); }) {
        if (w != end_of_time)
          return; // it makes its own
      }
      if constexpr (requires { s.on_watermark(w, next<I>(out)); })
        s.on_watermark(w, next<I>(out));
      watermark_from<I + 1>(w, out);
    }
  }

  template <std::size_t I, class Out>
  void end_from(Out& out) {
    if constexpr (I < length) {
      auto& s = std::get<I>(steps_);
      if constexpr (requires { s.on_end(next<I>(out)); })
        s.on_end(next<I>(out));
      end_from<I + 1>(out);
    }
  }

  template <std::size_t I, class Out>
  void time_from(time_point now, Out& out) {
    if constexpr (I < length) {
      auto& s = std::get<I>(steps_);
      if constexpr (requires { s.on_time(now, next<I>(out)); })
        s.on_time(now, next<I>(out));
      time_from<I + 1>(now, out);
    }
  }

  std::tuple<Steps...> steps_;
};

} // namespace troupe::pipeline
