// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/journal/effect.hpp>
#include <troupe/journal/journal_session.hpp>
#include <troupe/journal/kept_task.hpp>
#include <troupe/journal/store.hpp>
#include <troupe/type_name.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe {

namespace detail {

/// The types of a journal's records: the state and each event.
template <class State, class... Es>
inline constexpr std::array<const journal_type*, 1 + sizeof...(Es)> journal_types_of{&journal_type_of<State>,
                                                                                     &journal_type_of<Es>...};

template <class State, class... Es>
std::span<const journal_type* const> types_of(const std::variant<Es...>*) {
  return journal_types_of<State, Es...>;
}

} // namespace detail

/// Base of an actor whose state survives its restarts, and the process if its store does: a value of type `State` that only
/// events change.
///
///     class stock : public troupe::journaled_actor<stock, stock_state, troupe::events<reserved>, reserve> {
///     public:
///       explicit stock(const std::string& key) : journaled_actor{key} {}
///       effect<reservation> on(const reserve& r) {
///         if (state().available < r.quantity)
///           return reservation{false};
///         return {reservation{true}, reserved{r.quantity}};
///       }
///       static void apply(stock_state& s, const reserved& e) { s.available -= e.quantity; }
///     };
///
/// - A handler reads `state()` and returns an `effect`; it does not change state. What the effect holds, events, messages
///   and timers, is kept in the journal, all or nothing, then the events are applied, then the reply leaves. If the handler
///   throws, nothing has happened.
/// - A coroutine handler may `co_await persist(event...)` in its steps, and may return `task<effect<R>>`, which is kept at
///   its end. Retried after a failure, it finds in `state()` what earlier steps have kept: it must skip those.
/// - `apply`, one for each event, must not fail; it is used live and to rebuild the state, so it only looks at its arguments.
/// - After a restart the state is rebuilt from the journal before the first message, the failed one included.
/// - A message that another durable actor has sent with `effect::send`, and a durable timer, is handled like any other; that
///   it was handled is part of the record that its handler leaves, so it is handled once, whoever crashes when.
///
/// While a write is pending the actor does nothing else. A write that fails restarts the actor, whatever the rules say: what
/// is kept is then unknown. A record that cannot be kept as it is (rejected_record) is an error to the asker, and nothing
/// else; without an asker the message fails. `persist` throws it to the coroutine.
///
/// `State` is copyable, and starts as `State{}` or as what the constructor is given.
template <class Self, class State, class Events, class... Ms>
class journaled_actor : public actor<Self, Ms...> {
public:
  using event_list = Events;
  using state_type = State;
  template <class R = void>
  using effect = basic_effect<Self, R>;

  /// A snapshot is made each time that so many events have been added: a restart replays fewer than that. A restart that
  /// has replayed an eighth of them makes one, too. Overridable in Self.
  static constexpr std::size_t snapshot_every = 64;
  /// Messages and timers that may wait in the outbox. A handler that wants more of them is refused. Overridable in Self.
  static constexpr std::size_t unconfirmed_max = 100'000;
  /// Other actors that it remembers to have handled outbox messages of. Those that owe nothing any more are forgotten; if
  /// there are so many that do, a message of one more waits in its sender's outbox. Overridable in Self.
  static constexpr std::size_t senders_max = 100'000;

  /// For the runtime.
  detail::journal_session& session() noexcept { return session_; }
  void apply_all(const detail::event_row<typename Events::variant>& es) {
    es.for_each([this](const auto& e) { std::visit([this](const auto& x) { Self::apply(state_, x); }, e); });
    if (es.size() != 0 && session_.count(es.size()) >= Self::snapshot_every)
      session_.snapshot({&journal_type_of<State>, &state_});
  }
  const State& kept_state() const noexcept { return state_; }

  /// For the runtime: a trial of messages on a fresh incarnation, which lasts as long as the copy. Nothing of it is kept.
  std::shared_ptr<void> keep_state() {
    std::shared_ptr<State> copy{new State(state_), [this](const State* s) {
                                  delete s;
                                  on_trial_ = false;
                                }};
    on_trial_ = true;
    return copy;
  }
  void put_back(const std::shared_ptr<void>& state) { state_ = *static_cast<const State*>(state.get()); }
  void apply_on_trial(const detail::event_row<typename Events::variant>& es) {
    es.for_each([this](const auto& e) { std::visit([this](const auto& x) { Self::apply(state_, x); }, e); });
  }

protected:
  /// Opens the journal `key` (unique in the store) and rebuilds the state from it. Throws recovery_error if that cannot be
  /// done without leaving something out, another journal_error if the store cannot be read now, and usage_error if another
  /// actor uses the key.
  explicit journaled_actor(const std::string& key, State initial = {})
      : session_{this->own_cell(),
                 key,
                 detail::types_of<State>(static_cast<const typename Events::variant*>(nullptr)),
                 detail::durable_type_of<Self>,
                 Self::unconfirmed_max,
                 Self::senders_max},
        state_{std::move(initial)} {
    session_.replay([this](const journal_record& r) { state_ = *static_cast<const State*>(r.value); },
                    [this](const journal_record& r) { replay_one(r); });
    // One that fails often is not to replay the same events each time.
    if (this->incarnation() > 0 && session_.count(0) >= (Self::snapshot_every + 7) / 8)
      session_.snapshot({&journal_type_of<State>, &state_});
  }

  const State& state() const noexcept { return state_; }
  /// The key of the journal.
  const std::string& key() const noexcept { return session_.key(); }
  /// The actor's own address for those who keep it: unlike `self()` it outlasts passivation.
  durable_ref<Self> durable_self() const { return durable_ref<Self>{session_.address()}; }

  /// Awaitable in a coroutine handler: keeps the events, then applies them. What was made from a temporary that is not
  /// trivially copyable must be awaited in a statement of its own (for the reason, see reply_to_temporary), as must what
  /// messages and timers are added to:
  ///
  ///     auto kept = persist(reserved{sku, 2});
  ///     kept.send(clerk_, note_sale{sku});
  ///     co_await kept;
  template <class... Es>
  requires(Events::template contains<std::remove_cvref_t<Es>>&&...) auto persist(Es&&... es) {
    constexpr bool chainable =
        ((std::is_lvalue_reference_v<Es> || std::is_trivially_copyable_v<std::remove_cvref_t<Es>>)&&...);
    durable_step<Self> step;
    (step.new_events.add(std::forward<Es>(es)), ...);
    return detail::persisting<Self, chainable>{static_cast<Self&>(*this), std::move(step)};
  }

  /// Forgets the journal, for an actor whose work is over: events, snapshots, timers, and whose messages it has handled.
  /// Throws usage_error if its outbox holds messages, or a step of this handler is still being written. Does nothing in a
  /// rehearsal.
  void forget() {
    if (!on_trial_)
      session_.erase();
  }

private:
  void replay_one(const journal_record& r) {
    const bool known = [&]<class... Es>(const std::variant<Es...>*) {
      return ((*r.type->info == typeid(Es) && (Self::apply(state_, *static_cast<const Es*>(r.value)), true)) || ...);
    }(static_cast<const typename Events::variant*>(nullptr));
    if (!known)
      throw recovery_error{"the journal " + key() +
                           " holds an event of a type that the actor does not know: " + type_name(*r.type->info)};
    session_.count(1);
  }

  detail::journal_session session_;
  State state_;
  bool on_trial_ = false;
};

} // namespace troupe
