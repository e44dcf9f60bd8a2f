// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/accumulators.hpp>
#include <troupe/pipeline/ask_stage.hpp>
#include <troupe/pipeline/chain.hpp>
#include <troupe/pipeline/keyed_steps.hpp>
#include <troupe/pipeline/running.hpp>
#include <troupe/pipeline/sink.hpp>
#include <troupe/pipeline/source.hpp>
#include <troupe/pipeline/stage_node.hpp>
#include <troupe/pipeline/steps.hpp>
#include <troupe/pipeline/timed_steps.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::pipeline {

template <class Head, class Key, class... Steps>
class keyed_stream;

namespace detail {

template <class In, class... Steps>
struct chain_output {
  using type = In;
};
template <class In, class First, class... Rest>
struct chain_output<In, First, Rest...> {
  using type = typename chain_output<step_output<First, In>, Rest...>::type;
};

/// Throws if something is wrong.
inline void require_valid(const std::optional<std::string>& wrong) {
  if (wrong)
    throw request_error{error{errc::bad_options, *wrong}};
}
inline void require(bool right, const char* otherwise) {
  if (!right)
    require_valid(otherwise);
}

} // namespace detail

/// A stream of elements on its way through the steps of one stage: what a pipeline is written with.
///
/// Each call adds a step and returns the longer stream. Steps fuse into one stage, and so into one actor, until something
/// ends it: `boundary`, `key_by`, `spread`, `merge`, `join`, `ask`, or a sink. A stream is a plan: nothing runs before the
/// pipeline that it ends in is started, and a stream may be used more than once: each use of what comes after a boundary gets
/// all elements. Functions are copied, and called on workers, those of one instance of a stage one at a time; they must not
/// block, and, as a failed batch is worked through again, their effects outside may be repeated.
///
/// Building throws request_error with errc::bad_options for options out of their range.
template <class Head, class... Steps>
class stream {
public:
  using value_type = typename detail::chain_output<typename Head::value_type, Steps...>::type;

  stream(Head head, std::tuple<Steps...> steps, std::string name = {})
      : head_{std::move(head)}, steps_{std::move(steps)}, name_{std::move(name)} {}

  // -- steps without a memory --

  /// `f(x)` in the place of x.
  template <class F>
  requires std::invocable<F&, const value_type&>
  auto map(F f) const { return with(steps::map<F>{std::move(f)}); }

  /// Only those for which `f(x)`.
  template <class F>
  requires std::predicate<F&, const value_type&>
  auto filter(F f) const { return with(steps::filter<F>{std::move(f)}); }

  /// All of `f(x)`, an optional or a range.
  template <class F>
  requires std::invocable<F&, const value_type&>
  auto flat_map(F f) const { return with(steps::flat_map<F>{std::move(f)}); }

  /// What `f(x, emit)` passes to `emit`: as flat_map, without a container.
  template <class Out, class F>
  auto expand(F f) const {
    return with(steps::expand<Out, F>{std::move(f)});
  }

  /// A step of your own: see chain.
  template <class Step>
  auto step(Step s) const {
    return with(std::move(s));
  }

  // -- event time --

  /// From here on there are watermarks: `time(x)` is when x happened.
  template <class Time = own_time>
  requires tells_time<Time, value_type>
  auto event_times(time_options o = {}, Time time = {}) const {
    validate(o);
    return with(steps::event_times<Time, one_partition>{std::move(time), {}, 1, o});
  }

  /// The same in short, for a bound known and a source that never falls silent: the fastest.
  template <class Time = own_time>
  requires tells_time<Time, value_type>
  auto event_times(event_duration bound, Time time = {}) const {
    validate({bound, {}});
    return with(steps::one_event_time<Time>{std::move(time), bound});
  }

  /// With partitions 0..partitions-1, each of which has its own progress: the slowest counts, unless it is idle.
  template <class Partition, class Time = own_time>
  requires tells_time<Time, value_type> && std::is_invocable_r_v<std::size_t, Partition&, const value_type&>
  auto event_times_of(std::size_t partitions, Partition partition, time_options o = {}, Time time = {}) const {
    detail::require(partitions >= 1, "event_times_of: partitions must be at least 1");
    validate(o);
    return with(steps::event_times<Time, Partition>{std::move(time), std::move(partition), partitions, o});
  }

  // -- by the clock --

  /// Groups of `size`, or fewer when the first has waited for `within`.
  auto group(std::size_t size, std::optional<std::chrono::nanoseconds> within = {}) const {
    detail::require(size >= 1, "group: size must be at least 1");
    return with(steps::group<value_type>{size, within});
  }

