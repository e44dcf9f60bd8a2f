// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/engine/host.hpp>
#include <troupe/engine/message_handler.hpp>
#include <troupe/error.hpp>
#include <troupe/watch.hpp>

#include <array>
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

template <class A>
constexpr std::uint32_t suspended_max_of() {
  if constexpr (requires { A::exclusive; })
    return A::exclusive ? 1 : 1'024;
  else
    return 1'024;
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
    std::apply([this](const Args&... xs) { object_storage_.emplace(xs...); }, *arguments_);
    object_ = &*object_storage_;
  }

  void destroy() noexcept override {
    object_ = nullptr;
    object_storage_.reset();
  }

  /// Arguments may hold refs, even to this actor by way of others: a stopped cell must not keep them.
  void forget() noexcept override { arguments_.reset(); }

private:
  std::optional<std::tuple<Args...>> arguments_;
  std::optional<A> object_storage_;
};

/// Options checked and shared, or an `errc::bad_options`.
result<std::shared_ptr<const cell_options>> checked_options(const supervisor_core& parent, const child_options& spec,
                                                            std::string_view name);

/// Puts a constructed cell under `parent` and lets it run; takes the caller's count over if that fails.
result<void> place(cell& c, supervisor_core& parent);

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
