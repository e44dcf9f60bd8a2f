// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/durable_ref.hpp>
#include <troupe/journal/entity_group.hpp>
#include <troupe/journal/journaled_actor.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe {

namespace detail {

/// The entities of type `A`, built from their key and the same arguments for all.
template <class A, class... Args>
class entities_of final : public entity_group {
  static_assert(std::is_constructible_v<A, const std::string&, const Args&...>,
                "an entity is constructed from its key and these arguments, passed as const so that each finds them");

public:
  template <class... Xs>
  entities_of(const troupe::supervisor& parent, std::string prefix, const entity_options& options, Xs&&... xs)
      : entity_group{parent, std::move(prefix), options, durable_type_of<A>,
                     types_of<typename A::state_type>(static_cast<const typename A::event_list::variant*>(nullptr))},
        arguments_{std::forward<Xs>(xs)...} {}

private:
  class seat final : public entity_seat {
  public:
    using entity_seat::entity_seat;
    ~seat() override { raze(); }

    void construct() override {
      const auto& arguments = static_cast<const entities_of&>(group()).arguments_;
      std::apply([this](const Args&... xs) { object_storage_.emplace(key(), xs...); }, arguments);
      object_ = &*object_storage_;
      loaded();
    }
    void destroy() noexcept override {
      unloading();
      raze();
    }

  private:
    void raze() noexcept {
      object_ = nullptr;
      object_storage_.reset();
    }

    std::optional<A> object_storage_;
  };

  cell& make_cell(const std::shared_ptr<const cell_options>& options,
                  std::shared_ptr<durable_address> address) override {
    return *cell::make<seat>(core(), options, actor_type_of<A>, std::move(address), shared_from_this());
  }

  const std::tuple<Args...> arguments_;
};

} // namespace detail

/// Durable actors of type `A` that come with their first message and go when they are idle.
///
///     troupe::entities<stock> shelves{sys.root(), "stock", {.idle = 1min}};
///     shelves["85123A"].tell(restock{6}); // an actor stock{"stock/85123A"} is started for it, or was there
///
/// Each is constructed from its journal's key, "name/id", and the arguments given here. It loads its state when its first
/// message comes, on its own turn: starting one costs its sender next to nothing, and those that nobody needs cost nothing.
/// An idle one leaves memory (*passivation*): its `on_stop` is called, its object destroyed. The next message brings it
/// back; none is lost in between. It is not idle while it has a timer of `after` or `every`, a suspended handler, or
/// messages in its outbox; durable timers wake it. (Where somebody finds no room, one whose messages nobody takes leaves as
/// well, and comes back for them.) It stops watching others when it goes.
///
/// Those that owe something, because the process ended before, are woken when the group is made. What fails is restarted,
/// again and again with growing pauses, without a limit: one that cannot be loaded does not stop the others. One whose
/// journal cannot be understood (recovery_error) stops, and is tried again with the next message; if it owes messages or
/// timers, without one too, after pauses up to a minute. So is whoever else ends while it owes something.
///
/// Threads: any. Copies are the same group, which lasts until its supervisor is stopped.
template <class A>
class entities {
public:
  /// Starts a supervisor `name` under `parent` for them. `name` has no slash, and is the first part of their keys.
  /// Errors: request_error for options and names; usage_error if there are entities of that name already, or if
  /// the store cannot keep a type of state or event that they have.
  template <class... Args>
  entities(const supervisor& parent, std::string_view name, const entity_options& options, Args&&... args)
      : group_{std::make_shared<detail::entities_of<A, std::decay_t<Args>...>>(parent, std::string{name}, options,
                                                                               std::forward<Args>(args)...)} {
    group_->open();
  }
  entities(const supervisor& parent, std::string_view name) : entities{parent, name, entity_options{}} {}

  /// The address of the entity `id`, whether it is in memory or not.
  durable_ref<A> operator[](std::string_view id) const {
    return durable_ref<A>{detail::address_of(group_->core(), group_->prefix() + "/" + std::string{id})};
  }

  /// Stopping it ends the group.
  const troupe::supervisor& supervisor() const noexcept { return group_->supervisor(); }
  /// How many are in memory.
  std::size_t live() const { return group_->live(); }

private:
  std::shared_ptr<detail::entity_group> group_;
};

} // namespace troupe
