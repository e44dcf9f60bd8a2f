// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/block_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace troupe::detail {

class reply_slot;
class suspension;
struct handler;

/// What the runtime knows about a message type, whoever handles it.
struct message_type {
  const std::type_info* info;
  void (*destroy)(void* payload) noexcept;
  std::uint16_t payload_offset;
  std::uint8_t block_class;
  /// A copy of the payload; null if it cannot be copied.
  std::shared_ptr<const void> (*copy)(const void* payload);
  /// What the type's own `to_string` says, found by argument-dependent lookup; null if there is none.
  std::string (*print)(const void* payload);
};

/// A message on its way: one block from the pool, the payload behind the header.
///
/// Threads: whoever holds it. It passes from the sender to the mailbox to the receiving cell.
struct envelope {
  union {
    /// In a mailbox or a batch: the neighbour.
    envelope* next;
    /// In hand: what it waits in while its handler is suspended.
    suspension* waits_in;
  };
  /// How the receiver handles this message, chosen at compile time.
  const struct handler* how;
  /// Where the reply goes; null for a `tell`. Owns one count on the slot.
  reply_slot* reply;
  /// Steady time in nanoseconds from which on the message is not handled any more; 0 means never.
  std::int64_t deadline;
  /// How often handling it has failed.
  std::uint32_t attempts : 24;
  /// Bits of those who make messages of a special kind; unused in the mailbox.
  std::uint32_t mark : 8;
  union {
    /// If the receiver has a flight recorder, the message is *signed*: the sender's id, its lower half; 0: no actor.
    std::uint32_t sender;
    /// Else: how many blocks away one of the messages before it may lie; see `trail`.
    std::uint32_t earlier;
  };
};

inline constexpr std::size_t envelope_header_bytes = sizeof(envelope);
static_assert(envelope_header_bytes == 40);

template <class M>
constexpr std::size_t payload_offset() {
  static_assert(alignof(M) <= block_pool::alignment, "a message must not be aligned to more than 64 bytes");
  return (envelope_header_bytes + alignof(M) - 1) / alignof(M) * alignof(M);
}

template <class M>
void destroy_payload(void* payload) noexcept {
  static_cast<M*>(payload)->~M();
}

template <class M>
constexpr auto copier_of() -> std::shared_ptr<const void> (*)(const void*) {
  if constexpr (std::is_copy_constructible_v<M>)
    return [](const void* p) -> std::shared_ptr<const void> {
      return std::make_shared<const M>(*static_cast<const M*>(p));
    };
  else
    return nullptr;
}

template <class M>
constexpr auto printer_of() -> std::string (*)(const void*) {
  if constexpr (requires(const M& m) { std::string{to_string(m)}; })
    return [](const void* p) { return std::string{to_string(*static_cast<const M*>(p))}; };
  else
    return nullptr;
}

template <class M>
inline constexpr message_type message_type_of{
    &typeid(M),
    std::is_trivially_destructible_v<M> ? nullptr : &destroy_payload<M>,
    static_cast<std::uint16_t>(payload_offset<M>()),
    block_pool::class_for(payload_offset<M>() + sizeof(M)),
    copier_of<M>(),
    printer_of<M>(),
};

inline void* payload_of(envelope& e, const message_type& type) noexcept {
  return reinterpret_cast<std::byte*>(&e) + type.payload_offset;
}

/// A new envelope around `M{args...}`, for `how` to handle. Throws what M's constructor throws, and std::bad_alloc.
template <class M, class... Args>
envelope* make_envelope(const handler& how, Args&&... args) {
  constexpr auto& type = message_type_of<M>;
  void* block = block_pool::allocate(type.block_class, payload_offset<M>() + sizeof(M));
  auto* e = new (block) envelope{{nullptr}, &how, nullptr, 0, 0, 0, {0}};
  if constexpr (std::is_nothrow_constructible_v<M, Args...>) {
    new (payload_of(*e, type)) M(std::forward<Args>(args)...);
  } else {
    try {
      new (payload_of(*e, type)) M(std::forward<Args>(args)...);
    } catch (...) {
      block_pool::release(type.block_class, block);
      throw;
    }
  }
  return e;
}

/// Frees `e`. A reply that is still wanted becomes `errc::no_reply`.
void destroy(envelope* e) noexcept;

} // namespace troupe::detail
