// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace troupe {

/// What is to be called once when an append has ended: with null if it is durable, else with why it failed. Moved, not
/// copied; what is small needs no memory of its own, because it is made on one thread and ends on another.
class journal_completion {
public:
  journal_completion() noexcept = default;
  journal_completion(std::nullptr_t) noexcept {}
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, journal_completion> &&
           std::is_invocable_v<std::remove_cvref_t<F>&, std::exception_ptr>)
      journal_completion(F&& f) { // NOLINT(bugprone-forwarding-reference-overload): not for journal_completion
    using held = std::remove_cvref_t<F>;
    if constexpr (requires { f == nullptr; })
      if (f == nullptr)
        return;
    constexpr bool small = sizeof(held) <= size;
    constexpr bool aligned = alignof(held) <= alignof(void*);
    if constexpr (small && aligned && std::is_nothrow_move_constructible_v<held>)
      emplace<held>(std::forward<F>(f));
    else
      emplace<boxed<held>>(boxed<held>{std::make_unique<held>(std::forward<F>(f))});
  }
  journal_completion(journal_completion&& other) noexcept { take(other); }
  journal_completion& operator=(journal_completion&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~journal_completion() { reset(); }

  explicit operator bool() const noexcept { return how_ != nullptr; }
  /// Requires a true one.
  void operator()(std::exception_ptr failure) const { how_->call(room_, std::move(failure)); }

private:
  static constexpr std::size_t size = 4 * sizeof(void*);

  struct operations {
    void (*call)(void*, std::exception_ptr);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <class F>
  struct boxed {
    std::unique_ptr<F> f;
    void operator()(std::exception_ptr failure) const { (*f)(std::move(failure)); }
  };
  template <class F>
  static constexpr operations operations_of{
      [](void* f, std::exception_ptr failure) { (*static_cast<F*>(f))(std::move(failure)); },
      [](void* from, void* to) noexcept {
        ::new (to) F(std::move(*static_cast<F*>(from)));
        static_cast<F*>(from)->~F();
      },
      [](void* f) noexcept { static_cast<F*>(f)->~F(); }};

  template <class F, class From>
  void emplace(From&& f) {
    ::new (static_cast<void*>(room_)) F(std::forward<From>(f));
    how_ = &operations_of<F>;
  }
  void take(journal_completion& other) noexcept {
    how_ = std::exchange(other.how_, nullptr);
    if (how_ != nullptr)
      how_->move(other.room_, room_);
  }
  void reset() noexcept {
    if (how_ != nullptr)
      std::exchange(how_, nullptr)->destroy(room_);
  }

  alignas(void*) mutable std::byte room_[size];
  const operations* how_ = nullptr;
};

} // namespace troupe
