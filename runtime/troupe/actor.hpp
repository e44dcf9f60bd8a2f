// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/spawn.hpp>
#include <troupe/ref.hpp>
#include <troupe/seams.hpp>
#include <troupe/timer.hpp>
#include <troupe/watch.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {

class system;

namespace detail {

/// As reply_for, for what is made from a function object.
template <class R, class F>
using reply_for_call =
    std::conditional_t<std::is_lvalue_reference_v<F> || std::is_trivially_copyable_v<std::remove_cvref_t<F>>, reply<R>,
                       reply_to_temporary<R>>;

/// Calls `call`, which settles `slot`, on the blocking pool; settles it with an error if that fails.
void run_blocking(cell& asker, reply_slot& slot, std::function<void()> call);

/// The same, if it is above 0; else throws usage_error.
std::chrono::nanoseconds checked_period(std::chrono::nanoseconds period);

} // namespace detail

/// What every actor can do, whatever its messages. Threads: the actor's turn only, its constructor included.
class actor_base {
public:
  actor_base(const actor_base&) = delete;
  actor_base& operator=(const actor_base&) = delete;

protected:
  /// Throws usage_error outside of a spawn: actors are created by a system or a supervisor.
  actor_base();
  ~actor_base() = default;

  /// Ends this actor after the handler at work: with exit_reason::normal, or, if its restart type is permanent, by
  /// starting a fresh incarnation.
  void stop() noexcept;

  /// From now on, or at once if `who` has stopped already, this actor gets one `stopped` message about it. Survives restarts
  /// of both. Idempotent. Throws usage_error if this actor has no public handler `void on(const troupe::stopped&)`.
  void watch(const any_ref& who);
  void unwatch(const any_ref& who);

  /// Cancels the timer of that key, if there is one.
  void cancel_timer(std::string_view key) noexcept;

  /// A place where an injected failure may strike, for tests (testing/fault_injector.hpp). Does nothing otherwise.
  void fault_point() const;

  /// Runs `f` on the system's pool for blocking work (16 threads, 1,000 waiting calls) and returns its reply: the place for
  /// what would hold a worker up, such as file access. What `f` throws becomes errc::failed; a full pool errc::mailbox_full.
  /// `f` runs at most once, to its end, whatever becomes of the actor, so it must own what it uses. Copyable.
  template <class F>
  auto blocking(F&& f, std::chrono::nanoseconds timeout = default_ask_timeout) {
    using call = std::remove_cvref_t<F>;
    using value = std::invoke_result_t<call&>;
    const auto deadline = detail::ask_deadline(*cell_, timeout);
    auto* slot = detail::typed_reply_slot<value>::make();
    detail::reply_for_call<value, F> result{slot};
    slot->open_for(*cell_, cell_, deadline);
    detail::run_blocking(*cell_, *slot, [slot, f = call{std::forward<F>(f)}]() mutable {
      if constexpr (std::is_void_v<value>) {
        f();
        slot->settle();
      } else {
        slot->settle(f());
      }
    });
    return result;
  }

  /// Steady time of the system: in a simulation it is simulated.
  time_point now() const noexcept;
  /// Calendar time, for what is kept or shown: it may be set back.
  wall_time_point wall_now() const noexcept;
  /// The system's source of random numbers.
  random_source& random() const noexcept;
  troupe::system& system() const noexcept;

  std::string name() const { return cell_->name(); }
  std::uint64_t id() const noexcept { return cell_->id(); }
  /// How often this actor was restarted before.
  std::uint32_t incarnation() const noexcept { return cell_->incarnation(); }

  /// For the runtime.
  detail::cell& own_cell() const noexcept { return *cell_; }
  void start_timer(detail::actor_timer& t, std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                   std::string_view key);

private:
  void cancel_own_timer(std::string_view key) noexcept;

  detail::cell* const cell_;
};

/// Base of an actor `Self` that handles the messages `Ms`: plain values, for each of which `Self` has a public
///
///     reply_type on(const message&);          // or void, or troupe::task<reply_type>
///
/// A message with a member type `reply` is answered with it. Handlers of one actor never run at the same time. An
/// exception that leaves a handler means that the actor's state may be wrong: its supervisor restarts it, with a fresh
/// object in the same place, and the message is retried or quarantined, which is why handlers get it const.
///
/// Optional public members of `Self`: `void on_stop()`, called before a graceful end; `void on(const troupe::stopped&)`, for
/// watches; `static constexpr bool exclusive = true`, to handle no other message while a handler is suspended;
/// `void before_restart(const std::exception_ptr& why)`, called on the old object, and `void after_restart(same)`, on the
/// fresh one before its first message. `why` is null if a sibling or the supervisor has failed. What the first throws is
/// reported and changes nothing; if the second throws, the restart has failed.
template <class Self, class... Ms>
class actor : public actor_base {
public:
  using messages = detail::message_list<Ms...>;

protected:
  /// The actor's own address.
  ref<Self> self() const noexcept { return ref<Self>{own_cell()}; }

  /// Sends `message` to this actor itself, once, when `delay` has passed.
  template <class M>
  requires detail::one_of<M, Ms...> timer after(std::chrono::nanoseconds delay, M message) {
    return arm_timer<M>(delay, {}, {}, std::move(message));
  }

  /// As `after`, replacing the timer of the same key: a tick of the replaced one is not delivered any more.
  template <class M>
  requires detail::one_of<M, Ms...> timer after(std::string_view key, std::chrono::nanoseconds delay, M message) {
    return arm_timer<M>(delay, {}, key, std::move(message));
  }

  /// Sends `message` to this actor itself at a fixed rate, for the first time after `period`. A tick that comes due before
  /// the last one was received is skipped. Throws usage_error unless `period` is above 0.
  template <class M>
  requires detail::one_of<M, Ms...> timer every(std::chrono::nanoseconds period, M message) {
    return arm_timer<M>(period, detail::checked_period(period), {}, std::move(message));
  }

  template <class M>
  requires detail::one_of<M, Ms...> timer every(std::string_view key, std::chrono::nanoseconds period, M message) {
    return arm_timer<M>(period, detail::checked_period(period), key, std::move(message));
  }

private:
  template <class M>
  timer arm_timer(std::chrono::nanoseconds delay, std::chrono::nanoseconds period, std::string_view key, M message) {
    auto* t = new detail::message_timer<Self, M>{std::move(message)};
    timer handle{*t};
    start_timer(*t, delay, period, key);
    t->release();
    return handle;
  }
};

} // namespace troupe
