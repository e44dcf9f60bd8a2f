// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/ask_stage.hpp>
#include <troupe/pipeline/chain.hpp>
#include <troupe/pipeline/event_times.hpp>
#include <troupe/pipeline/key_hash.hpp>
#include <troupe/pipeline/line_writer.hpp>
#include <troupe/pipeline/pacing.hpp>
#include <troupe/pipeline/running.hpp>
#include <troupe/pipeline/sink.hpp>
#include <troupe/pipeline/stage_node.hpp>
#include <troupe/pipeline/steps.hpp>

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

/// What a stream with those steps carries. (Spelled alike where a member is declared and where it is defined, for clang.)
template <class Head, class... Steps>
using elements_of = typename chain_output<typename Head::value_type, Steps...>::type;

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
  using value_type = detail::elements_of<Head, Steps...>;

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
  requires std::invocable < const Key&, const detail::elements_of<Head, Steps...>
  & > auto key_by(Key key, unsigned instances = 0) const;

  /// The key for keyed steps in the stage at work, which must have all elements of a key in one instance: after another
  /// key_by whose key follows from this one, or where there is one instance.
  template <class Key>
  requires std::invocable < const Key&, const detail::elements_of<Head, Steps...>
  & > auto keyed(Key key) const;

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

  /// Writes `to_line(x)` as a line of the file `path`, which is replaced, for each: once, also across checkpoints.
  template <class F>
  requires std::is_invocable_r_v<std::string, F&, const value_type&>
      pipeline_plan write_lines(std::string path, F to_line, std::shared_ptr<file_system> files = production_files())
  const {
    steps::write_lines<value_type, F> sink{std::move(path), std::move(to_line), std::move(files)};
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

} // namespace troupe::pipeline
