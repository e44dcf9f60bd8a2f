// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/message_handler.hpp>
#include <troupe/engine/spawn.hpp>
#include <troupe/journal/durable_directory.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace troupe::detail {

/// Where a message out of an outbox comes from.
struct parcel_header {
  std::shared_ptr<durable_address> from; ///< A timer's is the receiver's own.
  std::uint64_t sequence = 0;
  std::uint64_t before =
      0; ///< The sender's message to the same target that comes right before and is not settled; or 0.
  bool timer = false;
};

/// A message out of an outbox, as it travels in an envelope.
template <class M>
struct parcel : parcel_header {
  parcel(parcel_header header, const M& m) : parcel_header{std::move(header)}, message{m} {}
  M message;
};

/// The bit in `envelope::mark` of a parcel.
inline constexpr std::uint32_t parcel_mark = 1;

/// Null if `e` is an ordinary message.
inline const parcel_header* header_of(envelope& e) noexcept {
  return (e.mark & parcel_mark) != 0 ? static_cast<const parcel_header*>(payload_of(e, *e.how->message)) : nullptr;
}

template <class M>
constexpr auto printer_of_parcel() -> std::string (*)(const void*) {
  if constexpr (printer_of<M>() != nullptr)
    return [](const void* p) { return printer_of<M>()(&static_cast<const parcel<M>*>(p)->message); };
  else
    return nullptr;
}

/// As the message type itself in every report, but for its place in the block.
template <class M>
inline constexpr message_type parcel_type_of{
    &typeid(M),
    &destroy_payload<parcel<M>>,
    static_cast<std::uint16_t>(payload_offset<parcel<M>>()),
    block_pool::class_for(payload_offset<parcel<M>>() + sizeof(parcel<M>)),
    nullptr, // it is tried on the actor itself only
    printer_of_parcel<M>(),
};

/// Hands a parcel to the actor's handler for the message in it, unless it was handled before. Defined with the journaled
/// actor.
template <class A, class M>
suspension* invoke_parcel(cell& receiver, void* target, void* payload, envelope& e);

template <class A, class M>
inline constexpr handler parcel_handler_of{&parcel_type_of<M>, &invoke_parcel<A, M>, &make_reply_slot<M>, nullptr};

template <class A, class M>
envelope* make_parcel(parcel_header header, const void* message) {
  auto* e = make_envelope<parcel<M>>(parcel_handler_of<A, M>, std::move(header), *static_cast<const M*>(message));
  e->mark = parcel_mark;
  return e;
}

template <class A, class List>
struct parcel_table;

template <class A, class... Ms>
struct parcel_table<A, message_list<Ms...>> {
  static_assert((std::copy_constructible<Ms> && ...),
                "a durable actor's messages are copied from its partners' outboxes");
  static constexpr std::array<parcel_entry, sizeof...(Ms)> entries{
      parcel_entry{&journal_type_of<Ms>, &make_parcel<A, Ms>}...};
};

template <class A>
inline constexpr durable_type durable_type_of{&actor_type_of<A>, parcel_table<A, typename A::messages>::entries};

} // namespace troupe::detail
