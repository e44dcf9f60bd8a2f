// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace troupe::detail {

/// Finds objects by the key that `T::key()` says, one for each key. It holds pointers only, beside their hashes: a key that
/// is not there is known after one look at memory, where a table of nodes takes a look for each of those that come before.
///
/// Threads: one at a time.
template <class T>
class key_table {
public:
  static std::size_t hash_of(std::string_view key) noexcept { return std::hash<std::string_view>{}(key); }

  /// Where the object with this key is named; null if there is none. Until the next `make_room` or `erase`.
  T** find(std::size_t hash, std::string_view key) noexcept {
    if (slots_.empty())
      return nullptr;
    for (auto i = home(hash);; i = next(i)) {
      auto& s = slots_[i];
      if (s.object == nullptr)
        return nullptr;
      if (s.hash == hash && std::string_view{s.object->key()} == key)
        return &s.object;
    }
  }
  /// For one more. Throws std::bad_alloc.
  void make_room() {
    if (2 * (size_ + 1) <= slots_.size())
      return;
    std::vector<slot> wider(slots_.empty() ? 16 : 2 * slots_.size());
    slots_.swap(wider);
    size_ = 0;
    for (const auto& s : wider)
      if (s.object != nullptr)
        add(s.hash, *s.object);
  }
  /// Requires room, and that the key is not there.
  void add(std::size_t hash, T& object) noexcept {
    auto i = home(hash);
    while (slots_[i].object != nullptr)
      i = next(i);
    slots_[i] = {hash, &object};
    ++size_;
  }
  /// If it is this object that the table names under its key.
  void erase(std::size_t hash, const T& object) noexcept {
    if (slots_.empty())
      return;
    auto hole = home(hash);
    while (slots_[hole].object != &object) {
      if (slots_[hole].object == nullptr)
        return;
      hole = next(hole);
    }
    // Those behind it that a search would not reach any more move up.
    for (auto i = next(hole); slots_[i].object != nullptr; i = next(i)) {
      const auto distance = (i - home(slots_[i].hash)) & (slots_.size() - 1);
      if (distance >= ((i - hole) & (slots_.size() - 1))) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = {};
    --size_;
  }
  std::size_t size() const noexcept { return size_; }
  template <class F>
  void for_each(F f) const {
    for (const auto& s : slots_)
      if (s.object != nullptr)
        f(*s.object);
  }

private:
  struct slot {
    std::size_t hash = 0;
    T* object = nullptr;
  };
  // The lowest bits may be the same for all: they choose among several tables.
  std::size_t home(std::size_t hash) const noexcept { return (hash >> 8) & (slots_.size() - 1); }
  std::size_t next(std::size_t i) const noexcept { return (i + 1) & (slots_.size() - 1); }

  std::vector<slot> slots_; // a power of two, at most half of them in use
  std::size_t size_ = 0;
};

} // namespace troupe::detail
