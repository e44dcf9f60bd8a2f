// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/envelope.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <typeinfo>

namespace troupe::detail {

class cell;
class suspension;

/// How one actor type handles one message type.
struct handler {
  const message_type* message;
  /// Calls the user's `on` on `object`, the receiver's; it is passed because a thread that is late in a handler of an actor
  /// that has been replaced would find the successor's in the cell. Returns what the message waits in if the handler
  /// suspended, else null: then the reply, if one is wanted, has left. Throws what the user's code throws; `e.reply` is
  /// then untouched.
  suspension* (*invoke)(cell& receiver, void* object, void* payload, envelope& e);
  /// A fresh reply slot of the right type, for requests that come from outside the type system.
  reply_slot* (*make_reply_slot)();
  /// Handles a copy of the message on `object` without any effect outside of it; null if that cannot be done.
  void (*rehearse)(void* object, const void* payload) = nullptr;
};

/// What the runtime knows about an actor type.
struct actor_type {
  const std::type_info* info;
  std::span<const handler* const> handlers;
  /// For the `stopped` messages of watched actors; null if the actor has no handler for them.
  const handler* on_stopped;
  /// Called before the object of a gracefully stopped actor is destroyed; null if the actor has no hook.
  void (*on_stop)(void* object);
  /// Handlers that may be suspended at the same time before the mailbox has to wait; 1 for an exclusive actor.
  std::uint32_t suspended_max;
  /// Called on the old object before it is destroyed for a restart, and on the fresh one before its first message, with
  /// the exception that was the reason; null if the actor has no hook. What they throw: see docs/how-to/supervise.md.
  void (*before_restart)(void* object, const std::exception_ptr& why) = nullptr;
  void (*after_restart)(void* object, const std::exception_ptr& why) = nullptr;
  /// A copy of the state that `handler::rehearse` changes, and the way to put it back; null if there is no such state.
  std::shared_ptr<void> (*keep_state)(void* object) = nullptr;
  void (*put_back)(void* object, const std::shared_ptr<void>& state) = nullptr;
  /// A fresh object may take over while a handler of the old one still runs.
  bool replaceable = false;
};

/// Holds the user's object of one cell and can build it anew. Threads: the cell's turn (construction: the spawner first).
class host {
public:
  explicit host(const actor_type& type) noexcept : type_{&type} {}
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  virtual ~host() = default;

  /// Builds a fresh object. Throws what its constructor throws; there is then no object.
  virtual void construct() = 0;
  /// Requires an object.
  virtual void destroy() noexcept = 0;
  /// There will be no further object: lets go of what it would be built from. Requires that there is no object.
  virtual void forget() noexcept {}
  /// Lets go of the object without ending it: a handler that cannot be interrupted still uses it. There is then no
  /// object, and a fresh one may be built. Returns it for `bury`. Requires an object of a replaceable type.
  virtual void* abandon() noexcept { return nullptr; }
  /// Destroys an abandoned object.
  virtual void bury(void*) noexcept {}

  /// What to call the actor if it has no name under its supervisor; empty: type and id. Threads: any.
  virtual std::string label() const { return {}; }

  void* object() const noexcept { return object_; }
  const actor_type& type() const noexcept { return *type_; }

protected:
  void* object_ = nullptr;

private:
  const actor_type* type_;
};

} // namespace troupe::detail
