// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/durable_ref.hpp>
#include <troupe/journal/journal_session.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

/// The events of a journaled actor: values that say what happened.
template <class... Es>
struct events {
  using variant = std::variant<Es...>;
  template <class E>
  static constexpr bool contains = detail::one_of<E, Es...>;
};

namespace detail {

/// Stands for the reply of a handler that gives none.
struct no_reply {};

/// A few events in a row: the first two without an allocation.
template <class Variant>
class event_row {
public:
  template <class E>
  void add(E&& e) {
    if (size_ < near_.size())
      near_[size_].emplace(std::forward<E>(e));
    else
      far_.emplace_back(std::forward<E>(e));
    ++size_;
  }

  std::size_t size() const noexcept { return size_; }

  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < near_.size() && i < size_; ++i)
      f(*near_[i]);
    for (const auto& e : far_)
      f(e);
  }

private:
  std::size_t size_ = 0;
  std::array<std::optional<Variant>, 2> near_;
  std::vector<Variant> far_;
};

/// The records of such a row, which outlives them.
class record_row {
public:
  template <class Variant>
  explicit record_row(const event_row<Variant>& events) {
    if (events.size() > near_.size())
      far_.reserve(events.size());
    events.for_each([this](const Variant& e) {
      std::visit([this](const auto& x) { add({&journal_type_of<std::remove_cvref_t<decltype(x)>>, &x}); }, e);
    });
  }

  std::span<const journal_record> all() const noexcept {
    return far_.empty() ? std::span{near_}.first(size_) : std::span{far_};
  }

private:
  void add(const journal_record& r) {
    if (far_.capacity() != 0)
      far_.push_back(r);
    else
      near_[size_++] = r;
  }

  std::size_t size_ = 0;
  std::array<journal_record, 2> near_;
  std::vector<journal_record> far_;
};

} // namespace detail

/// What is to be kept at one stroke: events, messages to other durable actors, durable timers. Made by an `effect` or by
/// `persist`.
///
/// - A message leaves when the record is durable. It is sent again until its target has handled it, across crashes of
///   either side; the target handles it once. Messages to one target arrive in their order.
/// - A timer fires once, at `when` by the wall clock or as soon as possible after it, as a message to the actor itself,
///   across crashes, too. One of the same name that has not fired is replaced.
template <class Self>
class durable_step {
public:
  /// Sends `message` to `target`. Nobody waits for its reply, if it has one.
  template <class A, class M>
  requires(handles<A, std::remove_cvref_t<M>>&& std::copy_constructible<std::remove_cvref_t<M>>) void add_message(
      const durable_ref<A>& target, M&& message) {
    outgoing().push_back(
        {detail::outgoing::kind::message, target.key(), {}, {}, detail::stored(std::forward<M>(message))});
  }

  template <class M>
  requires(Self::messages::template contains<std::remove_cvref_t<M>>) void add_timer(std::string_view name,
                                                                                     wall_time_point when,
                                                                                     M&& message) {
    outgoing().push_back(
        {detail::outgoing::kind::timer, {}, std::string{name}, when, detail::stored(std::forward<M>(message))});
  }

  /// The same, `delay` from now.
  template <class M>
  requires(Self::messages::template contains<std::remove_cvref_t<M>>) void add_timer(std::string_view name,
                                                                                     std::chrono::nanoseconds delay,
                                                                                     M&& message) {
    outgoing().push_back(
        {detail::outgoing::kind::timer, {}, std::string{name}, delay, detail::stored(std::forward<M>(message))});
  }

  void add_cancel(std::string_view name) {
    outgoing().push_back({detail::outgoing::kind::cancel, {}, std::string{name}, {}, {}});
  }

  /// For the runtime.
  bool empty() const noexcept { return new_events.size() == 0 && new_sends == nullptr; }
  detail::event_row<typename Self::event_list::variant> new_events;
  /// Null if there is none: most effects have none.
  std::unique_ptr<std::vector<detail::outgoing>> new_sends;

private:
  std::vector<detail::outgoing>& outgoing() {
    if (new_sends == nullptr)
      new_sends = std::make_unique<std::vector<detail::outgoing>>();
    return *new_sends;
  }
};

