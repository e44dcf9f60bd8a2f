// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/message_handler.hpp>
#include <troupe/engine/suspension.hpp>
#include <troupe/journal/effect.hpp>
#include <troupe/journal/journal_session.hpp>
#include <troupe/journal/parcel.hpp>
#include <troupe/task.hpp>

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

/// From what a handler of a journaled actor returns to what is kept: the way of effects, coroutines and parcels.

namespace troupe::detail {

template <class Self>
append_request request_of(durable_step<Self>& step, const record_row& records, const parcel_header* handled) noexcept {
  return {records.all(), step.new_sends.get(), handled};
}

/// Awaitable: one record of a coroutine handler, begun when it is awaited.
template <class Self>
class kept_step : public queued_append {
  /// What is left of a step whose coroutine has gone.
  class remains final : public abandoned_step {
  public:
    remains(Self& self, durable_step<Self> step, std::unique_ptr<consequences> then)
        : self_{self}, step_{std::move(step)}, then_{std::move(then)} {}
    void apply() override {
      self_.apply_all(step_.new_events);
      self_.session().complete(std::move(then_));
    }

  private:
    Self& self_;
    durable_step<Self> step_;
    std::unique_ptr<consequences> then_;
  };

public:
  kept_step(Self& self, durable_step<Self> step, const parcel_header* handled = nullptr)
      : self_{self}, step_{std::move(step)}, handled_{handled} {}
  kept_step(const kept_step&) = delete;
  kept_step& operator=(const kept_step&) = delete;
  ~kept_step() override {
    if (waiter_)
      self_.session().unqueue(*this);
    else if (write_.pending())
      write_.release_to(std::make_unique<remains>(self_, std::move(step_), write_.take_consequences()));
  }

  class awaiter {
  public:
    explicit awaiter(kept_step& s) noexcept : step_{&s} {}
    bool await_ready() { return step_->ready(); }
    void await_suspend(std::coroutine_handle<> h) { step_->suspend(h); }
    void await_resume() { step_->resume(); }

  private:
    kept_step* step_;
  };
  awaiter operator co_await() & noexcept { return awaiter{*this}; }

protected:
  Self& self_;
  durable_step<Self> step_;

private:
  bool ready() {
    auto& s = self_.session();
    queued_ = s.busy();
    return !queued_ && append();
  }

  void suspend(std::coroutine_handle<> h) {
    auto* message = self_.session().owner().in_hand();
    if (!queued_)
      return write_.await(h, message);
    waiter_ = h;
    message_ = message;
    self_.session().queue(*this);
  }

  void resume() {
    if (failure_)
      std::rethrow_exception(failure_);
    if (step_.new_events.size() != 0)
      self_.session().fault_point();
    self_.apply_all(step_.new_events);
    self_.session().complete(write_.take_consequences());
  }

  bool append() {
    if (step_.empty() && handled_ == nullptr)
      return true;
    const record_row records{step_.new_events};
    return self_.session().append(request_of(step_, records, handled_), write_);
  }

  void begin() override {
    const auto h = std::exchange(waiter_, nullptr);
    try {
      if (!append())
        return write_.await(h, message_);
    } catch (...) {
      failure_ = std::current_exception();
    }
    self_.session().owner().resume(h, message_);
  }

  const parcel_header* handled_;
  awaited_write write_;
  std::exception_ptr failure_;
  bool queued_ = false;
  std::coroutine_handle<> waiter_; // while it is queued
  envelope* message_ = nullptr;
};

/// What `persist` returns.
template <class Self, bool Chainable>
class [[nodiscard]] persisting : public kept_step<Self> {
public:
  using kept_step<Self>::kept_step;

  /// See durable_step.
  template <class A, class M>
  requires handles<A, std::remove_cvref_t<M>>
  void send(const durable_ref<A>& target, M&& message) { this->step_.add_message(target, std::forward<M>(message)); }
  template <class When, class M>
  requires(Self::messages::template contains<std::remove_cvref_t<M>>) void schedule(std::string_view name, When when,
                                                                                    M&& message) {
    this->step_.add_timer(name, when, std::forward<M>(message));
  }
  void cancel(std::string_view name) { this->step_.add_cancel(name); }

  auto operator co_await() & noexcept { return kept_step<Self>::operator co_await(); }
  auto operator co_await() && noexcept requires Chainable { return kept_step<Self>::operator co_await(); }
  void operator co_await() && requires(!Chainable) = delete; // put persist and its co_await into two statements
};

// -- effects ----------------------------------------------------------------------------------------------------------

/// After it is kept: apply the events, let the messages go.
template <class Effect>
void apply_effect(typename Effect::actor_type& self, Effect& fx, awaited_write& write) {
  if (fx.step.new_events.size() != 0)
    self.session().fault_point();
  self.apply_all(fx.step.new_events);
  self.session().complete(write.take_consequences());
}

/// Do what was to follow, reply.
template <class M, class Effect>
void finish_effect(Effect& fx, envelope& e) {
  if (fx.follow_up)
    fx.follow_up();
  if constexpr (std::is_void_v<typename reply_type<M>::type>)
    send_reply<M>(e);
  else if (e.reply != nullptr)
    send_reply<M>(e, std::move(fx.answer));
}

/// A handled message whose record is being written.
template <class M, class Effect>
class suspended_effect final : public suspension, public pooled_frame {
public:
  suspended_effect(typename Effect::actor_type& self, Effect fx, awaited_write write, envelope& e)
      : self_{self}, effect_{std::move(fx)}, write_{std::move(write)} {
    write_.notify(e);
  }