  /// At most `count` elements in each `period`.
  auto throttle(std::size_t count, std::chrono::nanoseconds period) const {
    detail::require(count >= 1 && period.count() > 0, "throttle: count must be at least 1 and period above 0");
    return with(steps::throttle<value_type>{count, period});
  }

  // -- stages --

  /// Ends the stage, and gives it that name.
  auto boundary(std::string name = {}) const { return next_stage(routing::forward, nullptr, 1, std::move(name)); }

  /// Ends the stage; the next one has `instances` of which each takes some of the batches. 0: options::partitions.
  auto spread(unsigned instances = 0) const { return next_stage(routing::spread, nullptr, instances, {}); }

  /// Ends the stage; in the next one, all elements with the same `key(x)` meet in the same instance, in their order.
  /// `instances` 0: options::partitions.
  template <class Key>
  requires std::invocable<const Key&, const value_type&>
  auto key_by(Key key, unsigned instances = 0) const;

  /// The key for keyed steps in the stage at work, which must have all elements of a key in one instance: after another
  /// key_by whose key follows from this one, or where there is one instance.
  template <class Key>
  requires std::invocable<const Key&, const value_type&>
  auto keyed(Key key) const;

  /// Keyed steps over everything, in one instance.
  auto together() const;

  /// Ends the stage; the next one asks `target` about each element: `request(x)` is the message, and `combine(x, reply)` goes
  /// on in the place of x. The order stays. See ask_stage.
  template <class Target, class Request, class Combine>
  auto ask(Target target, Request request, Combine combine, ask_options o = {}) const {
    using message = std::remove_cvref_t<std::invoke_result_t<const Request&, const value_type&>>;
    using out = std::remove_cvref_t<std::invoke_result_t<const Combine&, const value_type&, reply_of<message>>>;
    detail::require(o.concurrency >= 1 && o.concurrency <= 1'000, "ask_options.concurrency must be 1..1000");
    auto node = std::make_shared<ask_node<value_type, out, Target, Request, Combine>>(
        "ask", upstream<value_type>{close()}, std::move(target), std::move(request), std::move(combine), o);
    return stream<from_stages<out>>{from_stages<out>{{{std::move(node)}}, 1}, {}};
  }

  /// Elements for which `f(x)`, and the others, as two streams.
  template <class F>
  requires std::predicate<F&, const value_type&>
  auto split(F f) const {
    auto here = boundary();
    return std::pair{here.filter(f), here.filter(std::not_fn(f))};
  }

  /// Gives the stage at work a name: it appears in figures, errors and drawings.
  auto named(std::string name) const { return stream{head_, steps_, std::move(name)}; }

  // -- sinks --

  /// Calls `f(x)` for each, one at a time: once, unless `f` itself throws; see steps::for_each.
  template <class F>
  requires std::invocable<F&, const value_type&> pipeline_plan for_each(F f)
  const {
    steps::for_each<value_type, F> sink{std::move(f)};
    return head_.instances == 1 ? end(std::move(sink)) : boundary().end(std::move(sink));
  }

  pipeline_plan collect(const collection<value_type>& to) const { return end(steps::collect<value_type>{to}); }

  /// `f(s, x)` changes s; the last s, of each instance one, goes to `to` at the end.
  template <class S, class F>
  pipeline_plan fold(const collection<S>& to, S initial, F f) const {
    return end(steps::fold_into<value_type, S, F>{to, std::move(initial), std::move(f)});
  }

  /// A sink of your own: a step whose output is `nothing`.
  template <class Sink>
  requires std::same_as<step_output<Sink, value_type>, nothing> pipeline_plan end(Sink s)
  const { return pipeline_plan{{with(std::move(s)).close(node::kind::sink)}}; }

  // -- for the runtime --

  template <class Step>
  auto with(Step s) const {
    return stream<Head, Steps..., Step>{head_, std::tuple_cat(steps_, std::tuple<Step>{std::move(s)}), name_};
  }

  /// The node of what there is so far.
  std::shared_ptr<producer<value_type>> close(std::optional<node::kind> kind = {}) const {
    using chain_type = chain<Steps...>;
    if constexpr (sizeof...(Steps) == 0) {
      if constexpr (requires { head_.inputs; })
        if (head_.inputs.size() == 1 && head_.inputs.front().how == routing::forward && !kind)
          return head_.inputs.front().from; // nothing was added: no stage of its own
    }
    const auto what = kind.value_or(Head::kind);
    auto name =
        name_.empty() ? std::string{to_string(Head::kind == node::kind::source ? node::kind::source : what)} : name_;
    return std::make_shared<stage_node<Head, chain_type, value_type>>(what, std::move(name), head_, chain_type{steps_});
  }

  const Head& head() const noexcept { return head_; }

private:
  static void validate(const time_options& o) {
    detail::require(o.bound.count() >= 0, "time_options.bound must not be negative");
    detail::require(!o.idle_timeout || o.idle_timeout->count() > 0, "time_options.idle_timeout must be above 0");
  }

  auto next_stage(routing how, std::shared_ptr<const key_router<value_type>> router, unsigned instances,
                  std::string name) const {
    auto closed = name.empty() ? close() : named(std::move(name)).close();
    from_stages<value_type> head{{{std::move(closed), how, std::move(router)}}, instances};
    return stream<from_stages<value_type>>{std::move(head), {}};
  }

  Head head_;
  std::tuple<Steps...> steps_;
  std::string name_;

  template <class, class...>
  friend class stream;
  template <class, class, class...>
  friend class keyed_stream;
};

/// A stream of which each element has a key: where keyed steps are added. All elements of a key meet in one instance, in
/// their order.
template <class Head, class Key, class... Steps>
class keyed_stream {
public:
  using value_type = typename stream<Head, Steps...>::value_type;
  using key_type = key_of<Key, value_type>;

