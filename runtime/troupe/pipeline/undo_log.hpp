// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// What values were before they were changed. The values do not move meanwhile. Pure.
///
/// General version: one copy, made by the copy constructor, of each value that is noted.
template <class V, bool Small = std::is_trivially_copyable_v<V> && sizeof(V) <= 64>
class undo_log {
public:
  static constexpr bool branches = true;

  void note(V& value) { before_.emplace_back(&value, std::as_const(value)); }

  void clear() noexcept { before_.clear(); }

  /// Puts back all that was noted, the last first.
  void undo() noexcept {
    for (auto b = before_.rbegin(); b != before_.rend(); ++b) {
      std::destroy_at(b->at);
      std::construct_at(b->at, std::move(b->value));
    }
    clear();
  }

  void swap(undo_log& other) noexcept { before_.swap(other.before_); }

private:
  struct change {
    change(V* where, const V& what) : at{where}, value(what) {}
    V* at;
    V value;
  };
  std::vector<change> before_;
};

/// Small values without a copy constructor of their own. Whether a value has been noted already is as good as random where
/// there are many keys, and a branch that is foreseen wrongly costs more than a copy. So the copy is always made, and kept
/// only if `first`.
template <class V>
class undo_log<V, true> {
public:
  static constexpr bool branches = false;

  [[gnu::always_inline]] void note(V& value, bool first) {
    if (end_ == limit_) [[unlikely]]
      grow();
    end_->at = &value;
    copy_words(end_->value, &value);
    end_ += first ? 1 : 0;
  }

  void clear() noexcept { end_ = all_.get(); }

  void undo() noexcept {
    while (end_ != all_.get()) {
      --end_;
      std::memcpy(static_cast<void*>(end_->at), end_->value, sizeof(V));
    }
  }

  void swap(undo_log& other) noexcept {
    all_.swap(other.all_);
    std::swap(end_, other.end_);
    std::swap(limit_, other.limit_);
  }

private:
  struct change {
    V* at;
    alignas(V) std::byte value[sizeof(V)];
  };

  /// Word by word, as the members were written: a wider load would have to wait until what was just stored is in the cache.
  [[gnu::always_inline]] static void copy_words(void* to, const void* from) noexcept {
    constexpr std::size_t word = sizeof(std::uint64_t);
    constexpr std::size_t words = sizeof(V) / word;
    auto* const t = static_cast<std::byte*>(to);
    const auto* const f = static_cast<const std::byte*>(from);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t x;
      std::memcpy(&x, f + i * word, word);
      asm("" : "+r"(x)); // keeps the compiler from making one wide copy of them
      std::memcpy(t + i * word, &x, word);
    }
    std::memcpy(t + words * word, f + words * word, sizeof(V) % word);
  }

  [[gnu::noinline]] void grow() {
    const auto used = static_cast<std::size_t>(end_ - all_.get());
    const auto size = used == 0 ? 64 : 2 * used;
    std::unique_ptr<change[]> larger{new change[size]};
    if (used > 0)
      std::memcpy(static_cast<void*>(larger.get()), all_.get(), used * sizeof(change));
    all_ = std::move(larger);
    end_ = all_.get() + used;
    limit_ = all_.get() + size;
  }

  std::unique_ptr<change[]> all_;
  change* end_ = nullptr;
  change* limit_ = nullptr;
};

} // namespace troupe::pipeline
