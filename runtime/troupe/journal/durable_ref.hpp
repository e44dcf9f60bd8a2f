// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/spawn.hpp>
#include <troupe/journal/durable_directory.hpp>
#include <troupe/ref.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe {

class system;

namespace detail {

std::shared_ptr<durable_address> address_of(system_core& core, const std::string& key);
std::shared_ptr<durable_address> address_of(troupe::system& system, const std::string& key);

/// The cell of an actor of that type under that address. Throws usage_error if it is of another type.
result<cell_pointer> resolve(durable_address& to, const actor_type& type);

/// Sends `e` to `found`, or, if that has stopped meanwhile, to the next cell of its type under the address. Takes it over,
/// whatever the outcome.
delivery send(durable_address& to, result<cell_pointer> found, envelope* e);

/// Tells the asker why, and frees `e`.
void refuse(envelope* e, const error& why);

} // namespace detail

/// The address of a durable actor: the key of its journal. Valid as long as the system, whether the actor is in memory or
/// not, across restarts and passivation; and, as it is a name, across processes.
///
/// Under the key works whoever was started with it: an actor that somebody has started, or an entity (entities.hpp), which
/// is started by what is sent. Threads: any; each object as a shared_ptr.
template <class A>
class durable_ref {
public:
  durable_ref() = default;
  durable_ref(troupe::system& system, const std::string& key) : address_{detail::address_of(system, key)} {}
  explicit durable_ref(std::shared_ptr<detail::durable_address> address) noexcept : address_{std::move(address)} {}

  /// False for a default-constructed one. All other members but comparison require a true one, and throw usage_error.
  explicit operator bool() const noexcept { return address_ != nullptr; }

  const std::string& key() const { return required().key(); }

  /// Sends `message` and returns at once; never blocks. As `ref::tell`: it is lost if the actor, or the process, ends before
  /// it is handled. For what must not be lost, see `effect::send`. `delivery::stopped`: nobody works under that key.
  /// Throws usage_error if who works there is no A.
  template <class T, class M = std::remove_cvref_t<T>>
  requires handles<A, M> delivery tell(T&& message)
  const {
    auto to = detail::resolve(required(), detail::actor_type_of<A>);
    return detail::send(*address_, std::move(to),
                        detail::make_envelope<M>(detail::handler_of<A, M>, std::forward<T>(message)));
  }

  /// As `ref::ask`.
  template <class T, class M = std::remove_cvref_t<T>>
  requires handles<A, M> detail::reply_for<M, T> ask(T&& message,
                                                     std::chrono::nanoseconds timeout = default_ask_timeout)
  const {
    auto to = detail::resolve(required(), detail::actor_type_of<A>);
    auto* e = detail::make_envelope<M>(detail::handler_of<A, M>, std::forward<T>(message));
    for (;;) {
      auto& receiver = to ? **to : address_->nobody();
      auto* slot = detail::typed_reply_slot<reply_of<M>>::make();
      e->reply = slot;
      e->deadline = detail::ask_deadline(receiver, timeout);
      slot->open_for(receiver, detail::cell::current(), e->deadline);
      detail::reply_for<M, T> answer{slot};
      if (!to)
        detail::refuse(e, to.error());
      if (!to || receiver.offer(e))
        return answer;
      std::exchange(e->reply, nullptr)->settle_error(errc::stopped); // meanwhile; and there may be another one
      to = detail::resolve(*address_, detail::actor_type_of<A>);
    }
  }

  friend bool operator==(const durable_ref& a, const durable_ref& b) noexcept { return a.address_ == b.address_; }

  /// For the runtime.
  const std::shared_ptr<detail::durable_address>& address() const noexcept { return address_; }

private:
  detail::durable_address& required() const {
    if (address_ == nullptr)
      throw usage_error{"this durable_ref is empty"};
    return *address_;
  }

  std::shared_ptr<detail::durable_address> address_;
};

} // namespace troupe

template <class A>
struct std::hash<troupe::durable_ref<A>> {
  std::size_t operator()(const troupe::durable_ref<A>& r) const noexcept {
    return std::hash<std::shared_ptr<troupe::detail::durable_address>>{}(r.address());
  }
};
