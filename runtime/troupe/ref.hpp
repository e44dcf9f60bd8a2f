// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/engine/message_handler.hpp>
#include <troupe/reply.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace caf {
class actor;
}

namespace troupe {

/// `M` is one of the messages that the actor type `A` names in its `actor<A, ...>`.
template <class A, class M>
concept handles = A::messages::template contains<M>;

/// The type of the reply to `M`: its member type `reply`, or void for a message that is only acknowledged.
template <class M>
using reply_of = typename detail::reply_type<M>::type;

/// How long an `ask` waits if its caller does not say.
inline constexpr std::chrono::milliseconds default_ask_timeout{5'000};

namespace detail {

/// What `ask(T&&)` returns: see reply_to_temporary.
template <class M, class T>
using reply_for = std::conditional_t<std::is_lvalue_reference_v<T> || std::is_trivially_copyable_v<M>,
                                     reply<reply_of<M>>, reply_to_temporary<reply_of<M>>>;

/// Sends `M` to `c` for `how`, with a slot for the reply.
template <class M, class T>
reply_for<M, T> ask(cell& c, const handler& how, T&& message, std::chrono::nanoseconds timeout);

/// A counted pointer to a cell. Threads: as a shared_ptr.
class cell_pointer {
public:
  cell_pointer() = default;
  explicit cell_pointer(cell& c) noexcept : cell_{&c} { c.retain(); }
  /// Takes the caller's count over.
  static cell_pointer taking(cell& c) noexcept {
    cell_pointer p;
    p.cell_ = &c;
    return p;
  }
  cell_pointer(const cell_pointer& other) noexcept : cell_{other.cell_} {
    if (cell_ != nullptr)
      cell_->retain();
  }
  cell_pointer(cell_pointer&& other) noexcept : cell_{std::exchange(other.cell_, nullptr)} {}
  cell_pointer& operator=(cell_pointer other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~cell_pointer() {
    if (cell_ != nullptr)
      cell_->release();
  }
  cell* get() const noexcept { return cell_; }
  cell& operator*() const noexcept { return *cell_; }
  cell* operator->() const noexcept { return cell_; }

private:
  cell* cell_ = nullptr;
};

cell& required(const cell_pointer& p);

} // namespace detail

/// The address of an actor, whatever its type: to watch it, stop it, name it, compare it.
///
/// Counts on the actor's small cell, not on its object: a ref neither keeps an actor running nor goes stale when it is
/// restarted. Once its system is destroyed it may be copied, compared and destroyed, and nothing else: to send through it then
/// is undefined. Threads: any; each ref object as a shared_ptr.
class any_ref {
public:
  any_ref() = default;
  explicit any_ref(detail::cell& c) noexcept : cell_{c} {}
  explicit any_ref(detail::cell_pointer p) noexcept : cell_{std::move(p)} {}

  /// False for a default-constructed ref. To such a one `tell` returns `delivery::stopped` and `id` 0; comparison is
  /// allowed; all other members throw usage_error.
  explicit operator bool() const noexcept { return cell_.get() != nullptr; }

  /// Unique in the system, for its whole life. 0 for an empty ref.
  std::uint64_t id() const noexcept { return *this ? cell_->id() : 0; }
  /// The path of names from the root, or the type's name and the id.
  std::string name() const { return detail::required(cell_).name(); }
  bool has_stopped() const { return detail::required(cell_).lifecycle() == detail::cell::state::stopped; }
  /// Where the messages are that this actor's mailbox has accepted.
  ledger books() const { return detail::required(cell_).books(); }
  /// Messages waiting in the mailbox.
  std::size_t depth() const { return detail::required(cell_).depth(); }
  /// How often it was restarted.
  std::uint32_t incarnation() const { return detail::required(cell_).incarnation(); }

  /// Stops the actor after the message it is handling; what is queued is dropped, counted, and told to askers. It is not
  /// restarted. Returns at once; use a watch, or `system::wait_stopped`, to learn of the end.
  void stop() const;
  /// Stops the actor after the messages that its mailbox has accepted so far.
  void drain() const;
  /// As `stop`, without the object's `on_stop`.
  void kill() const;

  friend bool operator==(const any_ref& a, const any_ref& b) noexcept { return a.cell_.get() == b.cell_.get(); }

  /// For the runtime.
  const detail::cell_pointer& pointer() const noexcept { return cell_; }

protected:
  detail::cell_pointer cell_;
};

/// The address of an actor of type `A`: everything that `A` handles can be sent to it, and nothing else compiles.
template <class A>
class ref : public any_ref {
public:
  ref() = default;
  explicit ref(detail::cell& c) noexcept : any_ref{c} {}
  explicit ref(detail::cell_pointer p) noexcept : any_ref{std::move(p)} {}

  /// Sends `message` and returns at once; never blocks. Messages from one sender arrive in the order of sending.
  template <class T, class M = std::remove_cvref_t<T>>
  requires handles<A, M> delivery tell(T&& message)
  const {
    if (cell_.get() == nullptr) [[unlikely]]
      return delivery::stopped;
    return cell_->enqueue(detail::make_envelope<M>(detail::handler_of<A, M>, std::forward<T>(message)));
  }

  /// Sends `message` and returns its reply, which comes, or fails, at the latest when `timeout` has passed. In a handler
  /// the deadline of the message in hand is kept, if that is earlier.
  template <class T, class M = std::remove_cvref_t<T>>
  requires handles<A, M> detail::reply_for<M, T> ask(T&& message,
                                                     std::chrono::nanoseconds timeout = default_ask_timeout)
  const { return detail::ask<M>(detail::required(cell_), detail::handler_of<A, M>, std::forward<T>(message), timeout); }

  /// The actor as a plain CAF actor. Defined in <troupe/engine/caf.hpp>.
  template <class CafActor = caf::actor>
  CafActor to_caf() const;
};

/// The address of an actor of which only the messages `Ms` are of interest; any `ref` to an actor that handles them
/// converts to it. Code that depends on it does not depend on the actor's type.
template <class... Ms>
class ref_to : public any_ref {
public:
  ref_to() = default;

  template <class A>
  requires(handles<A, Ms>&&...) ref_to(const ref<A>& r)
  noexcept : any_ref{r}, handlers_{&detail::handler_of<A, Ms>...} {}

  template <class... Wider>
  requires(sizeof...(Wider) > sizeof...(Ms) && (detail::one_of<Ms, Wider...> && ...)) ref_to(const ref_to<Wider...>& r)
  noexcept : any_ref{r}, handlers_{r.template handler_for<Ms>()...} {}

  template <class T, class M = std::remove_cvref_t<T>>
  requires detail::one_of<M, Ms...> delivery tell(T&& message)
  const {
    if (cell_.get() == nullptr) [[unlikely]]
      return delivery::stopped;
    return cell_->enqueue(detail::make_envelope<M>(*handler_for<M>(), std::forward<T>(message)));
  }

  template <class T, class M = std::remove_cvref_t<T>>
  requires detail::one_of<M, Ms...> detail::reply_for<M, T> ask(T&& message,
                                                                std::chrono::nanoseconds timeout = default_ask_timeout)
  const { return detail::ask<M>(detail::required(cell_), *handler_for<M>(), std::forward<T>(message), timeout); }

  /// For the runtime.
  template <class M>
  const detail::handler* handler_for() const noexcept {
    constexpr std::array<bool, sizeof...(Ms)> same{std::is_same_v<M, Ms>...};
    return handlers_[static_cast<std::size_t>(std::ranges::find(same, true) - same.begin())];
  }

private:
  std::array<const detail::handler*, sizeof...(Ms)> handlers_{};
};

namespace detail {

/// The deadline of an ask that is made now, in nanoseconds of steady time. Throws usage_error in a handler whose actor has
/// been replaced meanwhile.
std::int64_t ask_deadline(const cell& receiver, std::chrono::nanoseconds timeout);

template <class M, class T>
reply_for<M, T> ask(cell& c, const handler& how, T&& message, std::chrono::nanoseconds timeout) {
  const auto deadline = ask_deadline(c, timeout);
  auto* e = make_envelope<M>(how, std::forward<T>(message));
  auto* slot = typed_reply_slot<reply_of<M>>::make();
  e->reply = slot;
  e->deadline = deadline;
  slot->open_for(c, cell::current(), e->deadline);
  reply_for<M, T> result{slot};
  c.enqueue(e);
  return result;
}

} // namespace detail

} // namespace troupe

template <>
struct std::hash<troupe::any_ref> {
  std::size_t operator()(const troupe::any_ref& r) const noexcept { return static_cast<std::size_t>(r.id()); }
};
