// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/assignable.hpp>
#include <troupe/pipeline/window.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

/// What windows make of their elements.

namespace troupe::pipeline {

/// How many there are.
struct count {
  template <class T>
  void add(const T&) noexcept {
    ++n;
  }
  void merge(const count& other) noexcept { n += other.n; }
  std::uint64_t result() const noexcept { return n; }
  void archive(auto& a) { a(n); }

  std::uint64_t n = 0;
};

/// The sum of `f(x)`.
template <class F, class Sum = std::int64_t>
struct sum_of {
  explicit sum_of(F f_) : f{std::move(f_)} {}
  template <class T>
  void add(const T& x) {
    total += f(x);
  }
  void merge(const sum_of& other) { total += other.total; }
  Sum result() const { return total; }
  void archive(auto& a) requires archivable<Sum> { a(total); }

  Sum total{};
  [[no_unique_address]] assignable<F> f;
};

/// All elements for which `f(x)` is greatest, in the order of coming. At least one is added before the result is asked for.
template <class T, class F>
struct greatest_by {
  explicit greatest_by(F f_) : f{std::move(f_)} {}
  void add(const T& x) {
    if (all.empty() || !(f(x) < f(all.front()))) [[unlikely]]
      take(x);
  }
  void merge(const greatest_by& other) {
    for (const auto& x : other.all)
      add(x);
  }
  std::vector<T> result() const { return all; }
  void archive(auto& a) requires archivable<std::vector<T>> { a(all); }

  std::vector<T> all;
  [[no_unique_address]] assignable<F> f;

private:
  [[gnu::noinline]] void take(const T& x) {
    if (!all.empty() && f(all.front()) < f(x))
      all.clear();
    all.push_back(x);
  }
};
template <class T, class F>
greatest_by<T, F> greatest(F f) {
  return greatest_by<T, F>{std::move(f)};
}

/// All elements, in the order of coming.
template <class T>
struct gather {
  void add(const T& x) { all.push_back(x); }
  void merge(const gather& other) { all.insert(all.end(), other.all.begin(), other.all.end()); }
  std::vector<T> result() const { return all; }
  void archive(auto& a) requires archivable<std::vector<T>> { a(all); }

  std::vector<T> all;
};

/// As `A`, and besides at its end the window says its result after each `every` elements.
template <class A>
struct early {
  early(std::size_t every_, A inner_) : every{every_}, inner{std::move(inner_)} {}

  template <class T>
  void add(const T& x) {
    inner.add(x);
    ++n;
  }
  void merge(const early& other) requires merges<A> {
    inner.merge(other.inner);
    n += other.n;
  }
  auto result() const { return inner.result(); }
  bool speaks() const noexcept { return n % every == 0; }
  void archive(auto& a) requires archivable<A> { a(n, inner); }

  std::size_t every;
  std::size_t n = 0;
  A inner;
};

} // namespace troupe::pipeline
