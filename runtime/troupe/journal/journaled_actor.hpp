// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/journal/pending_write.hpp>
#include <troupe/journal/store.hpp>

#include <array>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

namespace detail {

template <class Variant>
std::vector<journal_record> records_of(const std::vector<Variant>& es) {
  std::vector<journal_record> records;
  records.reserve(es.size());
  for (const auto& e : es)
    records.push_back(std::visit(
        [](const auto& x) {
          return journal_record{&journal_type_of<std::remove_cvref_t<decltype(x)>>, &x};
        },
        e));
  return records;
}

} // namespace detail

/// The events of a journaled actor: values that say what happened.
template <class... Es>
struct events {
  using variant = std::variant<Es...>;
  template <class E>
  static constexpr bool contains = detail::one_of<E, Es...>;
};

/// What a journaled handler decided: events to keep, the reply to give once they are kept, and what to do after that.
/// Made by the handler: `return {reply, event...};`, or `return reply;` if nothing happened, or, without a reply,
/// `return {event...};`.
template <class Self, class R>
class basic_effect {
public:
  using actor_type = Self;

  template <class V, class... Es>
  requires(std::is_convertible_v<V, R> && (Self::event_list::template contains<std::remove_cvref_t<Es>> && ...))
      basic_effect(V&& reply, Es&&... es)
      : reply_{std::forward<V>(reply)} {
    events_.reserve(sizeof...(Es));
    (events_.emplace_back(std::forward<Es>(es)), ...);
  }

  /// Adds one event more.
  template <class E>
  requires(Self::event_list::template contains<std::remove_cvref_t<E>>) basic_effect && and_event(E&& e) && {
    events_.emplace_back(std::forward<E>(e));
    return std::move(*this);
  }

  /// `f` is called after the events are kept and applied, before the reply leaves: the place for messages to others. It
  /// runs at most once, and not at all if the handler is tried again because of a failure before.
  basic_effect&& then(std::function<void()> f) && {
    then_ = std::move(f);
    return std::move(*this);
  }

  /// For the runtime.
  std::vector<typename Self::event_list::variant> events_;
  std::function<void()> then_;
  R reply_;
};

template <class Self>
class basic_effect<Self, void> {
public:
  using actor_type = Self;

  template <class... Es>
  requires(Self::event_list::template contains<std::remove_cvref_t<Es>>&&...) basic_effect(Es&&... es) {
    events_.reserve(sizeof...(Es));
    (events_.emplace_back(std::forward<Es>(es)), ...);
  }

  template <class E>
  requires(Self::event_list::template contains<std::remove_cvref_t<E>>) basic_effect && and_event(E&& e) && {
    events_.emplace_back(std::forward<E>(e));
    return std::move(*this);
  }

  basic_effect&& then(std::function<void()> f) && {
    then_ = std::move(f);
    return std::move(*this);
  }

  std::vector<typename Self::event_list::variant> events_;
  std::function<void()> then_;
};

/// Base of an actor whose state survives its restarts: a value of type `State` that only events change.
///
///     class stock : public troupe::journaled_actor<stock, stock_state, troupe::events<reserved>, reserve> {
///     public:
///       explicit stock(const std::string& sku) : journaled_actor{"stock/" + sku} {}
///       effect<reservation> on(const reserve& r) {
///         if (state().available < r.quantity)
///           return reservation{false};
///         return {reservation{true}, reserved{r.quantity}};
///       }
///       static void apply(stock_state& s, const reserved& e) { s.available -= e.quantity; }
///     };
///
/// - A handler reads `state()` and returns an `effect`; it does not change state. Its events are kept in the journal, all
///   or none, then applied, then the reply leaves. If it throws, nothing has happened.
/// - A coroutine handler may instead `co_await persist(event...)` in its steps. Retried after a failure, it finds in
///   `state()` what earlier steps have kept: it must skip those.
/// - `apply`, one for each event, must not fail; it is used live and to rebuild the state, so it only looks at its arguments.
/// - After a restart the state is rebuilt from the journal before the first message, the failed one included.
///
/// While a write is pending the actor handles no other message. `State` is copyable, and starts as `State{}` or as what the
/// constructor is given.
template <class Self, class State, class Events, class... Ms>
class journaled_actor : public actor<Self, Ms...> {
public:
  using event_list = Events;
  using state_type = State;
  template <class R = void>
  using effect = basic_effect<Self, R>;

  /// A snapshot replaces the events kept so far each time that so many have been added. Overridable in Self.
  static constexpr std::size_t snapshot_every = 64;

  /// For the runtime.
  detail::journal_session& session() noexcept { return session_; }
  void apply_all(const std::vector<typename Events::variant>& es) {
    for (const auto& e : es)
      std::visit([this](const auto& x) { Self::apply(state_, x); }, e);
    if (session_.count(es.size()) >= Self::snapshot_every)
      session_.snapshot({&journal_type_of<State>, &state_});
  }

