// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/journaled_actor.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe {

/// A recovery led to another state than the one before it. The text says after which command and how the actor was rebuilt.
class recovery_mismatch : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Checks, for tests, that what a journaled actor keeps is all that it is: after each command its state equals the state that
/// is rebuilt from its journal. It fails for an actor that changes its state elsewhere than in `apply`, whose `apply` looks
/// at anything but its arguments, or whose formats lose something.
///
///     troupe::recovery_check<stock> check{std::string{"stock/1"}};
///     for (int i = 0; i < 1'000; ++i)
///       check.after(reserve{dice() % 10});
///
/// The actor lives in a stepped system of its own; the arguments are its constructor's. After a command that ends it, which
/// leaves nothing to compare, it is started anew. `State` has `operator==`. With a
/// store whose values are written down (sqlite_store.hpp, with `threads` null), the formats are checked as well.
/// Threads: one.
template <class A>
class recovery_check {
public:
  using state_type = typename A::state_type;

  template <class... Args>
  requires std::is_constructible_v < A, const std::decay_t<Args>
  &... > explicit recovery_check(const Args&... args) : recovery_check{std::make_shared<memory_store>(), args...} {}

  template <class... Args>
  requires std::is_constructible_v < A, const std::decay_t<Args>
  &... > explicit recovery_check(std::shared_ptr<journal_store> store, const Args&... args)
      : start_{[args = std::tuple<std::decay_t<Args>...>{args...}](troupe::system& s) {
          return std::apply([&](const auto&... xs) { return s.spawn<A>(xs...); }, args);
        }} {
    system_options o;
    o.through.clock = std::make_shared<manual_clock>();
    o.through.random = seeded_random(1);
    o.stepped = 0;
    o.journals = std::move(store);
    system_.emplace(std::move(o));
    actor_ = start_(*system_);
  }

  /// Sends `command`, lets everything come to rest, then rebuilds the actor and compares. Throws recovery_mismatch.
  template <class M>
  requires handles<A, M>
  void after(const M& command) {
    ++commands_;
    (void)actor_.tell(command);
    system_->run_until_idle();
    compare();
  }

  /// As `after`, with the state that is expected.
  template <class M>
  requires handles<A, M>
  void after(const M& command, const state_type& expected) {
    after(command);
    if (!(state() == expected))
      throw recovery_mismatch{"after command " + std::to_string(commands_) + " the state is not the expected one"};
  }

  /// Lets time pass, for timers, and compares.
  void advance(std::chrono::nanoseconds by) {
    system_->advance(by);
    compare();
  }

  /// Throws usage_error if the actor is not at work: what its journal owed has stopped it since.
  const state_type& state() const {
    const auto* a = object();
    if (a == nullptr)
      throw usage_error{"after command " + std::to_string(commands_) + " there is no actor at work"};
    return a->kept_state();
  }
  troupe::system& system() noexcept { return *system_; }
  const ref<A>& actor() const noexcept { return actor_; }

private:
  const A* object() const { return static_cast<const A*>(detail::required(actor_.pointer()).object()); }

  void compare() {
    auto& cell = detail::required(actor_.pointer());
    for (int waits = 0; !cell.at_work() && !actor_.has_stopped() && waits < 1'000; ++waits)
      system_->advance(std::chrono::milliseconds{100}); // it has failed more than once
    if (!cell.at_work() && !(actor_.has_stopped() && cell.end_reason() == exit_reason::normal))
      throw recovery_mismatch{"after command " + std::to_string(commands_) + " the actor cannot be restarted"};
    std::optional<state_type> before;
    if (const auto* a = object(); a != nullptr)
      before = a->kept_state();
    actor_.stop();
    system_->run_until_idle();
    actor_ = start_(*system_);
    if (before && !(state() == *before))
      throw recovery_mismatch{"after command " + std::to_string(commands_) +
                              " the state that the journal leads to is not the state before"};
    system_->run_until_idle();
  }

  const std::function<ref<A>(troupe::system&)> start_;
  std::optional<troupe::system> system_;
  ref<A> actor_;
  std::size_t commands_ = 0;
};

} // namespace troupe
