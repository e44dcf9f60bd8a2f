// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/assignable.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::pipeline {

namespace detail {
struct any_emit {
  template <class X>
  void operator()(X&&) const {}
};
} // namespace detail

/// A position in what a source reads: a small copyable value, because a failed batch puts it back.
///
/// `pull(n, emit)` calls `emit(x)` for at most `n` elements, moving on, and returns false once there are no more; then it goes
/// on returning false. It is called on a worker: it must not block for long. Optional: `skip()` moves on by one element that
/// cannot be made; `archive(a)` writes the position down, for checkpoints, which say which elements are the next.
template <class C>
concept cursor = std::copyable<C> && requires(C c, std::size_t n, detail::any_emit emit) {
  typename C::value_type;
  { c.pull(n, emit) } -> std::convertible_to<bool>;
};

/// Elements of a vector, which it shares.
template <class T>
class values {
public:
  using value_type = T;
  explicit values(std::vector<T> all) : values{std::make_shared<const std::vector<T>>(std::move(all))} {}
  explicit values(std::shared_ptr<const std::vector<T>> all) : all_{std::move(all)} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    const auto end = std::min(at_ + n, all_->size());
    for (auto i = at_; i < end; ++i)
      emit((*all_)[i]);
    at_ = end;
    return at_ < all_->size();
  }

  void archive(auto& a) { a(at_); }

private:
  std::shared_ptr<const std::vector<T>> all_;
  std::size_t at_ = 0;
};

/// Elements that lie in memory and outlive the pipeline.
template <class T>
class view {
public:
  using value_type = T;
  explicit view(std::span<const T> all) : all_{all} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    const auto end = std::min(at_ + n, all_.size());
    for (auto i = at_; i < end; ++i) {
      __builtin_prefetch(all_.data() + i + ahead);
      emit(all_[i]);
    }
    at_ = end;
    return at_ < all_.size();
  }

  void archive(auto& a) { a(at_); }

private:
  /// Elements fetched early: the work between two is too much for the processor to see the next ones by itself.
  static constexpr std::size_t ahead = 16;

  std::span<const T> all_;
  std::size_t at_ = 0;
};

/// What `next(state)` returns, an optional, until that is empty.
template <class State, class F>
class generator {
public:
  using value_type = typename std::invoke_result_t<F&, State&>::value_type;
  generator(State state, F next) : state_{std::move(state)}, next_{std::move(next)} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    while (n-- > 0 && !ended_) {
      auto x = next_(state_);
      ended_ = !x.has_value();
      if (x)
        emit(std::move(*x));
    }
    return !ended_;
  }

  void archive(auto& a) requires archivable<State> { a(state_, ended_); }

private:
  State state_;
  assignable<F> next_;
  bool ended_ = false;
};

/// The numbers `first`, `first + 1`, ... before `end`.
inline auto numbers(std::int64_t first, std::int64_t end) {
  auto next = [end](std::int64_t& n) { return n < end ? std::optional<std::int64_t>{n++} : std::nullopt; };
  return generator<std::int64_t, decltype(next)>{first, next};
}

} // namespace troupe::pipeline
