// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe::commerce {

/// The last `N` things remembered, to recognise a request that is repeated: bounded memory, the oldest goes first.
///
/// A request that is repeated after `N` others is not recognised any more; the comment at each use says why that is
/// enough. A search is linear from the newest one.
template <class T, std::size_t N>
class recent {
public:
  static constexpr std::size_t capacity = N;

  void add(const T& value) noexcept { items_[added_++ % N] = value; }

  /// The newest one for which `matches` is true, or null.
  template <class Predicate>
  const T* find(Predicate matches) const {
    for (std::uint32_t i = 0; i < size(); ++i)
      if (const T& item = items_[(added_ - 1 - i) % N]; matches(item))
        return &item;
    return nullptr;
  }
  template <class Predicate>
  T* find(Predicate matches) {
    return const_cast<T*>(static_cast<const recent*>(this)->find(matches));
  }

  /// Oldest first.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t i = added_ - static_cast<std::uint32_t>(size()); i != added_; ++i)
      f(items_[i % N]);
  }

  std::size_t size() const noexcept { return added_ < N ? added_ : N; }

private:
  std::array<T, N> items_{};
  std::uint32_t added_ = 0;
};

} // namespace troupe::commerce