  keyed_stream(stream<Head, Steps...> s, Key key) : stream_{std::move(s)}, key_{std::move(key)} {}

  /// For each window and key, what a copy of `a` makes of its elements: `windowed` results. `kind` is tumbling, sliding,
  /// session or counted (which gives pairs of key and result).
  template <class Kind, class A, class Time = own_time>
  requires accumulates<A, value_type>
  auto window(Kind kind, A a, window_options o = {}, Time time = {}) const {
    return window_of<false>(kind, std::move(a), o, std::move(time));
  }

  /// As `window`, as two streams: the results, and what came too late.
  template <class Kind, class A, class Time = own_time>
  requires accumulates<A, value_type>
  auto window_and_late(Kind kind, A a, window_options o = {}, Time time = {}) const {
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
    using l = std::variant_alternative_t<0, value_type>;
    using r = std::variant_alternative_t<1, value_type>;
    return stream_.with(
        steps::join<l, r, Key, TimeL, TimeR, Combine>{key_, std::move(left), std::move(right), std::move(combine), o});
  }

  /// `combine(left, right, window)` for each two with the same key in the same window.
  template <class Combine, class TimeL = own_time, class TimeR = own_time>
  auto window_join(tumbling kind, Combine combine, TimeL left = {}, TimeR right = {}) const {
    using l = std::variant_alternative_t<0, value_type>;
    using r = std::variant_alternative_t<1, value_type>;
    detail::require_valid(validate(kind));
    return stream_.with(steps::window_join<l, r, Key, TimeL, TimeR, Combine>{key_, std::move(left), std::move(right),
                                                                             kind, std::move(combine)});
  }

  /// `combine(left, version)` for each left one, with the right one of its key that was the latest at its time, or null.
  template <class Combine, class TimeL = own_time, class TimeR = own_time>
  auto lookup(Combine combine, TimeL left = {}, TimeR right = {}) const {
    using l = std::variant_alternative_t<0, value_type>;
    using r = std::variant_alternative_t<1, value_type>;
    return stream_.with(
        steps::lookup<l, r, Key, TimeL, TimeR, Combine>{key_, std::move(left), std::move(right), std::move(combine)});
  }

private:
  template <bool WithLate, class Kind, class A, class Time>
  auto window_of(Kind kind, A a, window_options o, Time time) const {
    detail::require_valid(validate(kind));
    detail::require(o.lateness.count() >= 0, "window_options.lateness must not be negative");
    if constexpr (std::same_as<Kind, session>)
      return stream_.with(
          steps::session_window<value_type, Key, Time, A, WithLate>{key_, std::move(time), kind, std::move(a), o});
    else if constexpr (std::same_as<Kind, counted>)
      return stream_.with(steps::count_window<value_type, Key, A>{key_, kind, std::move(a)});
    else
      return stream_.with(
          steps::aligned_window<value_type, Key, Time, A, WithLate>{key_, std::move(time), kind, std::move(a), o});
  }

