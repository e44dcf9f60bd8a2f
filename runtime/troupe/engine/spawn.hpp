// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/engine/host.hpp>
#include <troupe/engine/message_handler.hpp>
#include <troupe/error.hpp>
#include <troupe/watch.hpp>

#include <array>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::detail {

template <class A, class List>
struct handler_table;

template <class A, class... Ms>
struct handler_table<A, message_list<Ms...>> {
  static constexpr std::array<const handler*, sizeof...(Ms)> entries{&handler_of<A, Ms>...};
};

template <class A>
void call_on_stop(void* object) {
  static_cast<A*>(object)->on_stop();
}

/// What an actor may have under these names is optional, and found by its form. One that is private, or of another form,
/// is found here: a name that two bases have is ambiguous, whoever may use it.
struct optional_names {
  int exclusive, on_stop, before_restart, after_restart;
};
template <class A, bool = std::is_final_v<A>>
struct beside_optional_names : A, optional_names {};
template <class A>
struct beside_optional_names<A, true> : optional_names {}; // of a final class nothing can be said

template <class A>
constexpr std::uint32_t suspended_max_of() {
  if constexpr (requires { A::exclusive; })
    return A::exclusive ? 1 : 1'024;
  else {
    static_assert(
        requires { &beside_optional_names<A>::exclusive; }, "the actor's `exclusive` must be public");
    return 1'024;
  }
}

template <class A>
constexpr const handler* on_stopped_of() {
  if constexpr (handler_access::has<A, stopped>)
    return &handler_of<A, stopped>;
  else
    return nullptr;
}

template <class A>
constexpr void (*on_stop_of())(void*) {
  if constexpr (requires(A & a) { a.on_stop(); })
    return &call_on_stop<A>;
  else {
    static_assert(
        requires { &beside_optional_names<A>::on_stop; }, "the actor's `on_stop` must be public and take no arguments");
    return nullptr;
  }
}

template <class A>
constexpr void (*before_restart_of())(void*, const std::exception_ptr&) {
  if constexpr (requires(A & a, const std::exception_ptr& why) { a.before_restart(why); })
    return [](void* object, const std::exception_ptr& why) { static_cast<A*>(object)->before_restart(why); };
  else {
    static_assert(
        requires { &beside_optional_names<A>::before_restart; },
        "the actor's `before_restart` must be public and take a const std::exception_ptr&");
    return nullptr;
  }
}

template <class A>
constexpr void (*after_restart_of())(void*, const std::exception_ptr&) {
  if constexpr (requires(A & a, const std::exception_ptr& why) { a.after_restart(why); })
    return [](void* object, const std::exception_ptr& why) { static_cast<A*>(object)->after_restart(why); };
  else {
    static_assert(
        requires { &beside_optional_names<A>::after_restart; },
        "the actor's `after_restart` must be public and take a const std::exception_ptr&");
    return nullptr;
  }
}

/// Journaled actors: their state is a value that can be kept and put back.
template <class A>
concept rehearsable = requires(A& a, const std::shared_ptr<void>& state) {
  { a.keep_state() } -> std::same_as<std::shared_ptr<void>>;
  a.put_back(state);
};

template <class A>
constexpr std::shared_ptr<void> (*keep_state_of())(void*) {
  if constexpr (rehearsable<A>)
    return [](void* object) { return static_cast<A*>(object)->keep_state(); };
  else
    return nullptr;
}

template <class A>
constexpr void (*put_back_of())(void*, const std::shared_ptr<void>&) {
  if constexpr (rehearsable<A>)
    return [](void* object, const std::shared_ptr<void>& state) { static_cast<A*>(object)->put_back(state); };
  else
    return nullptr;
}

template <class A>
inline constexpr actor_type actor_type_of{
    &typeid(A),
    handler_table<A, typename A::messages>::entries,
    on_stopped_of<A>(),
    on_stop_of<A>(),
    suspended_max_of<A>(),
    before_restart_of<A>(),
    after_restart_of<A>(),
    keep_state_of<A>(),
    put_back_of<A>(),
    !rehearsable<A>, // a journal has one writer
};

/// Keeps the constructor's arguments, so that each incarnation is built like the first.
template <class A, class... Args>
class hosted final : public host {
  static_assert(
      std::is_constructible_v<A, const Args&...>,
      "the actor cannot be constructed from these arguments, passed as const so that a restart finds them unchanged");

public:
  template <class... Xs>
  explicit hosted(Xs&&... xs) : host{actor_type_of<A>}, arguments_{std::in_place, std::forward<Xs>(xs)...} {}

  ~hosted() override { destroy(); }

  void construct() override {
    if (object_storage_) {
      elsewhere_ = std::apply([](const Args&... xs) { return std::make_unique<A>(xs...); }, *arguments_);
      object_ = elsewhere_.get();
      return;
    }
    std::apply([this](const Args&... xs) { object_storage_.emplace(xs...); }, *arguments_);
    object_ = &*object_storage_;
  }

  void destroy() noexcept override {
    object_ = nullptr;
    if (elsewhere_ != nullptr)
      elsewhere_.reset();
    else if (!storage_abandoned_)
      object_storage_.reset();
  }

  /// Arguments may hold refs, even to this actor by way of others: a stopped cell must not keep them.
  void forget() noexcept override {
    forgotten_ = true;
    if (abandoned_ == 0) // else an object that still works may refer to them
      arguments_.reset();
  }

  void* abandon() noexcept override {
    ++abandoned_;
    object_ = nullptr;
    if (elsewhere_ != nullptr)
      return elsewhere_.release();
    storage_abandoned_ = true;
    return &*object_storage_;
  }

  void bury(void* abandoned) noexcept override {
    if (storage_abandoned_ && abandoned == &*object_storage_) {
      storage_abandoned_ = false;
      object_storage_.reset();
    } else {
      delete static_cast<A*>(abandoned);
    }
    if (--abandoned_ == 0 && forgotten_)
      arguments_.reset();
  }

private:
  std::optional<std::tuple<Args...>> arguments_;
  std::optional<A> object_storage_;
  std::unique_ptr<A> elsewhere_; // instead, while an abandoned object is in object_storage_
  unsigned abandoned_ = 0;
  bool storage_abandoned_ = false;
  bool forgotten_ = false;
};

/// Options checked and shared, or an `errc::bad_options`.
result<std::shared_ptr<const cell_options>> checked_options(const supervisor_core& parent, const actor_type& type,
                                                            const child_options& spec, std::string_view name);

/// Puts a constructed cell under `parent` and lets it run; takes the caller's count over if that fails.
result<void> place(cell& c, supervisor_core& parent);
/// Tells subscribers what is questionable about the options of a child that was started.
void review(supervisor_core& parent, const cell& child);
/// As `place`, without an event, for a caller that holds a lock.
result<void> place_unannounced(cell& c, supervisor_core& parent);

/// Builds an actor's first object on the calling thread and starts it. Throws what the constructor throws, and
/// request_error for options, names and a stopping supervisor.
template <class A, class... Xs>
cell& spawn(system_core& core, supervisor_core& parent, std::shared_ptr<const cell_options> options, Xs&&... xs) {
  auto& c = *cell::make<hosted<A, std::decay_t<Xs>...>>(core, std::move(options), std::forward<Xs>(xs)...);
  try {
    c.construct();
  } catch (...) {
    c.give_up_start();
    c.release();
    throw;
  }
  place(c, parent).value();
  return c; // with the caller's count
}

} // namespace troupe::detail