  bool ended() const noexcept override { return write_.ended(); }
  void conclude(envelope& e) override {
    apply_effect(self_, effect_, write_);
    finish_effect<M>(effect_, e);
  }
  void dispose() noexcept override { delete this; }

private:
  typename Effect::actor_type& self_;
  Effect effect_;
  awaited_write write_;
};

/// Tells the asker, if there is one, that the record cannot be kept. Throws it again otherwise.
void reject(envelope& e, const rejected_record& why);

template <class M, class Effect>
suspension* conclude_effect(typename Effect::actor_type& self, Effect& fx, envelope& e) {
  const auto* handled = header_of(e);
  if (!fx.step.empty() || handled != nullptr) {
    awaited_write write;
    const record_row records{fx.step.new_events};
    try {
      if (!self.session().append(request_of(fx.step, records, handled), write))
        return new suspended_effect<M, Effect>{self, std::move(fx), std::move(write), e};
    } catch (const rejected_record& why) {
      reject(e, why);
      return nullptr;
    }
    apply_effect(self, fx, write);
  }
  finish_effect<M>(fx, e);
  return nullptr;
}

template <class M, class Self, class R>
struct conclusion<M, basic_effect<Self, R>> {
  static_assert(std::is_void_v<typename reply_type<M>::type> || std::is_convertible_v<R, typename reply_type<M>::type>,
                "the handler's effect does not give the message's `reply` type");

  template <class Call>
  static suspension* of(cell& receiver, envelope& e, Call&& call) {
    auto& self = *static_cast<Self*>(receiver.object());
    basic_effect<Self, R> fx = call();
    return conclude_effect<M>(self, fx, e);
  }

  /// The handler has decided: what would be kept is applied, and neither kept nor followed by anything.
  static void rehearse(Self& self, const basic_effect<Self, R>& fx) { self.apply_on_trial(fx.step.new_events); }
};

// -- coroutines -------------------------------------------------------------------------------------------------------

/// A coroutine handler that returns an effect: keeps it at the end.
template <class Self, class R>
task<R> keep_at_end(Self& self, task<basic_effect<Self, R>> handler, const parcel_header* handled) {
  auto fx = co_await std::move(handler);
  kept_step<Self> kept{self, std::move(fx.step), handled};
  co_await kept;
  if (fx.follow_up)
    fx.follow_up();
  if constexpr (!std::is_void_v<R>)
    co_return std::move(fx.answer);
}

/// Sends what such a task came to, which may be that its record cannot be kept.
template <class M, class R>
void send_kept(envelope& e, task<R>& t) {
  try {
    send_result<M>(e, t);
  } catch (const rejected_record& why) {
    reject(e, why);
  }
}

template <class M, class R>
class suspended_keeping final : public suspension, public pooled_frame {
public:
  explicit suspended_keeping(task<R> t) noexcept : task_{std::move(t)} {}

  bool ended() const noexcept override { return task_.done(); }
  void conclude(envelope& e) override { send_kept<M>(e, task_); }
  void dispose() noexcept override { delete this; }

private:
  task<R> task_;
};

template <class M, class Self, class R>
struct conclusion<M, task<basic_effect<Self, R>>> {
  static_assert(std::is_void_v<typename reply_type<M>::type> || std::is_convertible_v<R, typename reply_type<M>::type>,
                "the handler's effect does not give the message's `reply` type");

  template <class Call>
  static suspension* of(cell& receiver, envelope& e, Call&& call) {
    auto& self = *static_cast<Self*>(receiver.object());
    auto t = keep_at_end<Self, R>(self, call(), nullptr);
    if (!t.done())
      return new suspended_keeping<M, R>{std::move(t)};
    send_kept<M>(e, t);
    return nullptr;
  }
};

// -- parcels ----------------------------------------------------------------------------------------------------------

/// Handles a parcel in a coroutine; its last record says that it was handled.
template <class Self, class R>
task<void> handle_parcel(Self& self, task<R> handler, const parcel_header& p) {
  try {
    (void)co_await std::move(handler);
    kept_step<Self> kept{self, {}, &p};
    co_await kept;
  } catch (...) {
    self.session().give_up(p);
    throw;
  }
}

template <class Self, class R>
task<void> handle_parcel(Self& self, task<basic_effect<Self, R>> handler, const parcel_header& p) {
  try {
    (void)co_await keep_at_end<Self, R>(self, std::move(handler), &p);
  } catch (...) {
    self.session().give_up(p);
    throw;
  }
}

template <class T>
inline constexpr bool is_effect = false;
template <class Self, class R>
inline constexpr bool is_effect<basic_effect<Self, R>> = true;

/// Stands for a message without a reply: nobody waits for that of a parcel.
struct parcel_message {};

template <class A, class M>
suspension* invoke_parcel(cell& receiver, void* target, void* payload, envelope& e) {
  static_assert(handler_access::has<A, M>, "the actor names a message for which it has no handler on(const Message&)");
  auto& self = *static_cast<A*>(target);
  const auto& p = *static_cast<const parcel<M>*>(payload);
  if (!self.session().receive(p))
    return nullptr;
  using returned = std::remove_cvref_t<decltype(handler_access::call(self, p.message))>;
  try {
    if constexpr (is_task<returned>) {
      return conclusion<parcel_message, task<void>>::of(
          receiver, e, [&] { return handle_parcel(self, handler_access::call(self, p.message), p); });
    } else if constexpr (is_effect<returned>) {
      auto fx = handler_access::call(self, p.message);
      return conclude_effect<parcel_message>(self, fx, e);
    } else {
      (void)handler_access::call(self, p.message);
      basic_effect<A, void> nothing;
      return conclude_effect<parcel_message>(self, nothing, e);
    }
  } catch (...) {
    self.session().give_up(p);
    throw;
  }
}

} // namespace troupe::detail