/// What a journaled handler decided: what to keep, the reply to give once it is kept, and what to do after that. Made by
/// the handler: `return {reply, event...};`, or `return reply;` if nothing happened, or, without a reply,
/// `return {event...};`.
///
///     effect<reservation> fx{reservation{true}, reserved{r.quantity}};
///     return std::move(fx).send(clerk_, note_sale{r.sku}).schedule("lapse", 15min, lapse{r.id});
template <class Self, class R>
class [[nodiscard]] basic_effect {
public:
  using actor_type = Self;
  static constexpr bool replies = !std::is_void_v<R>;
  using reply_type = std::conditional_t<replies, R, detail::no_reply>;

  template <class V, class... Es>
  requires(replies&& std::is_convertible_v<V, reply_type> &&
           (Self::event_list::template contains<std::remove_cvref_t<Es>> && ...)) basic_effect(V&& reply, Es&&... es)
      : answer{std::forward<V>(reply)} {
    (step.new_events.add(std::forward<Es>(es)), ...);
  }

  template <class... Es>
  requires(!replies && (Self::event_list::template contains<std::remove_cvref_t<Es>> && ...)) basic_effect(Es&&... es) {
    (step.new_events.add(std::forward<Es>(es)), ...);
  }

  basic_effect(const basic_effect&) = delete;
  basic_effect(basic_effect&&) = default; // NOLINT(performance-noexcept-move-constructor): as noexcept as the reply
  basic_effect& operator=(basic_effect&& other) { // NOLINT(performance-noexcept-move-constructor)
    if (this != &other) {                         // fx = std::move(fx).send(...)
      step = std::move(other.step);
      follow_up = std::move(other.follow_up);
      answer = std::move(other.answer);
    }
    return *this;
  }
  ~basic_effect() = default;

  // Each of these can be called on an effect, and in a chain on a temporary one, which is then returned.

  /// Adds one event more.
  template <class E>
  requires(Self::event_list::template contains<std::remove_cvref_t<E>>) basic_effect& and_event(E&& e) & {
    step.new_events.add(std::forward<E>(e));
    return *this;
  }
  template <class E>
  requires(Self::event_list::template contains<std::remove_cvref_t<E>>) basic_effect && and_event(E&& e) && {
    return std::move(and_event(std::forward<E>(e)));
  }

  /// Sends `message`, in the same record as the events: see durable_step.
  template <class A, class M>
  requires handles<A, std::remove_cvref_t<M>> basic_effect& send(const durable_ref<A>& target, M&& message) & {
    step.add_message(target, std::forward<M>(message));
    return *this;
  }
  template <class A, class M>
  requires handles<A, std::remove_cvref_t<M>> basic_effect && send(const durable_ref<A>& target, M&& message) && {
    return std::move(send(target, std::forward<M>(message)));
  }

  /// Sets the durable timer `name`: `when` is a point of calendar time, or a delay from now.
  template <class When, class M>
  requires(Self::messages::template contains<std::remove_cvref_t<M>>) basic_effect& schedule(std::string_view name,
                                                                                             When when, M&& message) & {
    step.add_timer(name, when, std::forward<M>(message));
    return *this;
  }
  template <class When, class M>
  requires(Self::messages::template contains<std::remove_cvref_t<M>>) basic_effect &&
      schedule(std::string_view name, When when, M&& message) && {
    return std::move(schedule(name, when, std::forward<M>(message)));
  }

  /// The durable timer of that name will not fire any more. Nothing happens if there is none.
  basic_effect& cancel(std::string_view name) & {
    step.add_cancel(name);
    return *this;
  }
  basic_effect&& cancel(std::string_view name) && { return std::move(cancel(name)); }

  /// `f` is called after the events are kept and applied, before the reply leaves: the place for messages to actors that are
  /// not durable. It runs at most once, and not at all if the handler is tried again because of a failure before.
  basic_effect& then(std::function<void()> f) & {
    follow_up = std::move(f);
    return *this;
  }
  basic_effect&& then(std::function<void()> f) && { return std::move(then(std::move(f))); }

  /// For the runtime.
  durable_step<Self> step;
  std::function<void()> follow_up;
  [[no_unique_address]] reply_type answer{};
};

} // namespace troupe
