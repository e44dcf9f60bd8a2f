// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/mailbox/block_pool.hpp>

#include <cstdlib>
#include <mutex>
#include <new>
#include <sys/mman.h>
#include <utility>
#include <vector>

namespace troupe::detail {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool recycling = false; // let the sanitizer see every block's end
#else
constexpr bool recycling = true;
#endif

constexpr std::size_t first_slab_bytes = std::size_t{256} << 10; // small programs stay small
constexpr std::size_t slab_bytes = std::size_t{2} << 20;         // later ones: one huge page, one page fault
constexpr std::size_t magazine_bytes = std::size_t{32} << 10;    // memory that one full magazine holds back

constexpr std::uint32_t magazine_capacity(std::uint8_t c) {
  return static_cast<std::uint32_t>(magazine_bytes / block_pool::sizes[c]);
}

using magazine = std::pair<void**, std::uint32_t>; // items, count

/// Full and empty magazines of one class, and the slab that new blocks are carved from.
class depot {
public:
  /// A magazine with blocks in it: a returned one, or else `empty` (allocated if null) with new blocks.
  magazine exchange_empty(void** empty, std::uint8_t c) {
    std::unique_lock guard{mutex_};
    if (!full_.empty()) {
      if (empty != nullptr)
        empty_.push_back(empty);
      auto result = full_.back();
      full_.pop_back();
      return result;
    }
    if (empty == nullptr)
      empty = take_empty(c);
    return {empty, carve(empty, c)};
  }

  void** empty(std::uint8_t c) {
    std::unique_lock guard{mutex_};
    return take_empty(c);
  }

  /// Swaps the caller's full magazine for an empty one.
  void** exchange_full(magazine full, std::uint8_t c) {
    std::unique_lock guard{mutex_};
    auto* result = take_empty(c);
    full_.push_back(full);
    return result;
  }

  /// Takes in what a leaving thread held.
  void adopt(magazine m) {
    std::unique_lock guard{mutex_};
    if (m.second == 0)
      empty_.push_back(m.first);
    else
      full_.push_back(m);
  }

private:
  void** take_empty(std::uint8_t c) {
    if (!empty_.empty()) {
      auto* result = empty_.back();
      empty_.pop_back();
      return result;
    }
    // Either list can then hold every magazine without allocating.
    if (++magazines_ > full_.capacity()) {
      full_.reserve(2 * magazines_);
      empty_.reserve(2 * magazines_);
    }
    return static_cast<void**>(::operator new(sizeof(void*) * magazine_capacity(c)));
  }

  /// Fills `items` with half a magazine of blocks never used before.
  std::uint32_t carve(void** items, std::uint8_t c) {
    const auto size = block_pool::sizes[c];
    const auto wanted = magazine_capacity(c) / 2;
    std::uint32_t n = 0;
    for (; n < wanted; ++n) {
      if (slab_left_ < size) {
        slab_left_ = slabs_++ == 0 ? first_slab_bytes : slab_bytes;
        slab_ = map_slab(slab_left_);
      }
      items[wanted - 1 - n] = slab_; // handed out in address order
      slab_ += size;
      slab_left_ -= size;
    }
    return n;
  }

  /// `bytes` at a multiple of `bytes`, which is a power of two.
  static std::byte* map_slab(std::size_t bytes) {
    void* p = ::mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
      throw std::bad_alloc{};
    if ((reinterpret_cast<std::uintptr_t>(p) >> 47) != 0) { // aarch64 and 5-level paging may go higher
      ::munmap(p, 2 * bytes);
      auto* hint = reinterpret_cast<void*>(std::uintptr_t{0x100000000000});
      p = ::mmap(hint, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (p == MAP_FAILED || (reinterpret_cast<std::uintptr_t>(p) >> 47) != 0)
        throw std::bad_alloc{};
    }
    auto* begin = static_cast<std::byte*>(p);
    auto* slab = begin + (0 - reinterpret_cast<std::uintptr_t>(p)) % bytes;
    if (slab != begin)
      ::munmap(begin, static_cast<std::size_t>(slab - begin));
    ::munmap(slab + bytes, bytes - static_cast<std::size_t>(slab - begin));
    if (bytes == slab_bytes)
      (void)::madvise(slab, bytes, MADV_HUGEPAGE); // a wish
    return slab;
  }

  // -- guarded by mutex_ --
  std::mutex mutex_; // leaf lock
  std::vector<magazine> full_;
  std::vector<void**> empty_;
  std::size_t magazines_ = 0;
  std::size_t slabs_ = 0;
  std::byte* slab_ = nullptr;
  std::size_t slab_left_ = 0;
};

/// Never destroyed: threads may give blocks back while static objects are being destroyed.
std::array<depot, block_pool::sizes.size()>& depots() {
  static auto* instance = new std::array<depot, block_pool::sizes.size()>;
  return *instance;
}

} // namespace

/// Hands a leaving thread's magazines back, and holds the spare one of each class (Bonwick's "previous"), without which
/// a thread that alternates at a magazine's edge would visit the depot on every call.
struct block_cache {
  std::array<magazine, block_pool::sizes.size()> spare{};

  ~block_cache() {
    for (std::uint8_t c = 0; c < block_pool::sizes.size(); ++c) {
      auto& m = block_pool::local_[c];
      if (m.items != nullptr)
        depots()[c].adopt({m.items, m.count});
      m = {};
      if (spare[c].first != nullptr)
        depots()[c].adopt(spare[c]);
      spare[c] = {};
    }
  }

  static block_cache& mine() {
    static thread_local block_cache cache;
    return cache;
  }
};

void* block_pool::refill(std::uint8_t c, std::size_t bytes) {
  if (c >= heap_class || !recycling) {
    const auto size = c < heap_class ? sizes[c] : bytes;
    return ::operator new (size, std::align_val_t{alignment});
  }
  auto& m = local_[c];
  auto& spare = block_cache::mine().spare[c];
  if (spare.second != 0) {
    auto old = magazine{m.items, m.count};
    m.items = spare.first;
    m.count = spare.second;
    spare = old;
  } else {
    auto full = depots()[c].exchange_empty(m.items, c);
    m.items = full.first;
    m.count = full.second;
  }
  m.capacity = magazine_capacity(c);
  return m.items[--m.count];
}

void block_pool::flush(std::uint8_t c, void* block) noexcept {
  if (c >= heap_class || !recycling) {
    ::operator delete (block, std::align_val_t{alignment});
    return;
  }
  auto& m = local_[c];
  auto& spare = block_cache::mine().spare[c];
  if (m.items == nullptr) { // the thread's first block of this class
    m.items = depots()[c].empty(c);
  } else if (auto loaded = magazine{m.items, m.count}; spare.first == nullptr) {
    m.items = depots()[c].empty(c);
    spare = loaded;
  } else if (spare.second == 0) {
    m.items = spare.first;
    spare = loaded;
  } else {
    m.items = depots()[c].exchange_full(spare, c);
    spare = loaded;
  }
  m.count = 0;
  m.capacity = magazine_capacity(c);
  m.items[m.count++] = block;
}

} // namespace troupe::detail
