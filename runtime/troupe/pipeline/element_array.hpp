// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace troupe::pipeline {

/// Elements in a row, as a batch is made of. In comparison with a vector, `push_back` hands no reference to the element to
/// code that is not inlined: so what a step has made goes straight from registers into its place, where a vector would have it
/// written to the stack and copied from there. Pure.
template <class T>
class element_array {
public:
  using value_type = T;

  element_array() = default;
  element_array(element_array&& other) noexcept { swap(other); }
  element_array& operator=(element_array&& other) noexcept {
    element_array taken{std::move(other)};
    swap(taken);
    return *this;
  }
  ~element_array() {
    clear();
    if (begin_ != nullptr)
      std::allocator<T>{}.deallocate(begin_, capacity());
  }

  const T* data() const noexcept { return begin_; }
  const T* begin() const noexcept { return begin_; }
  const T* end() const noexcept { return end_; }
  const T& operator[](std::size_t i) const noexcept { return begin_[i]; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t capacity() const noexcept { return static_cast<std::size_t>(limit_ - begin_); }
  bool empty() const noexcept { return begin_ == end_; }
  bool full() const noexcept { return end_ == limit_; }

  /// `x` must not lie in the array.
  template <class X>
  [[gnu::always_inline]] void push_back(X&& x) {
    if (full()) [[unlikely]]
      reserve(empty() ? 4 : 2 * size());
    ::new (static_cast<void*>(end_)) T(std::forward<X>(x));
    ++end_;
  }

  /// Room for so many in all.
  [[gnu::noinline]] void reserve(std::size_t n) {
    if (n <= capacity())
      return;
    element_array larger;
    larger.begin_ = larger.end_ = std::allocator<T>{}.allocate(n);
    larger.limit_ = larger.begin_ + n;
    for (auto* x = begin_; x != end_; ++x)
      larger.push_back(std::move(*x));
    swap(larger);
  }

  void clear() noexcept {
    std::destroy(begin_, end_);
    end_ = begin_;
  }

private:
  void swap(element_array& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(limit_, other.limit_);
  }

  T* begin_ = nullptr;
  T* end_ = nullptr;
  T* limit_ = nullptr;
};

} // namespace troupe::pipeline
