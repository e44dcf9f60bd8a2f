// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/actor.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/type_name.hpp>

namespace troupe {

namespace {

detail::cell* spawning() {
  auto* c = detail::cell::current();
  if (c == nullptr || c->object() != nullptr) // on the turn of an actor that is built already
    throw usage_error{"an actor can be created only by a system or a supervisor"};
  return c;
}

} // namespace

actor_base::actor_base() : cell_{spawning()} {}

void actor_base::watch(const any_ref& who) {
  if (cell_->type().on_stopped == nullptr)
    throw usage_error{"watch needs a public handler on(const troupe::stopped&), which " +
                      type_name(*cell_->type().info) + " does not have"};
  auto& target = detail::required(who.pointer());
  detail::cell_pointer self{*cell_};
  target.send_control(detail::make_control(
      [self](detail::cell& c) { c.add_watcher(*self); },
      [self](detail::cell& c) {
        // It has stopped: the watcher's own turn makes the message.
        self->send_control(detail::make_control(
            [who = stopped{c.id(), c.name(), c.end_reason()}](detail::cell& w) { w.on_watched_stopped(who); }));
      }));
}

void actor_base::unwatch(const any_ref& who) {
  detail::cell_pointer self{*cell_};
  detail::required(who.pointer()).send_control(detail::make_control([self](detail::cell& c) {
    c.remove_watcher(*self);
  }));
}

void actor_base::stop() noexcept {
  if (const detail::turn_guard guard{std::nothrow})
    cell_->end();
}

void actor_base::cancel_timer(std::string_view key) noexcept {
  if (const detail::turn_guard guard{std::nothrow})
    cancel_own_timer(key);
}

void actor_base::cancel_own_timer(std::string_view key) noexcept {
  for (auto* t = cell_->timers(); t != nullptr; t = t->next()) {
    if (t->key() == key)
      return t->cancel();
  }
}

void actor_base::start_timer(detail::actor_timer& t, std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                             std::string_view key) {
  struct count {
    detail::actor_timer* of;
    ~count() {
      if (of != nullptr)
        of->release();
    }
  } made{&t}; // whoever made it gives up the count that it began with only after this
  const detail::turn_guard guard;
  if (!key.empty())
    cancel_own_timer(key);
  const auto begin = now();
  t.start(*cell_, delay < time_point::max() - begin ? begin + delay : time_point::max(), period, std::string{key});
  made.of = nullptr;
}

void actor_base::fault_point() const {
  if (cell_->core().meddled)
    cell_->core().at_fault_point(*cell_);
}

time_point actor_base::now() const noexcept { return cell_->core().now(); }

wall_time_point actor_base::wall_now() const noexcept { return cell_->core().through.clock->wall_now(); }

random_source& actor_base::random() const noexcept { return *cell_->core().through.random; }

troupe::system& actor_base::system() const noexcept { return *cell_->core().owner; }

namespace detail {

namespace {

/// A call's slot, settled at the latest when the last copy of the task is gone, whether or not that ever ran.
struct unsettled {
  reply_slot* slot;
  ~unsettled() {
    if (slot != nullptr)
      slot->settle_error(errc::stopped, "the pool for blocking work has stopped");
  }
};

} // namespace

void run_blocking(cell& asker, reply_slot& slot, std::function<void()> call) {
  const auto held = std::make_shared<unsettled>(&slot);
  const bool accepted = asker.core().blocking->submit([held, call = std::move(call)] {
    auto* mine = std::exchange(held->slot, nullptr);
    try {
      call();
    } catch (...) {
      mine->settle_error(errc::failed, describe(std::current_exception()));
    }
  });
  if (!accepted)
    std::exchange(held->slot, nullptr)->settle_error(errc::mailbox_full, "the pool for blocking work has no room");
}

std::chrono::nanoseconds checked_period(std::chrono::nanoseconds period) {
  if (period.count() <= 0)
    throw usage_error{"the period of a timer must be above 0, not " + std::to_string(period.count()) + " ns"};
  return period;
}

} // namespace detail

} // namespace troupe
