// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/envelope.hpp>

#include <array>
#include <cstdint>

namespace troupe::detail {

/// The last messages that one thread has sent to one mailbox that was not idle.
///
/// The receiver finds its messages by following links from the youngest, and each may be in another core's cache: without
/// help it waits for one before it can ask for the next. So each message of a long row also says where the one lies that
/// was sent `length` messages before, and the receiver fetches that ahead if it may be of the same batch. What it says is
/// a hint and never followed: it may be wrong, and that memory may have ended or been sent elsewhere.
///
/// A thread has one, for rows to one mailbox; a worker has several, for who sends to many mailboxes in turn. Mailboxes share
/// them by their addresses, those that lie beside each other last.
///
/// Threads: the one that owns it; `fetch_earlier` the holder of the envelope.
class trail {
public:
  static constexpr std::uint32_t length = 8;
  static constexpr std::size_t trails_of_worker = 128;

  /// The calling thread's for the mailbox at `to`.
  static trail* toward(const void* to) noexcept {
    constexpr std::uintptr_t neighbours = 512; // bytes from one small actor to the next
    return many_ != nullptr ? many_ + reinterpret_cast<std::uintptr_t>(to) / neighbours % trails_of_worker : &one_;
  }

  /// The calling thread uses `many` from now on, `trails_of_worker` of them, or its own again if that is null.
  static void use(trail* many) noexcept { many_ = many; }

  /// `e` is about to be pushed to `to`.
  void leave(envelope& e, const void* to) noexcept {
    if (to_ != to) {
      to_ = to;
      sent_ = 0;
      return;
    }
    auto& slot = last_[sent_ % length];
    if (++sent_ > length)
      e.earlier = slot - block_number(&e);
    slot = block_number(&e);
  }

  /// Fetches what `e`'s sender has sent some messages before it, if it says so.
  static void fetch_earlier(const envelope& e) noexcept {
    const auto blocks = static_cast<std::uintptr_t>(static_cast<std::int32_t>(e.earlier)); // nonsense if `e` is signed
    fetch_to_write(
        reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(&e) + blocks * block_pool::alignment));
  }

private:
  /// Modulo 2^32, which differences survive as long as both lie within 128 GB.
  static std::uint32_t block_number(const envelope* e) noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(e) / block_pool::alignment);
  }

  const void* to_ = nullptr; // to be compared, not followed
  std::uint32_t sent_ = 0;
  std::array<std::uint32_t, length> last_{};

  [[gnu::tls_model("initial-exec")]] static thread_local trail* many_;
  [[gnu::tls_model("initial-exec")]] static thread_local trail one_;
};

inline constinit thread_local trail* trail::many_ = nullptr;
inline constinit thread_local trail trail::one_{};

} // namespace troupe::detail
