// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/journal_write.hpp>
#include <troupe/mailbox/block_pool.hpp>

#include <cstring>
#include <type_traits>

namespace troupe {

namespace {

/// Goes through a change and hands each piece of memory outside of it to `on`, aligned ones first.
template <class Pieces>
void visit(auto& c, Pieces& on) {
  const auto text_of = [&](auto& r) {
    on.text(r.type);
    on.text(r.data);
  };
  auto* events = on.array(c.events);
  auto* sends = on.array(c.sends);
  on.array(c.settled);
  auto* forgotten = on.array(c.forgotten);
  on.text(c.key);
  for (std::size_t i = 0; i < c.events.size(); ++i)
    text_of(events[i]);
  for (std::size_t i = 0; i < c.forgotten.size(); ++i)
    on.text(forgotten[i]);
  if (c.handled)
    on.text(c.handled->sender);
  for (std::size_t i = 0; i < c.sends.size(); ++i) {
    text_of(sends[i].message);
    on.text(sends[i].target);
    on.text(sends[i].timer);
  }
  if (c.snapshot)
    text_of(*c.snapshot);
}

/// Adds up what a copy needs.
struct measure {
  template <class T>
  const T* array(std::span<const T> all) noexcept {
    bytes += all.size_bytes();
    return all.data();
  }
  void text(std::string_view t) noexcept { bytes += t.size(); }
  std::size_t bytes = 0;
};

/// Copies, one piece after the other.
struct copy {
  template <class T>
  T* array(std::span<const T>& all) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(std::uint64_t));
    auto* first = reinterpret_cast<T*>(at);
    put(all.data(), all.size_bytes());
    all = {first, all.size()};
    return first;
  }
  void text(std::string_view& t) noexcept {
    const auto* first = reinterpret_cast<const char*>(at);
    put(t.data(), t.size());
    t = {first, t.size()};
  }
  void put(const void* from, std::size_t n) noexcept {
    if (n != 0)
      std::memcpy(at, from, n);
    at += n;
  }
  std::byte* at;
};

} // namespace

std::unique_ptr<journal_write> journal_write::of(const journal_change& c) {
  using detail::block_pool;
  measure all;
  visit(c, all);
  const auto bytes = sizeof(journal_write) + all.bytes;
  auto* block = block_pool::allocate(block_pool::class_for(bytes), bytes);
  std::unique_ptr<journal_write> w{new (block) journal_write{bytes, c}};
  copy into{static_cast<std::byte*>(block) + sizeof(journal_write)};
  visit(w->change_, into);
  return w;
}

void journal_write::operator delete(journal_write* w, std::destroying_delete_t) noexcept {
  using detail::block_pool;
  const auto c = block_pool::class_for(w->bytes_);
  w->~journal_write();
  block_pool::release(c, w);
}

} // namespace troupe