  stream<Head, Steps...> stream_;
  Key key_;
};

template <class Head, class... Steps>
template <class Key>
requires std::invocable<const Key&, const typename stream<Head, Steps...>::value_type&> auto
stream<Head, Steps...>::key_by(Key key, unsigned instances) const {
  auto next = next_stage(routing::by_key, std::make_shared<router_by<value_type, Key>>(key), instances, {});
  return keyed_stream<from_stages<value_type>, Key>{std::move(next), std::move(key)};
}

template <class Head, class... Steps>
template <class Key>
requires std::invocable<const Key&, const typename stream<Head, Steps...>::value_type&> auto
stream<Head, Steps...>::keyed(Key key) const {
  return keyed_stream<Head, Key, Steps...>{*this, std::move(key)};
}

template <class Head, class... Steps>
auto stream<Head, Steps...>::together() const {
  auto everything = [](const value_type&) { return no_key{}; };
  auto next = boundary();
  return keyed_stream<from_stages<value_type>, decltype(everything)>{std::move(next), everything};
}

// -- where streams begin -------------------------------------------------------------------------------------------------

/// A source that reads from a cursor.
template <cursor C>
auto from(C c) {
  return stream<from_cursors<C>>{from_cursors<C>{{std::move(c)}, 1}, {}};
}

/// A source with one instance for each cursor: partitions, each in its order.
template <cursor C>
auto from(std::vector<C> cursors) {
  detail::require(!cursors.empty(), "from: at least one cursor");
  const auto n = static_cast<unsigned>(cursors.size());
  return stream<from_cursors<C>>{from_cursors<C>{std::move(cursors), n}, {}};
}

/// A source with these elements.
template <class T>
auto from_values(std::vector<T> all) {
  return from(values<T>{std::move(all)});
}

/// A source with what `next(state)` returns, until that is empty. `next` must depend on nothing but `state`.
template <class State, class F>
auto generate(State state, F next) {
  return from(generator<State, F>{std::move(state), std::move(next)});
}

/// A source that others fill.
template <class T>
auto from(const inbox<T>& box) {
  return stream<from_inbox<T>>{from_inbox<T>{box}, {}};
}

// -- where streams meet --------------------------------------------------------------------------------------------------

/// All elements of several streams, as they come; each stream keeps its order. The watermark is the least of theirs.
template <class First, class... More>
requires(std::same_as<typename First::value_type, typename More::value_type>&&...) auto merge(const First& first,
                                                                                              const More&... more) {
  using value = typename First::value_type;
  from_stages<value> head;
  head.inputs.push_back({first.close(), routing::forward, nullptr});
  (head.inputs.push_back({more.close(), routing::forward, nullptr}), ...);
  return stream<from_stages<value>>{std::move(head), {}};
}

template <class S>
auto merge(const std::vector<S>& streams) {
  using value = typename S::value_type;
  detail::require(!streams.empty(), "merge: at least one stream");
  from_stages<value> head;
  for (const auto& s : streams)
    head.inputs.push_back({s.close(), routing::forward, nullptr});
  return stream<from_stages<value>>{std::move(head), {}};
}

namespace detail {

/// Both streams as one, of variants.
template <class L, class R>
auto sides_of(const L& left, const R& right) {
  using l = typename L::value_type;
  using r = typename R::value_type;
  using both = std::variant<l, r>;
  return std::pair{left.map([](const l& x) {
                     return both{std::in_place_index<0>, x};
                   }),
                   right.map([](const r& x) {
                     return both{std::in_place_index<1>, x};
                   })};
}

} // namespace detail

/// The key of a variant of two sides.
template <class KeyL, class KeyR>
struct key_of_side {
  template <class L, class R>
  auto operator()(const std::variant<L, R>& x) const {
    using key = key_of<KeyL, L>;
    static_assert(std::same_as<key, key_of<KeyR, R>>, "the keys of both sides have the same type");
    return x.index() == 0 ? key(std::invoke(left, *std::get_if<0>(&x))) : key(std::invoke(right, *std::get_if<1>(&x)));
  }
  KeyL left;
  KeyR right;
};

/// Two streams by key, as one of variants: `join`, `window_join` and `lookup` follow.
template <class L, class R, class KeyL, class KeyR>
auto both_by_key(const L& left, const R& right, KeyL left_key, KeyR right_key, unsigned instances = 0) {
  using value = std::variant<typename L::value_type, typename R::value_type>;
  using key = key_of_side<KeyL, KeyR>;
  auto [l, r] = detail::sides_of(left, right);
  key by{std::move(left_key), std::move(right_key)};
  auto router = std::make_shared<router_by<value, key>>(by);
  from_stages<value> head{{{l.close(), routing::by_key, router}, {r.close(), routing::by_key, router}}, instances};
  return keyed_stream<from_stages<value>, key>{stream<from_stages<value>>{std::move(head), {}}, std::move(by)};
}

/// Pairs: the first of each stream, the second of each, and so on, as far as the shorter one goes.
template <class L, class R>
auto zip(const L& left, const R& right) {
  using value = std::variant<typename L::value_type, typename R::value_type>;
  auto [l, r] = detail::sides_of(left, right);
  from_stages<value> head{{{l.close(), routing::forward, nullptr}, {r.close(), routing::forward, nullptr}}, 1};
  return stream<from_stages<value>>{std::move(head), {}}.with(
      steps::zip<typename L::value_type, typename R::value_type>{});
}

} // namespace troupe::pipeline
