// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/system_core.hpp>
#include <troupe/system.hpp>
#include <troupe/type_name.hpp>

#include <any>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe {

/// Thrown by a probe whose expectation is not met. What it says names what came instead.
class unexpected : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// What a probe does with messages of one type.
template <class M>
struct probe_rule {
  std::function<reply_of<M>(const M&)> answer{};
  std::function<bool(const M&)> ignored{};
};

/// What a probe's actor has received, and what it does with more.
template <class... Ms>
struct probe_inbox {
  std::deque<std::variant<Ms...>> received{};
  std::tuple<probe_rule<Ms>...> rules{};
};

/// To a probe's actor: watch this one.
struct probe_watch {
  any_ref who;
};

template <class... Ms>
class probe_actor : public actor<probe_actor<Ms...>, Ms..., probe_watch> {
public:
  explicit probe_actor(std::shared_ptr<probe_inbox<Ms...>> inbox) : inbox_{std::move(inbox)} {}

  void on(const probe_watch& m) { this->watch(m.who); }

  template <class M>
  requires one_of<M, Ms...> reply_of<M> on(const M& m) {
    const auto& [answer, ignored] = std::get<probe_rule<M>>(inbox_->rules);
    if (!ignored || !ignored(m))
      inbox_->received.emplace_back(m);
    if (answer)
      return answer(m);
    if constexpr (!std::is_void_v<reply_of<M>>)
      throw std::logic_error{"the probe was asked, and has no answer: see probe::answer"};
  }

private:
  const std::shared_ptr<probe_inbox<Ms...>> inbox_;
};

} // namespace detail

/// An actor for tests that collects the messages `Ms` and says whether what was expected has come. Stepped systems only:
/// expecting lets the system run, and simulated time pass.
///
///     troupe::probe<parcel, refusal> customer{sys};
///     desk.tell(order{customer.address()});
///     CHECK(customer.expect<parcel>(2s).weight == 7);
///     customer.expect_nothing(1h);
///
/// Threads: the one that steps the system. The system outlives it.
template <class... Ms>
class probe {
public:
  using actor_type = detail::probe_actor<Ms...>;

  explicit probe(system& sys, std::string_view name = {})
      : system_{sys}, inbox_{std::make_shared<detail::probe_inbox<Ms...>>()} {
    child_options o;
    o.on_failure = failure_rules{}.otherwise(failure_action::resume); // whatever its answers throw is nobody's concern
    address_ = sys.root().start<actor_type>(name, o, inbox_);
  }

  /// Give this to whoever is to send: converts to `ref_to<...>` of any of the messages.
  const ref<actor_type>& address() const noexcept { return address_; }

  /// What to reply to each `M` from now on. Where `f` throws, and without an answer, the request fails; the probe goes on.
  template <class M>
  void answer(std::function<reply_of<M>(const M&)> f) {
    std::get<detail::probe_rule<M>>(inbox_->rules).answer = std::move(f);
  }

  /// From now on each `M`, or each that `which` accepts, does not count as having come. It is answered all the same.
  template <class M>
  void ignore(std::function<bool(const M&)> which = [](const M&) { return true; }) {
    std::get<detail::probe_rule<M>>(inbox_->rules).ignored = std::move(which);
  }

  /// Lets the probe expect the `stopped` of this actor, which must be one of `Ms`.
  void watch(const any_ref& who) {
    static_assert(detail::one_of<stopped, Ms...>, "a probe that watches has troupe::stopped among its messages");
    address_.tell(detail::probe_watch{who});
    system_.run_until_idle();
  }

  /// The next message, which must be an `M` and come within `within` of simulated time. Throws `unexpected`.
  template <class M>
  M expect(std::chrono::nanoseconds within = std::chrono::seconds{3}) {
    if (!wait([this] { return !inbox_->received.empty(); }, within))
      throw unexpected{"expected " + name_of<M>() + ", but nothing came"};
    auto next = std::move(inbox_->received.front());
    inbox_->received.pop_front();
    if (!std::holds_alternative<M>(next))
      throw unexpected{"expected " + name_of<M>() + ", but " + name_of(next) + " came"};
    return std::get<M>(std::move(next));
  }

  /// The next `M`, whatever comes before it. Throws `unexpected`.
  template <class M>
  M fish(std::chrono::nanoseconds within = std::chrono::seconds{3}) {
    std::optional<M> found;
    const auto look = [&] {
      for (; !found && !inbox_->received.empty(); inbox_->received.pop_front())
        if (auto* m = std::get_if<M>(&inbox_->received.front()))
          found = std::move(*m);
      return found.has_value();
    };
    if (!wait(look, within))
      throw unexpected{"no " + name_of<M>() + " came"};
    return *std::move(found);
  }

  /// Lets `time` pass, in which nothing must come. Throws `unexpected`.
  void expect_nothing(std::chrono::nanoseconds time = std::chrono::milliseconds{100}) {
    if (wait([this] { return !inbox_->received.empty(); }, time))
      throw unexpected{"expected nothing, but " + name_of(inbox_->received.front()) + " came"};
  }

  /// Forgets what has come so far; returns how many that were.
  std::size_t forget() {
    system_.run_until_idle();
    const auto n = inbox_->received.size();
    inbox_->received.clear();
    return n;
  }

private:
  template <class M>
  static std::string name_of() {
    return type_name(typeid(M));
  }
  static std::string name_of(const std::variant<Ms...>& v) {
    return std::visit([](const auto& m) { return name_of<std::remove_cvref_t<decltype(m)>>(); }, v);
  }

  template <class Done>
  bool wait(Done done, std::chrono::nanoseconds within) {
    const auto end = system_.now() + within;
    for (;;) {
      system_.run_until_idle();
      if (done())
        return true;
      const auto now = system_.now();
      if (now >= end)
        return false;
      const auto next = system_.core().timers->next_deadline();
      system_.advance((next < end ? next : end) - now);
    }
  }

  system& system_;
  const std::shared_ptr<detail::probe_inbox<Ms...>> inbox_;
  ref<actor_type> address_;
};

namespace detail {

template <class Ref>
struct probe_of;
template <class... Ms>
struct probe_of<ref_to<Ms...>> {
  using type = probe<Ms...>;
};

} // namespace detail

/// A probe of all messages that a `ref_to` takes: `probe_for<seller_ref> seller{sys};`
template <class Ref>
using probe_for = typename detail::probe_of<Ref>::type;

} // namespace troupe