  /// For the runtime: a trial of messages on a fresh incarnation. Nothing of it is kept.
  std::shared_ptr<void> keep_state() const { return std::make_shared<State>(state_); }
  void put_back(const std::shared_ptr<void>& state) { state_ = *static_cast<const State*>(state.get()); }
  void apply_on_trial(const std::vector<typename Events::variant>& es) {
    for (const auto& e : es)
      std::visit([this](const auto& x) { Self::apply(state_, x); }, e);
  }

protected:
  /// Opens the journal `key` (unique in the store) and rebuilds the state from it.
  explicit journaled_actor(const std::string& key, State initial = {})
      : session_{this->own_cell(), key}, state_{std::move(initial)} {
    session_.replay([this](const journal_record& r) { state_ = *static_cast<const State*>(r.value); },
                    [this](const journal_record& r) { replay_one(r); });
  }

  const State& state() const noexcept { return state_; }

  /// Awaitable in a coroutine handler: keeps the events, then applies them. What was made from a temporary that is not
  /// trivially copyable must be awaited in a statement of its own: `auto kept = persist(...); co_await kept;` (for the
  /// reason, see reply_to_temporary).
  template <class... Es>
  requires(Events::template contains<std::remove_cvref_t<Es>>&&...) auto persist(Es&&... es) {
    constexpr bool chainable =
        ((std::is_lvalue_reference_v<Es> || std::is_trivially_copyable_v<std::remove_cvref_t<Es>>)&&...);
    std::vector<typename Events::variant> all;
    all.reserve(sizeof...(Es));
    (all.emplace_back(std::forward<Es>(es)), ...);
    return persisting<chainable>{persist_awaiter{*this, std::move(all), {}}};
  }

  /// Forgets the journal, for an actor whose work is over.
  void forget() { session_.erase(); }

private:
  struct persist_awaiter {
    journaled_actor& self;
    std::vector<typename Events::variant> es;
    detail::awaited_write write;

    bool await_ready() { return self.session_.append(detail::records_of(es), write); }
    void await_suspend(std::coroutine_handle<> h) { write.await(h); }
    void await_resume() {
      write.check();
      self.apply_all(es);
    }
  };

  template <bool Chainable>
  struct persisting {
    persist_awaiter awaiter;
    persist_awaiter operator co_await() & noexcept { return std::move(awaiter); }
    persist_awaiter operator co_await() && noexcept requires Chainable { return std::move(awaiter); }
    void operator co_await() && requires(!Chainable) = delete; // put persist and its co_await into two statements
  };

  void replay_one(const journal_record& r) {
    const bool known = [&]<class... Es>(const std::variant<Es...>*) {
      return ((*r.type->info == typeid(Es) && (Self::apply(state_, *static_cast<const Es*>(r.value)), true)) || ...);
    }(static_cast<const typename Events::variant*>(nullptr));
    if (!known)
      throw usage_error{"the journal holds an event that the actor does not know"};
    session_.count(1);
  }

  detail::journal_session session_;
  State state_;
};

namespace detail {

/// After the events are kept: apply them, do what was to follow, reply.
template <class M, class Effect>
void finish_effect(typename Effect::actor_type& self, Effect& fx, envelope& e) {
  if (!fx.events_.empty())
    self.apply_all(fx.events_);
  if (fx.then_)
    fx.then_();
  if constexpr (requires { fx.reply_; })
    send_reply<M>(e, std::move(fx.reply_));
  else
    send_reply<M>(e);
}

/// A handled message whose events are being written.
template <class M, class Effect>
class suspended_effect final : public suspension, public pooled_frame {
public:
  suspended_effect(typename Effect::actor_type& self, Effect fx, awaited_write write, envelope& e)
      : self_{self}, effect_{std::move(fx)}, write_{std::move(write)} {
    write_.notify(e);
  }

  bool ended() const noexcept override { return write_.ended(); }
  void conclude(envelope& e) override {
    write_.check();
    finish_effect<M>(self_, effect_, e);
  }
  void dispose() noexcept override { delete this; }

private:
  typename Effect::actor_type& self_;
  Effect effect_;
  awaited_write write_;
};

template <class M, class Self, class R>
struct conclusion<M, basic_effect<Self, R>> {
  template <class Call>
  static suspension* of(cell& receiver, envelope& e, Call&& call) {
    auto& self = *static_cast<Self*>(receiver.object());
    basic_effect<Self, R> fx = call();
    if (fx.events_.empty()) {
      finish_effect<M>(self, fx, e);
      return nullptr;
    }
    awaited_write write;
    if (!self.session().append(records_of(fx.events_), write))
      return new suspended_effect<M, basic_effect<Self, R>>{self, std::move(fx), std::move(write), e};
    finish_effect<M>(self, fx, e);
    return nullptr;
  }

  /// The handler has decided: what would be kept is applied, and neither kept nor followed by anything.
  static void rehearse(Self& self, const basic_effect<Self, R>& fx) { self.apply_on_trial(fx.events_); }
};

} // namespace detail

} // namespace troupe
