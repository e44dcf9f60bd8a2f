// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/key_hash.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// State by key, of which a failed batch leaves no trace: a hash table that remembers what each value was before the batch at
/// work touched it for the first time.
///
/// The cost of that is one copy of a value per batch that touches it; nothing is copied at a commit, and nothing depends on
/// how many keys there are. Open addressing, linear probing, erasing by shifting back (Knuth, TAOCP 3, 6.4, algorithm R).
///
/// Requires of `K` and `V`: copyable, moving does not throw. Pointers and references to values hold until the next call that
/// is not const. Pure.
template <class K, class V>
class keyed_table {
  static_assert(std::is_nothrow_move_constructible_v<K> && std::is_nothrow_move_constructible_v<V>,
                "keys and values move without exceptions, so that a rollback cannot fail");

public:
  keyed_table() = default;
  keyed_table(const keyed_table& other) : current_{other.current_} {
    reserve(other.size_);
    other.for_each([&](const K& k, const V& v) { place(k, v); });
  }
  keyed_table(keyed_table&& other) noexcept { swap(other); }
  keyed_table& operator=(keyed_table other) noexcept {
    swap(other);
    return *this;
  }
  ~keyed_table() {
    clear();
    release(slots_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  const V* find(const K& key) const noexcept {
    const auto at = position(key, key_hash(key));
    return at == none ? nullptr : &slots_[at].entry.value;
  }

  /// The value of that key, to be changed; if there is none yet, a copy of `initial`.
  V& touch(const K& key, const V& initial) {
    const auto hash = key_hash(key);
    const auto at = position(key, hash);
    return at == none ? insert(key, hash, initial) : touch_at(at);
  }

  V& touch(const K& key) requires std::is_default_constructible_v<V> {
    static const V initial{};
    return touch(key, initial);
  }

  /// The value of that key, to be changed, or null.
  V* touch_existing(const K& key) {
    const auto at = position(key, key_hash(key));
    return at == none ? nullptr : &touch_at(at);
  }

  bool erase(const K& key) {
    const auto at = position(key, key_hash(key));
    if (at == none)
      return false;
    auto& s = slots_[at];
    if (s.mark != current_) // else its value before the batch is kept already
      changes_.emplace_back(s.entry.key, std::move(s.entry.value));
    remove_at(at);
    return true;
  }

  /// `f(key, value)` for each, in no particular order.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < capacity_; ++i)
      if (slots_[i].mark != 0)
        f(std::as_const(slots_[i].entry.key), std::as_const(slots_[i].entry.value));
  }

  void commit() noexcept {
    changes_.clear();
    if (++current_ == 0) {
      current_ = 2;
      for (std::size_t i = 0; i < capacity_; ++i)
        if (slots_[i].mark != 0)
          slots_[i].mark = 1;
    }
  }

  void rollback() {
    for (auto c = changes_.rbegin(); c != changes_.rend(); ++c) {
      const auto at = position(c->key, key_hash(c->key));
      if (at != none)
        remove_at(at);
      if (c->before)
        place(c->key, std::move(*c->before));
    }
    commit();
  }

  /// Forgets everything, for good: not undone by a rollback. Keeps its memory.
  void clear() noexcept {
    for (std::size_t i = 0; i < capacity_ && size_ > 0; ++i) {
      if (slots_[i].mark != 0) {
        slots_[i].destroy();
        --size_;
      }
    }
    changes_.clear();
  }

  /// What was committed, written down or read back. A value that is read begins as a copy of `initial`.
  template <class A>
  void archive(A& a, const V& initial) requires archivable<K> && archivable<V> && std::default_initializable<K> {
    if constexpr (A::reads) {
      clear();
      for (auto n = a.count(); n > 0; --n) {
        K key{};
        V value = initial;
        a(key, value);
        place(key, std::move(value));
      }
      commit();
    } else {
      a(std::uint64_t{size_});
      for_each([&](const K& key, const V& value) { a(key, value); });
    }
  }
  template <class A>
  void archive(A& a) requires archivable<K> &&
      archivable<V> && std::default_initializable<K> && std::default_initializable<V> {
    archive(a, V{});
  }

  void reserve(std::size_t keys) {
    if (keys + keys / 2 >= capacity_)
      grow(std::bit_ceil(keys + keys / 2 + 8));
  }

  void swap(keyed_table& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(shift_, other.shift_);
    std::swap(size_, other.size_);
    std::swap(current_, other.current_);
    changes_.swap(other.changes_);
  }

private:
  struct entry_type {
    K key;
    V value;
  };

  struct slot {
    slot() noexcept {}
    ~slot() {}
    void destroy() noexcept {
      entry.~entry_type();
      mark = 0;
    }
    union {
      entry_type entry;
    };
    std::uint32_t mark = 0; // 0: empty; else the batch that touched it last
  };

  struct change {
    template <class Before>
    change(const K& k, Before&& b) : key{k}, before{std::forward<Before>(b)} {}
    K key;
    std::optional<V> before; // nothing: there was no such key
  };

  static constexpr std::size_t none = ~std::size_t{0};

  std::size_t home(std::uint64_t hash) const noexcept { return static_cast<std::size_t>(hash >> shift_); }
  std::size_t next(std::size_t i) const noexcept { return (i + 1) & (capacity_ - 1); }

  std::size_t position(const K& key, std::uint64_t hash) const noexcept {
    if (capacity_ == 0)
      return none;
    for (auto i = home(hash); slots_[i].mark != 0; i = next(i))
      if (slots_[i].entry.key == key)
        return i;
    return none;
  }

  V& touch_at(std::size_t at) {
    auto& s = slots_[at];
    if (s.mark != current_) {
      changes_.emplace_back(s.entry.key, s.entry.value);
      s.mark = current_;
    }
    return s.entry.value;
  }

  V& insert(const K& key, std::uint64_t hash, const V& initial) {
    if ((size_ + 1) * 3 >= capacity_ * 2) {
      const V copy = initial; // it may lie in the table that moves
      grow(capacity_ == 0 ? 16 : capacity_ * 2);
      changes_.emplace_back(key, std::nullopt);
      return *emplace(key, hash, copy);
    }
    changes_.emplace_back(key, std::nullopt);
    return *emplace(key, hash, initial);
  }

  template <class Value>
  V* emplace(const K& key, std::uint64_t hash, Value&& value) {
    auto i = home(hash);
    while (slots_[i].mark != 0)
      i = next(i);
    ::new (static_cast<void*>(&slots_[i].entry)) entry_type{key, std::forward<Value>(value)};
    slots_[i].mark = current_;
    ++size_;
    return &slots_[i].entry.value;
  }

  template <class Value>
  void place(const K& key, Value&& value) {
    if ((size_ + 1) * 3 >= capacity_ * 2)
      grow(capacity_ == 0 ? 16 : capacity_ * 2);
    emplace(key, key_hash(key), std::forward<Value>(value));
  }

  void remove_at(std::size_t hole) noexcept {
    slots_[hole].destroy();
    --size_;
    for (auto i = next(hole); slots_[i].mark != 0; i = next(i)) {
      const auto wanted = home(key_hash(slots_[i].entry.key));
      // It may move back unless its place of choice lies between the hole and itself.
      if (((i - wanted) & (capacity_ - 1)) < ((i - hole) & (capacity_ - 1)))
        continue;
      ::new (static_cast<void*>(&slots_[hole].entry)) entry_type{std::move(slots_[i].entry)};
      slots_[hole].mark = slots_[i].mark;
      slots_[i].destroy();
      hole = i;
    }
  }

  void grow(std::size_t capacity) {
    auto* fresh = new slot[capacity];
    auto* old = std::exchange(slots_, fresh);
    const auto old_capacity = std::exchange(capacity_, capacity);
    shift_ = static_cast<unsigned>(64 - std::countr_zero(capacity));
    for (std::size_t j = 0; j < old_capacity; ++j) {
      if (old[j].mark == 0)
        continue;
      auto i = home(key_hash(old[j].entry.key));
      while (slots_[i].mark != 0)
        i = next(i);
      ::new (static_cast<void*>(&slots_[i].entry)) entry_type{std::move(old[j].entry)};
      slots_[i].mark = old[j].mark;
      old[j].destroy();
    }
    release(old);
  }

  static void release(slot* slots) noexcept { delete[] slots; }

  slot* slots_ = nullptr; // capacity_ of them, a power of two
  std::size_t capacity_ = 0;
  unsigned shift_ = 0;
  std::size_t size_ = 0;
  std::uint32_t current_ = 1; // the batch at work
  std::vector<change> changes_;
};

} // namespace troupe::pipeline
