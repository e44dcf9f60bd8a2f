// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/system.hpp>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/unit.hpp>

#include <functional>
#include <typeindex>
#include <utility>

/// The explicit crossings between Troupe's actors and plain CAF's. The one public header that includes CAF.
///
/// A message type that crosses must be one that CAF accepts as message: inspectable, or allowed with
/// CAF_ALLOW_UNSAFE_MESSAGE_TYPE.
namespace troupe {

namespace detail {

/// The CAF actor that stands for `c`, made at the first call.
caf::strong_actor_ptr caf_face_of(cell& c);

using reply_encoder = std::function<caf::message(reply_slot&)>;
void add_reply_encoder(std::type_index message, reply_encoder encode);

/// Lets `watcher` get a `stopped` when the CAF actor ends.
void watch_caf(cell& watcher, const caf::strong_actor_ptr& who);

} // namespace detail

/// Lets plain CAF actors `request` the messages `Ms`: their replies are turned into CAF messages; a message without a
/// reply type is answered with caf::unit. Plain sends need no preparation. Process-wide, idempotent. Threads: any.
template <class... Ms>
void allow_caf_requests() {
  (detail::add_reply_encoder(typeid(Ms),
                             [](detail::reply_slot& slot) -> caf::message {
                               using reply = reply_of<Ms>;
                               auto r = static_cast<detail::typed_reply_slot<reply>&>(slot).take();
                               if constexpr (std::is_void_v<reply>) {
                                 r.value();
                                 return caf::make_message(caf::unit);
                               } else {
                                 return caf::make_message(std::move(r).value());
                               }
                             }),
   ...);
}

/// The actor as a CAF actor: to send to, request from, monitor and link with in plain CAF code. It ends, for CAF, when
/// the actor has stopped; a restart is not an end. A CAF exit message with an error stops the actor.
template <class A>
template <class CafActor>
CafActor ref<A>::to_caf() const {
  return caf::actor_cast<CafActor>(detail::caf_face_of(detail::required(cell_)));
}

/// As actor_base::watch, for a plain CAF actor: `watcher` needs a handler for `stopped`, whose `id` is CAF's actor id.
template <class A>
void watch_caf(const ref<A>& watcher, const caf::actor& who) {
  static_assert(detail::handler_access::has<A, stopped>,
                "the watcher needs a public handler on(const troupe::stopped&)");
  detail::watch_caf(detail::required(watcher.pointer()), caf::actor_cast<caf::strong_actor_ptr>(who));
}

} // namespace troupe
