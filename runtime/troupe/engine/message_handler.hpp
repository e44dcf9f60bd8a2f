// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/engine/host.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/task.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace troupe::detail {

template <class M, class... Ms>
inline constexpr bool one_of = (std::is_same_v<M, Ms> || ...);

template <class... Ms>
struct message_list {
  template <class M>
  static constexpr bool contains = one_of<M, Ms...>;
};

template <class M>
struct reply_type {
  using type = void;
};
template <class M>
requires requires { typename M::reply; }
struct reply_type<M> {
  using type = typename M::reply;
};

/// Moves the reply out, if one is wanted.
template <class M, class... Value>
void send_reply(envelope& e, Value&&... value) {
  if (e.reply == nullptr)
    return;
  auto* slot = static_cast<typed_reply_slot<typename reply_type<M>::type>*>(std::exchange(e.reply, nullptr));
  slot->settle(std::forward<Value>(value)...);
}

/// Sends what a task that is done came to, or throws what it threw.
template <class M, class R>
void send_result(envelope& e, task<R>& t) {
  if constexpr (std::is_void_v<typename reply_type<M>::type>) {
    (void)t.take();
    send_reply<M>(e);
  } else {
    send_reply<M>(e, t.take());
  }
}

/// The outermost coroutine of a handler, while it is suspended.
template <class M, class R>
class suspended_task final : public suspension, public pooled_frame {
public:
  explicit suspended_task(task<R> t) noexcept : task_{std::move(t)} {}

  bool ended() const noexcept override { return task_.done(); }

  void conclude(envelope& e) override { send_result<M>(e, task_); }

  void dispose() noexcept override { delete this; }

private:
  task<R> task_;
};

/// What follows from the value that a handler returned. Specialised for what other rooms let handlers return.
template <class M, class Returned>
struct conclusion {
  using reply = typename reply_type<M>::type;
  static_assert(std::is_void_v<reply> || std::is_convertible_v<Returned, reply>,
                "the handler's return type does not convert to the message's `reply` type");

  template <class Call>
  static suspension* of(cell&, envelope& e, Call&& call) {
    if constexpr (std::is_void_v<reply>) {
      (void)call();
      send_reply<M>(e);
    } else if (e.reply != nullptr) {
      send_reply<M>(e, call());
    } else {
      (void)call();
    }
    return nullptr;
  }
};

template <class M, class R>
struct conclusion<M, task<R>> {
  using reply = typename reply_type<M>::type;
  static_assert(std::is_void_v<reply> || std::is_convertible_v<R, reply>,
                "the handler's task does not yield the message's `reply` type");

  template <class Call>
  static suspension* of(cell&, envelope& e, Call&& call) {
    task<R> t = call();
    if (!t.done())
      return new suspended_task<M, R>{std::move(t)};
    send_result<M>(e, t);
    return nullptr;
  }
};

/// Gives the runtime access to protected and private handlers of an actor that befriends it.
struct handler_access {
  template <class A, class M>
  static constexpr bool has = requires(A& a, const M& m) {
    a.on(m);
  };

  template <class A, class M>
  static decltype(auto) call(A& a, const M& m) {
    return a.on(m);
  }
};

template <class A, class M>
suspension* invoke(cell& receiver, void* target, void* payload, envelope& e) {
  static_assert(handler_access::has<A, M>, "the actor names a message for which it has no handler on(const Message&)");
  auto& object = *static_cast<A*>(target);
  const auto& message = *static_cast<const M*>(payload);
  using returned = std::remove_cvref_t<decltype(handler_access::call(object, message))>;
  return conclusion<M, returned>::of(receiver, e,
                                     [&]() -> decltype(auto) { return handler_access::call(object, message); });
}

template <class M>
reply_slot* make_reply_slot() {
  return typed_reply_slot<typename reply_type<M>::type>::make();
}

/// Only what a handler decides can be tried without effect: see the specialisation of `conclusion` for effects.
template <class A, class M>
constexpr void (*rehearsal_of())(void*, const void*) {
  if constexpr (handler_access::has<A, M>) {
    using returned = std::remove_cvref_t<decltype(handler_access::call(std::declval<A&>(), std::declval<const M&>()))>;
    if constexpr (!std::is_void_v<returned>) // clang takes no parameter of type void for a requirement that fails
      if constexpr (requires(A & a, returned r) { conclusion<M, returned>::rehearse(a, r); })
        return [](void* object, const void* payload) {
          auto& a = *static_cast<A*>(object);
          returned decided = handler_access::call(a, *static_cast<const M*>(payload));
          conclusion<M, returned>::rehearse(a, decided);
        };
  }
  return nullptr;
}

template <class A, class M>
inline constexpr handler handler_of{&message_type_of<M>, &invoke<A, M>, &make_reply_slot<M>, rehearsal_of<A, M>()};

} // namespace troupe::detail
