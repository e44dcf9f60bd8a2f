// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/key_hash.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
/// how many keys there are. Open addressing, linear probing, erasing by shifting back (Knuth, TAOCP 3, 6.4, algorithm R); a
/// tag for each slot, eight of which are looked at together, tells most strangers apart without a look at their keys.
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
    release(slots_, tags_, capacity_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  const V* find(const K& key) const noexcept {
    const auto at = position(key, key_hash(key));
    return at == none ? nullptr : &slots_[at].entry.value;
  }

  /// The value of that key, to be changed; if there is none yet, a copy of `initial`.
  [[gnu::always_inline]] V& touch(const K& key, const V& initial) {
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
    erase_at(at);
    return true;
  }

  // -- without a search: for the value that `find` or a `touch` has just returned --

  V& touch_found(const V& found) { return touch_at(place_of(found)); }
  void erase_found(const V& found) { erase_at(place_of(found)); }

  /// `f(key, value)` for each, in no particular order.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < capacity_; ++i)
      if (tags_[i] != vacant)
        f(std::as_const(slots_[i].entry.key), std::as_const(slots_[i].entry.value));
  }

  void commit() noexcept {
    changes_.clear();
    if (++current_ == 0) {
      current_ = 2;
      for (std::size_t i = 0; i < capacity_; ++i)
        if (tags_[i] != vacant)
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
    for (std::size_t i = 0; i < capacity_ && size_ > 0; ++i)
      if (tags_[i] != vacant)
        vacate(i);
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
      grow(std::bit_ceil(keys + keys / 2 + 2 * group));
  }

  void swap(keyed_table& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(tags_, other.tags_);
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
    std::uint32_t mark; // the batch that touched it last
    union {
      entry_type entry;
    };
  };

  struct change {
    template <class Before>
    change(const K& k, Before&& b) : key{k}, before{std::forward<Before>(b)} {}
    K key;
    std::optional<V> before; // nothing: there was no such key
  };

  static constexpr std::size_t none = ~std::size_t{0};

  // -- tags: a byte for each slot, and the first eight once more behind the last --

  static constexpr std::size_t group = 8;
  static constexpr std::uint8_t vacant = 0;
  static constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  static constexpr std::uint64_t highs = 0x8080'8080'8080'8080;
  static constexpr std::uint8_t no_slots[2 * group]{};

  static std::uint8_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint8_t>(0x80 | (hash & 0x7f)); }

  /// The tags of the slots from `i` on, the first in the lowest byte.
  std::uint64_t tags_from(std::size_t i) const noexcept {
    std::uint64_t word;
    std::memcpy(&word, tags_ + i, sizeof word);
    if constexpr (std::endian::native == std::endian::big)
      word = __builtin_bswap64(word);
    return word;
  }
  /// A high bit for each byte that is `tag`; now and then for another tag above one.
  static std::uint64_t bytes_like(std::uint64_t word, std::uint8_t tag) noexcept {
    const auto difference = word ^ (ones * tag);
    return (difference - ones) & ~difference & highs;
  }
  static std::size_t first_of(std::uint64_t bits) noexcept {
    return static_cast<std::size_t>(std::countr_zero(bits)) / 8;
  }

  void set_tag(std::size_t i, std::uint8_t tag) noexcept {
    tags_[i] = tag;
    if (i < group)
      tags_[capacity_ + i] = tag;
  }

  // -- slots --

  std::size_t home(std::uint64_t hash) const noexcept { return static_cast<std::size_t>(hash >> shift_); }
  std::size_t wrapped(std::size_t i) const noexcept { return i & (capacity_ - 1); }
  std::size_t next(std::size_t i) const noexcept { return wrapped(i + 1); }

  [[gnu::always_inline]] std::size_t position(const K& key, std::uint64_t hash) const noexcept {
    if constexpr (std::is_empty_v<K>)
      return size_ == 0 ? none : home(hash); // there is only one
    for (auto i = home(hash);; i = wrapped(i + group)) {
      const auto tags = tags_from(i);
      for (auto like = bytes_like(tags, tag_of(hash)); like != 0; like &= like - 1)
        if (const auto at = wrapped(i + first_of(like)); slots_[at].entry.key == key) [[likely]]
          return at;
      if ((~tags & highs) != 0) [[likely]]
        return none;
    }
  }

  std::size_t place_of(const V& value) const noexcept {
    const auto* const there = reinterpret_cast<const std::byte*>(&value);
    return static_cast<std::size_t>(there - reinterpret_cast<const std::byte*>(slots_)) / sizeof(slot);
  }

  std::size_t first_vacant(std::uint64_t hash) const noexcept {
    for (auto i = home(hash);; i = wrapped(i + group))
      if (const auto free = ~tags_from(i) & highs; free != 0)
        return wrapped(i + first_of(free));
  }

  void vacate(std::size_t at) noexcept {
    slots_[at].entry.~entry_type();
    set_tag(at, vacant);
    --size_;
  }

  [[gnu::always_inline]] V& touch_at(std::size_t at) {
    auto& s = slots_[at];
    if (s.mark != current_)
      remember(s);
    return s.entry.value;
  }

  [[gnu::noinline]] void remember(slot& s) {
    changes_.emplace_back(s.entry.key, s.entry.value);
    s.mark = current_;
  }

  [[gnu::noinline]] V& insert(const K& key, std::uint64_t hash, const V& initial) {
    if (!has_room()) {
      const V copy = initial; // it may lie in the table that moves
      grow();
      changes_.emplace_back(key, std::nullopt);
      return emplace(key, hash, copy);
    }
    changes_.emplace_back(key, std::nullopt);
    return emplace(key, hash, initial);
  }

  template <class Value>
  V& emplace(const K& key, std::uint64_t hash, Value&& value) {
    const auto at = first_vacant(hash);
    ::new (static_cast<void*>(&slots_[at].entry)) entry_type{key, std::forward<Value>(value)};
    slots_[at].mark = current_;
    set_tag(at, tag_of(hash));
    ++size_;
    return slots_[at].entry.value;
  }

  template <class Value>
  void place(const K& key, Value&& value) {
    if (!has_room())
      grow();
    emplace(key, key_hash(key), std::forward<Value>(value));
  }

  void erase_at(std::size_t at) {
    auto& s = slots_[at];
    if (s.mark != current_) // else its value before the batch is kept already
      changes_.emplace_back(s.entry.key, std::move(s.entry.value));
    remove_at(at);
  }

  void remove_at(std::size_t hole) noexcept {
    vacate(hole);
    for (auto i = next(hole); tags_[i] != vacant; i = next(i)) {
      const auto wanted = home(key_hash(slots_[i].entry.key));
      // It may move back unless its place of choice lies between the hole and itself.
      if (wrapped(i - wanted) < wrapped(i - hole))
        continue;
      move_slot(slots_[i], slots_[hole]);
      set_tag(hole, tags_[i]);
      set_tag(i, vacant);
      hole = i;
    }
  }

  static void move_slot(slot& from, slot& to) noexcept {
    ::new (static_cast<void*>(&to.entry)) entry_type{std::move(from.entry)};
    to.mark = from.mark;
    from.entry.~entry_type();
  }

  bool has_room() const noexcept { return (size_ + 1) * 3 < capacity_ * 2; }
  void grow() { grow(capacity_ == 0 ? 2 * group : capacity_ * 2); }

  void grow(std::size_t capacity) {
    auto fresh_tags = std::make_unique<std::uint8_t[]>(capacity + group);
    auto* const old = std::exchange(slots_, new slot[capacity]);
    auto* const old_tags = std::exchange(tags_, fresh_tags.release());
    const auto old_capacity = std::exchange(capacity_, capacity);
    shift_ = static_cast<unsigned>(64 - std::countr_zero(capacity));
    for (std::size_t j = 0; j < old_capacity; ++j) {
      if (old_tags[j] == vacant)
        continue;
      const auto at = first_vacant(key_hash(old[j].entry.key));
      move_slot(old[j], slots_[at]);
      set_tag(at, old_tags[j]);
    }
    release(old, old_tags, old_capacity);
  }

  static void release(slot* slots, std::uint8_t* tags, std::size_t capacity) noexcept {
    delete[] slots;
    if (capacity > 0)
      delete[] tags;
  }

  slot* slots_ = nullptr;                                    // capacity_ of them, a power of two
  std::uint8_t* tags_ = const_cast<std::uint8_t*>(no_slots); // never written as long as there are no slots
  std::size_t capacity_ = 0;
  unsigned shift_ = 63;
  std::size_t size_ = 0;
  std::uint32_t current_ = 1; // the batch at work
  std::vector<change> changes_;
};

} // namespace troupe::pipeline
