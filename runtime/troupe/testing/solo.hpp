// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/conductor.hpp>
#include <troupe/system.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace troupe {

namespace detail {

/// Takes messages `Ms` and never gets to handle one.
template <class... Ms>
class idle_recipient : public actor<idle_recipient<Ms...>, Ms...> {
public:
  template <class M>
  requires one_of<M, Ms...> reply_of<M> on(const M&) { throw usage_error{"nobody on a stage but one actor has turns"}; }
};

} // namespace detail

/// A message that an actor under test has sent.
struct sent_message {
  std::string to;                     ///< Name of the receiver.
  std::string type;                   ///< C++ name of the message's type.
  std::shared_ptr<const void> copy{}; ///< Of the message; null unless its type is kept.
  const std::type_info* info = nullptr;
};

/// A timer of an actor under test.
struct pending_timer {
  std::string key; ///< Empty if it has none.
  std::chrono::nanoseconds in{};
};

/// The world of one actor under test: a system in which nobody else ever has a turn. See `solo`.
class stage final : private detail::conductor {
public:
  stage();
  ~stage() override;

  /// An address at which messages `Ms` arrive and nobody handles any: for the actor under test to send to.
  template <class... Ms>
  ref_to<Ms...> recipient(std::string_view name) {
    return system_->root().start<detail::idle_recipient<Ms...>>(name);
  }

  /// The address of an actor of that type, whose mailbox takes messages and which handles none. For an actor under test
  /// that wants that very type.
  template <class A, class... Args>
  ref<A> idle(std::string_view name, Args&&... args) {
    return system_->root().start<A>(name, child_options{}, std::forward<Args>(args)...);
  }

  troupe::system& system() noexcept { return *system_; }

private:
  template <class A>
  friend class solo;

  using keeper = std::function<std::shared_ptr<const void>(const std::type_info&, const void*)>;

  /// The actor of this id has turns from now on.
  void begin(std::uint64_t actor);
  /// Runs what the actor has to do; throws what a handler has thrown.
  void run();
  static std::vector<pending_timer> timers_of(const any_ref& who);

  // -- conductor --
  bool admit(engine::runnable& r) noexcept override;
  std::size_t choose(const std::deque<engine::runnable*>&) noexcept override { return 0; }
  void turn_over() override {}
  detail::passage sending(detail::cell* from, detail::cell& to, detail::envelope& e) override;
  void controlling(detail::cell&) noexcept override {}
  void handling(detail::cell&, detail::envelope&) override {}
  bool resuming(detail::cell&, detail::envelope&) noexcept override { return !over_; }
  void fault_point(detail::cell& by) override;
  void failed(detail::cell& by, const detail::envelope& e, const std::exception_ptr& why) noexcept override;

  std::uint64_t actor_ = 0; // who has turns; 0: nobody yet
  bool over_ = false;
  std::vector<sent_message> sent_;
  std::vector<keeper> keepers_;
  std::exception_ptr failure_;
  std::exception_ptr at_fault_point_;
  std::vector<engine::runnable*> waiting_; // what others would do
  std::unique_ptr<troupe::system> system_; // last: it ends first
};

/// One actor, run synchronously: each call handles one message to its end, and what came of it can be looked at.
///
///     troupe::stage world;
///     auto shelf = world.recipient<reserve>("shelf");
///     troupe::solo<cart> c{world, shelf};
///     c.keep<reserve>();
///     CHECK(c.ask(add_item{"85123A", 2}));
///     CHECK(c.sent<reserve>().at(0).quantity == 2);
///
/// Nobody answers what the actor asks: such a handler stays suspended. One `solo` per stage. Threads: one.
template <class A>
class solo {
public:
  template <class... Args>
  explicit solo(stage& world, Args&&... args) : world_{world} {
    child_options o;
    o.restart = temporary;
    actor_ = world.system().root().start<A>("", o, std::forward<Args>(args)...);
    world_.begin(actor_.id());
  }

  /// Handles `message`. Throws what the handler throws.
  template <class M>
  void tell(M&& message) {
    (void)actor_.tell(std::forward<M>(message));
    world_.run();
  }

  /// Handles `message` and returns the reply. Throws what the handler throws, and usage_error if it waits for somebody.
  template <class M>
  reply_of<std::remove_cvref_t<M>> ask(M&& message) {
    auto answer = actor_.ask(std::forward<M>(message));
    world_.run();
    if (!answer.ready())
      throw usage_error{"the handler waits for somebody, or the actor has stopped"};
    return std::move(answer).get();
  }

  /// Lets time pass; the actor's timers fire.
  void advance(std::chrono::nanoseconds by) {
    world_.system().advance(by);
    world_.run();
  }

  /// From now on copies of the messages of type `M` that the actor sends are kept.
  template <class M>
  void keep() {
    world_.keepers_.push_back([](const std::type_info& type, const void* payload) -> std::shared_ptr<const void> {
      return type == typeid(M) ? std::make_shared<const M>(*static_cast<const M*>(payload)) : nullptr;
    });
  }

  /// What it has sent so far, to whomever, in order.
  const std::vector<sent_message>& sent() const noexcept { return world_.sent_; }
  /// The kept ones of type `M`.
  template <class M>
  std::vector<M> sent() const {
    std::vector<M> result;
    for (const auto& s : world_.sent_)
      if (s.copy != nullptr && *s.info == typeid(M))
        result.push_back(*static_cast<const M*>(s.copy.get()));
    return result;
  }
  void forget_sent() noexcept { world_.sent_.clear(); }

  /// Its timers, the next to fire first.
  std::vector<pending_timer> timers() const { return stage::timers_of(actor_); }

  /// The next `fault_point()` that a handler reaches throws this.
  template <class E>
  void fail_at_next_fault_point(E what) {
    world_.at_fault_point_ = std::make_exception_ptr(std::move(what));
  }

  bool has_stopped() const { return actor_.has_stopped(); }
  const ref<A>& address() const noexcept { return actor_; }

private:
  stage& world_;
  ref<A> actor_;
};

} // namespace troupe
