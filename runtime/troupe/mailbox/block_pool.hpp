// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe::detail {

/// Begins to fetch the cache line at `p`, which may be any address, for writing. (`__builtin_prefetch` fetches it for
/// reading unless the compiler may assume a processor of 2013: a second journey when the line is written.)
inline void fetch_to_write(const void* p) noexcept {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(*static_cast<const char*>(p))); // older processors ignore it
#else
  __builtin_prefetch(p, 1);
#endif
}

/// Recycled memory blocks for envelopes, reply slots and coroutine frames.
///
/// malloc on one core and free on another is what bounds one-way traffic, so blocks are kept in per-thread magazines
/// (Bonwick and Adams, "Magazines and Vmem", USENIX 2001) and only whole magazines cross threads, through one depot.
///
/// Blocks are aligned to 64 bytes and lie below 2^47, which lets the mailbox pack a pointer and a count into one word.
/// Memory that was in use once is kept for reuse and not handed back to the operating system.
///
/// Threads: any.
class block_pool {
public:
  /// Block sizes in bytes, by class.
  static constexpr std::array<std::size_t, 7> sizes{64, 128, 192, 256, 384, 512, 1024};
  /// Class of a block that is too large to be recycled; it comes from the heap.
  static constexpr std::uint8_t heap_class = sizes.size();
  static constexpr std::size_t alignment = 64;

  /// Smallest class whose blocks hold `bytes`.
  static constexpr std::uint8_t class_for(std::size_t bytes) noexcept {
    for (std::uint8_t c = 0; c < sizes.size(); ++c)
      if (bytes <= sizes[c])
        return c;
    return heap_class;
  }

  /// Returns a block of class `c`; `bytes` matters for `heap_class` only. Throws std::bad_alloc.
  static void* allocate(std::uint8_t c, std::size_t bytes) {
    if (c < heap_class) [[likely]] {
      auto& m = local_[c];
      if (m.count != 0) [[likely]] {
        auto* block = m.items[--m.count];
        // The blocks after this one were last used on another core, perhaps: have them here when their turn comes.
        const auto ahead = fetched_ahead(c);
        const auto* coming = static_cast<const std::byte*>(m.items[m.count >= ahead ? m.count - ahead : 0]);
        for (std::size_t line = 0; line < sizes[c]; line += alignment)
          fetch_to_write(coming + line);
        return block;
      }
    }
    return refill(c, bytes);
  }

  /// Gives back a block got from `allocate(c, ...)`, on any thread.
  static void release(std::uint8_t c, void* block) noexcept {
    if (c < heap_class) [[likely]] {
      auto& m = local_[c];
      if (m.count != m.capacity) [[likely]] {
        m.items[m.count++] = block;
        return;
      }
    }
    flush(c, block);
  }

private:
  friend struct block_cache;

  /// So many allocations lie between fetching a block and handing it out.
  static constexpr std::uint32_t fetched_ahead(std::uint8_t c) noexcept {
    return sizes[c] < 256 ? static_cast<std::uint32_t>(256 / sizes[c]) : 1;
  }

  /// The calling thread's loaded magazine of one class. Zero-initialised: the first use takes the slow path.
  struct loaded_magazine {
    void** items;
    std::uint32_t count;
    std::uint32_t capacity;
  };

  static void* refill(std::uint8_t c, std::size_t bytes);
  static void flush(std::uint8_t c, void* block) noexcept;

  static inline constinit thread_local std::array<loaded_magazine, sizes.size()> local_{};
};

} // namespace troupe::detail
