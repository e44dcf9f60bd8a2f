// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/key_hash.hpp>
#include <troupe/pipeline/slot_pool.hpp>
#include <troupe/pipeline/undo_log.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// State by key, of which a failed batch leaves no trace: a hash table that remembers what each value was before the batch at
/// work touched it for the first time.
///
/// The cost of that is one copy of a value per batch that touches it; nothing is copied at a commit, and nothing depends on
/// how many keys there are. Keys and values lie in slots that do not move; what is searched is an index of one word for each,
/// with open addressing and linear probing, in which an entry is erased by shifting back (Knuth, TAOCP 3, 6.4, algorithm R).
/// Its words hold the slot's address and, where addresses have no bits, a tag that tells most strangers apart.
///
/// Requires of `K` and `V`: copyable, moving does not throw. Pointers and references to values hold until their key is erased
/// or the batch ends. Pure.
template <class K, class V>
class keyed_table {
  static_assert(std::is_nothrow_move_constructible_v<K> && std::is_nothrow_move_constructible_v<V>,
                "keys and values move without exceptions, so that a rollback cannot fail");

public:
  keyed_table() = default;
  keyed_table(const keyed_table& other) {
    reserve(other.size_);
    other.for_each([&](const K& k, const V& v) { insert(k, key_hash(k), v); });
    commit();
  }
  keyed_table(keyed_table&& other) noexcept { swap(other); }
  keyed_table& operator=(keyed_table other) noexcept {
    swap(other);
    return *this;
  }
  ~keyed_table() {
    clear();
    release(index_, capacity_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  [[gnu::always_inline]] const V* find(const K& key) const noexcept {
    auto* const s = position(key, key_hash(key));
    return s == nullptr ? nullptr : &s->value();
  }

  /// The value of that key, to be changed; if there is none yet, a copy of `initial`.
  [[gnu::always_inline]] V& touch(const K& key, const V& initial) {
    const auto hash = key_hash(key);
    auto* const s = position(key, hash);
    return s == nullptr ? insert(key, hash, initial) : touch_at(*s);
  }

  V& touch(const K& key) requires std::is_default_constructible_v<V> {
    static const V initial{};
    return touch(key, initial);
  }

  /// The value of that key, to be changed, or null.
  V* touch_existing(const K& key) {
    auto* const s = position(key, key_hash(key));
    return s == nullptr ? nullptr : &touch_at(*s);
  }

  bool erase(const K& key) {
    auto* const s = position(key, key_hash(key));
    if (s == nullptr)
      return false;
    erase_at(*s);
    return true;
  }

  // -- without a search: for a value that `find` or a `touch` has returned --

  [[gnu::always_inline]] V& touch_found(const V& found) { return touch_at(slot_of(found)); }
  void erase_found(const V& found) { erase_at(slot_of(found)); }

  /// `f(key, value)` for each, in no particular order.
  template <class F>
  void for_each(F&& f) const {
    slots_.for_each([&](slot& s) {
      if (s.mark != nobody)
        f(std::as_const(s.key()), std::as_const(s.value()));
    });
  }

  void commit() noexcept {
    changed_.clear();
    inserted_.clear();
    for (auto* s : erased_)
      vacate(*s);
    erased_.clear();
    if (++current_ == 0) {
      current_ = 2;
      slots_.for_each([&](slot& s) {
        s.mark = s.mark == nobody ? nobody : 1;
        s.born = 1;
      });
    }
  }

  void rollback() noexcept {
    for (auto* s : inserted_)
      if (s->mark != nobody && s->born == current_) { // else it has been erased since
        unlink(*s);
        vacate(*s);
      }
    for (auto* s : erased_) {
      s->mark = current_;
      link(*s, key_hash(s->key()));
    }
    erased_.clear();
    changed_.undo();
    commit();
  }

  /// Forgets everything, for good: not undone by a rollback. Keeps its memory.
  void clear() noexcept {
    changed_.clear();
    inserted_.clear();
    for (auto* s : erased_)
      vacate(*s);
    erased_.clear();
    slots_.for_each([](slot& s) {
      if (s.mark != nobody)
        s.end();
    });
    slots_.reset();
    if (size_ > 0)
      std::fill_n(index_, capacity_, vacant);
    size_ = 0;
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
        insert(key, key_hash(key), value);
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
    if (2 * keys >= capacity_)
      grow(std::bit_ceil(2 * keys + least_capacity));
  }

  void swap(keyed_table& other) noexcept {
    std::swap(index_, other.index_);
    std::swap(capacity_, other.capacity_);
    std::swap(shift_, other.shift_);
    std::swap(size_, other.size_);
    std::swap(current_, other.current_);
    slots_.swap(other.slots_);
    changed_.swap(other.changed_);
    inserted_.swap(other.inserted_);
    erased_.swap(other.erased_);
  }

private:
  static constexpr std::uint32_t nobody = 0;

  /// The value comes first: a slot is found by the address of its value.
  struct slot {
    K& key() noexcept { return *std::launder(reinterpret_cast<K*>(key_place)); }
    const K& key() const noexcept { return *std::launder(reinterpret_cast<const K*>(key_place)); }
    V& value() noexcept { return *std::launder(reinterpret_cast<V*>(value_place)); }
    void begin(const K& k, const V& v) {
      ::new (static_cast<void*>(key_place)) K(k);
      try {
        ::new (static_cast<void*>(value_place)) V(v);
      } catch (...) {
        std::destroy_at(&key());
        throw;
      }
    }
    void end() noexcept {
      std::destroy_at(&key());
      std::destroy_at(&value());
      mark = nobody;
    }

    alignas(V) std::byte value_place[sizeof(V)];
    std::uint32_t mark = nobody; // the batch that touched it last; nobody: it is free, or erased by the batch at work
    std::uint32_t born = 0;      // the batch that put it there
    alignas(K) std::byte key_place[sizeof(K)];
  };

  // -- the index: addresses of slots, with a tag in the upper sixteen bits --

  using word = std::uint64_t;
  static_assert(sizeof(void*) == sizeof(word), "addresses leave room for a tag");
  static constexpr std::size_t least_capacity = 16;
  static constexpr word vacant = 0;
  static constexpr unsigned tag_at = 48;
  static inline word no_slots[2]{}; // never written

  /// Never that of a vacant word. Other bits than those that choose the place.
  static word tag_of(std::uint64_t hash) noexcept { return (hash | 1) << tag_at; }
  static slot* slot_in(word w) noexcept { return reinterpret_cast<slot*>(w & ((word{1} << tag_at) - 1)); }

  std::size_t home(std::uint64_t hash) const noexcept { return static_cast<std::size_t>(hash >> shift_); }
  std::size_t wrapped(std::size_t i) const noexcept { return i & (capacity_ - 1); }
  std::size_t next(std::size_t i) const noexcept { return wrapped(i + 1); }

  [[gnu::always_inline]] slot* position(const K& key, std::uint64_t hash) const noexcept {
    const auto tag = tag_of(hash);
    for (auto i = home(hash);; i = next(i)) {
      const auto w = index_[i];
      if ((w ^ tag) >> tag_at == 0) [[likely]] {
        if (auto* const s = slot_in(w); s->key() == key) [[likely]]
          return s;
      } else if (w == vacant) {
        return nullptr;
      }
    }
  }

  static slot& slot_of(const V& value) noexcept {
    return *reinterpret_cast<slot*>(const_cast<std::byte*>(reinterpret_cast<const std::byte*>(&value)));
  }

  void link(slot& s, std::uint64_t hash) noexcept {
    auto i = home(hash);
    while (index_[i] != vacant)
      i = next(i);
    index_[i] = reinterpret_cast<word>(&s) | tag_of(hash);
    ++size_;
  }

  void unlink(slot& s) noexcept {
    auto hole = home(key_hash(s.key()));
    while (slot_in(index_[hole]) != &s)
      hole = next(hole);
    for (auto i = next(hole); index_[i] != vacant; i = next(i)) {
      const auto wanted = home(key_hash(slot_in(index_[i])->key()));
      // It may move back unless its place of choice lies between the hole and itself.
      if (wrapped(i - wanted) < wrapped(i - hole))
        continue;
      index_[hole] = index_[i];
      hole = i;
    }
    index_[hole] = vacant;
    --size_;
  }

  // -- slots --

  void vacate(slot& s) noexcept {
    s.end();
    slots_.give_back(&s);
  }

  [[gnu::always_inline]] V& touch_at(slot& s) {
    if constexpr (undo_log<V>::branches) {
      if (s.mark != current_)
        remember(s);
    } else {
      changed_.note(s.value(), s.mark != current_);
      s.mark = current_;
    }
    return s.value();
  }

  [[gnu::noinline]] void remember(slot& s) requires(undo_log<V>::branches) {
    changed_.note(s.value());
    s.mark = current_;
  }

  [[gnu::noinline]] V& insert(const K& key, std::uint64_t hash, const V& initial) {
    if (2 * (size_ + 1) > capacity_)
      grow(capacity_ == 0 ? least_capacity : capacity_ * 2);
    auto& s = *slots_.take();
    try {
      inserted_.push_back(&s);
      s.begin(key, initial);
    } catch (...) {
      slots_.give_back(&s);
      throw;
    }
    s.mark = s.born = current_;
    link(s, hash);
    return s.value();
  }

  /// What the batch at work has not put there itself stays in its slot until the batch ends.
  void erase_at(slot& s) {
    if (s.born == current_) {
      unlink(s);
      vacate(s);
      return;
    }
    erased_.push_back(&s);
    unlink(s);
    s.mark = nobody;
  }

  void grow(std::size_t capacity) {
    auto* const old = std::exchange(index_, new word[capacity]{});
    const auto old_capacity = std::exchange(capacity_, capacity);
    shift_ = static_cast<unsigned>(64 - std::countr_zero(capacity));
    release(old, old_capacity);
    size_ = 0;
    slots_.for_each([&](slot& s) {
      if (s.mark != nobody)
        link(s, key_hash(s.key()));
    });
  }

  static void release(word* index, std::size_t capacity) noexcept {
    if (capacity > 0)
      delete[] index;
  }

  word* index_ = no_slots; // capacity_ words, a power of two
  std::size_t capacity_ = 0;
  unsigned shift_ = 63;
  std::size_t size_ = 0;
  slot_pool<slot> slots_;

  // -- the batch at work --
  std::uint32_t current_ = 1; // its number; never that of nobody
  undo_log<V> changed_;       // values from before it
  std::vector<slot*> inserted_;
  std::vector<slot*> erased_;
};

} // namespace troupe::pipeline
