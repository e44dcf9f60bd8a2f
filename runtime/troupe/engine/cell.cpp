// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/cell.hpp>
#include <troupe/engine/handler_watch.hpp>
#include <troupe/engine/incidents.hpp>
#include <troupe/engine/instruments.hpp>
#include <troupe/engine/open_asks.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/child_record.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/type_name.hpp>
#include <troupe/watch.hpp>

#include <cstddef>
#include <utility>

namespace troupe::detail {

void destroy(envelope* e) noexcept {
  if (e->reply != nullptr) [[unlikely]]
    settle(*e, errc::no_reply);
  const auto& type = *e->how->message;
  if (type.destroy != nullptr)
    type.destroy(payload_of(*e, type));
  block_pool::release(type.block_class, e);
}

// -- birth and end of the cell itself ----------------------------------------------------------------------------------

cell::cell(system_core& core, std::shared_ptr<const cell_options> options, host& h, std::uint8_t block_class)
    : capacity_{static_cast<std::uint32_t>(options->spec.mailbox.capacity)}, executor_{core.executor},
      sliding_{options->spec.mailbox.overflow == drop_oldest ? std::make_unique<sliding_lane>(capacity_) : nullptr},
      id_{core.last_id.fetch_add(1, std::memory_order_relaxed) + 1},
      door_{static_cast<std::uint8_t>((sliding_ != nullptr ? door_sliding : 0) |
                                      (options->spec.flight_recorder != 0 ? door_signed : 0) |
                                      (core.conducted != nullptr ? door_conducted : 0))},
      core_{&core}, suspended_max_{h.type().suspended_max}, host_{&h}, slides_{sliding_ != nullptr},
      block_class_{block_class}, options_{std::move(options)}, instruments_{
                                                                   instruments_for(core, *options_, host_->type())} {
  static_assert(sizeof(cell) == 384, "its size decides in which block class small actors are");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof" // g++ and clang++ allow it
  static_assert(offsetof(cell, refs_) / 64 == (offsetof(cell, mailbox_) + mailbox::receiver_offset - 1) / 64);
  static_assert((offsetof(cell, mailbox_) + mailbox::receiver_offset) % 64 == 0);
  static_assert(offsetof(cell, drain_wanted_) / 64 == offsetof(cell, control_) / 64);
#pragma GCC diagnostic pop
}

std::unique_ptr<cell::instruments> cell::instruments_for(const system_core& core, const cell_options& options,
                                                         const actor_type& type) {
  const auto& spec = options.spec;
  const auto budget =
      type.handlers.empty() ? std::chrono::milliseconds{0} : spec.handler_budget.value_or(core.handler_budget);
  const bool rehearses = spec.rehearse != 0 && type.keep_state != nullptr;
  if (budget.count() == 0 && spec.flight_recorder == 0 && !rehearses)
    return nullptr;
  return std::make_unique<instruments>(spec, budget, type);
}

std::vector<flight_record> cell::recent() const {
  return instruments_ != nullptr ? instruments_->recorder.list() : std::vector<flight_record>{};
}

cell::~cell() {
  delete incidents_.load(std::memory_order_relaxed);
  delete asks_.load(std::memory_order_relaxed);
  host_->~host();
}

void cell::destroy() noexcept {
  const auto block_class = block_class_;
  this->~cell();
  block_pool::release(block_class, this);
}

void cell::construct() {
  auto* outer = std::exchange(current_, this);
  try {
    host_->construct();
  } catch (...) {
    current_ = outer;
    throw;
  }
  current_ = outer;
}

void cell::launch(supervisor_core& parent) noexcept {
  parent_ = &parent;
  launch_root();
}

void cell::launch_root() noexcept {
  retain(); // the tree's
  enter(host_->object() != nullptr ? state::running : state::passive);
  if (end_wanted_ || local_head_ != nullptr || !rest())
    schedule();
}

void cell::give_up_start() noexcept {
  cancel_timers();
  if (host_->object() != nullptr)
    host_->destroy();
  mailbox_.close();
  while (auto* e = next_message())
    detail::destroy(e);
  close_control();
  enter(state::stopped);
}

/// Nothing is delivered any more.
void cell::close_control() noexcept {
  if (auto* a = asks_.load(std::memory_order_relaxed)) // relaxed: this turn has made it
    a->close();
  for (auto* m = control_.close(); m != nullptr;)
    std::exchange(m, m->next_control)->refuse(*this);
}

// -- senders -----------------------------------------------------------------------------------------------------------

void cell::tell_conductor() noexcept { core_->conducted->controlling(*this); }

push_result cell::push_sliding(envelope* e) noexcept {
  envelope* evicted = nullptr;
  const auto r = sliding_->push(e, mailbox_, evicted);
  if (evicted != nullptr) {
    rare().door_dropped.fetch_add(1, std::memory_order_release); // release: as in count()
    note_letter(*evicted, dead_letter::cause::dropped, drop_reason::overflow);
    settle(*evicted, errc::dropped, "mailbox of " + name() + " overflowed");
    detail::destroy(evicted);
  }
  if (r == push_result::queued_and_wake)
    schedule();
  return r;
}

delivery cell::enqueue_special(envelope* e) {
  const auto taken = offer_special(e);
  return taken ? *taken : refuse_closed(e);
}

std::optional<delivery> cell::offer_special(envelope* e) {
  const auto door = door_.load(std::memory_order_relaxed); // relaxed: as in enqueue
  if ((door & door_signed) != 0 && current_ != nullptr)
    e->sender = static_cast<std::uint32_t>(current_->id());
  const auto found = (door & door_conducted) == 0 ? passage::open : conduct(e);
  if (found == passage::taken)
    return delivery::accepted;
  return offer_past_door(e, found == passage::open);
}

void cell::arrive(envelope* e) noexcept {
  if (!offer_past_door(e, true))
    (void)refuse_closed(e);
}

std::optional<delivery> cell::offer_past_door(envelope* e, bool room) noexcept {
  const auto door = door_.load(std::memory_order_relaxed); // relaxed: as in enqueue
  if ((door & door_shut) != 0)
    return refuse_closed(e);
  if ((door & door_no_asks) != 0 && e->reply != nullptr && lifecycle() < state::stopping)
    return refuse_unavailable(e);
  if (sliding_ != nullptr)
    return push_sliding(e) == push_result::closed ? std::nullopt : std::optional{delivery::accepted};
  if (room)
    return offer_plain(e, mailbox::no_trail);
  return closed() ? std::nullopt : std::optional{refuse_full(e)};
}

/// In a simulation. The sender is not at work while others have their turns in between.
passage cell::conduct(envelope* e) {
  auto* sender = std::exchange(current_, nullptr);
  auto* post = std::exchange(turn_guard::here, nullptr);
  const auto back = [&] {
    current_ = sender;
    turn_guard::here = post;
  };
  auto found = passage::open;
  try {
    found = core_->conducted->sending(sender, *this, *e);
  } catch (...) {
    back();
    detail::destroy(e);
    throw;
  }
  back();
  return found;
}

delivery cell::refuse_full(envelope* e) noexcept {
  const bool drop = options_->spec.mailbox.overflow == drop_newest;
  auto& i = rare();
  if (drop) {
    i.door_accepted.fetch_add(1, std::memory_order_relaxed);
    i.door_dropped.fetch_add(1, std::memory_order_release); // release: as in count()
    note_letter(*e, dead_letter::cause::dropped, drop_reason::overflow);
    settle(*e, errc::dropped, "mailbox of " + name() + " is full");
  } else {
    i.refused.fetch_add(1, std::memory_order_relaxed);
    note_letter(*e, dead_letter::cause::mailbox_full, drop_reason::overflow);
    if (e->reply != nullptr)
      settle(*e, errc::mailbox_full, "mailbox of " + name() + " is full");
  }
  detail::destroy(e);
  return drop ? delivery::dropped : delivery::rejected;
}

delivery cell::refuse_unavailable(envelope* e) noexcept {
  rare().refused.fetch_add(1, std::memory_order_relaxed);
  note_letter(*e, dead_letter::cause::unavailable, {});
  settle(*e, errc::unavailable, name() + " waits for its restart");
  detail::destroy(e);
  return delivery::rejected;
}

delivery cell::refuse_closed(envelope* e) noexcept {
  rare().refused_stopped.fetch_add(1, std::memory_order_relaxed);
  core_->refused_stopped.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  note_letter(*e, dead_letter::cause::receiver_stopped, drop_reason::stopped);
  if (e->reply != nullptr)
    settle(*e, errc::stopped, name() + " has stopped");
  detail::destroy(e);
  return delivery::stopped;
}

bool cell::try_enqueue(envelope* e) noexcept {
  if (is_out())
    return false;
  if (sliding_ != nullptr)
    return push_sliding(e) != push_result::closed;
  const auto r = mailbox_.push(e, capacity_);
  if (r == push_result::queued_and_wake)
    schedule();
  return r == push_result::queued || r == push_result::queued_and_wake;
}

cell::incidents& cell::rare() const {
  auto* found = incidents_.load(std::memory_order_acquire); // acquire: pairs with the release below
  if (found != nullptr)
    return *found;
  auto fresh = std::make_unique<incidents>();
  if (incidents_.compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel, std::memory_order_acquire))
    return *fresh.release();
  return *found;
}

void cell::refuse_foreign(std::string type) noexcept {
  rare().refused.fetch_add(1, std::memory_order_relaxed);
  if (core_->events.observed())
    core_->events.publish(dead_letter{dead_letter::cause::unhandled, {}, std::move(type), name()});
}

void cell::note_letter(const envelope& e, dead_letter::cause why, drop_reason reason) const noexcept {
  if (core_->events.observed())
    core_->events.publish(dead_letter{why, reason, type_name(*e.how->message->info), name()});
}

// -- observers ---------------------------------------------------------------------------------------------------------

std::string cell::name() const {
  if (!options_->path.empty())
    return options_->path;
  if (auto label = host_->label(); !label.empty())
    return label;
  return type_name(*type().info) + "#" + std::to_string(id_);
}

std::size_t cell::depth() const noexcept { return sliding_ != nullptr ? sliding_->depth() : mailbox_.depth(); }

std::uint64_t cell::accepted() const noexcept {
  return sliding_ != nullptr ? sliding_->accepted() : mailbox_.accepted();
}

std::uint64_t cell::taken() const noexcept { return sliding_ != nullptr ? sliding_->removed() : mailbox_.popped(); }

ledger cell::books() const noexcept {
  auto l = lane_books();
  if (const auto* i = incidents_.load(std::memory_order_acquire))
    l.refused += i->refused_stopped.load(std::memory_order_relaxed);
  return l;
}

ledger cell::lane_books() const noexcept {
  ledger l;
  // Outcomes before acceptance: whatever has an outcome was accepted before, so `queued` cannot come out negative.
  l.handled = handled_.load(std::memory_order_acquire);
  if (const auto* i = incidents_.load(std::memory_order_acquire)) {
    l.expired = i->expired.load(std::memory_order_acquire);
    l.dropped = i->dropped.load(std::memory_order_acquire) + i->door_dropped.load(std::memory_order_acquire);
    l.quarantined = i->quarantined.load(std::memory_order_acquire);
    l.refused = i->refused.load(std::memory_order_relaxed);
    l.accepted = i->door_accepted.load(std::memory_order_acquire);
  }
  l.accepted += accepted();
  l.accepted += local_accepted_.load(std::memory_order_acquire);
  l.queued = l.accepted - l.handled - l.expired - l.dropped - l.quarantined;
  return l;
}

// -- timers and watchers -----------------------------------------------------------------------------------------------

open_asks& cell::asks() {
  auto* a = asks_.load(std::memory_order_relaxed); // relaxed: only this turn writes it
  if (a == nullptr) [[unlikely]] {
    a = new open_asks{*this};
    asks_.store(a, std::memory_order_release); // release: for awaited()
  }
  return *a;
}

const cell* cell::awaited() const noexcept {
  const auto* a = asks_.load(std::memory_order_acquire); // acquire: pairs with the release in asks()
  return a == nullptr ? nullptr : a->awaited();
}

void cell::add_timer(actor_timer& t) noexcept {
  t.previous_ = nullptr;
  t.next_ = timers_;
  if (timers_ != nullptr)
    timers_->previous_ = &t;
  timers_ = &t;
}

void cell::remove_timer(actor_timer& t) noexcept {
  (t.previous_ != nullptr ? t.previous_->next_ : timers_) = t.next_;
  if (t.next_ != nullptr)
    t.next_->previous_ = t.previous_;
  t.previous_ = t.next_ = nullptr;
}

void cell::cancel_timers() noexcept {
  while (timers_ != nullptr)
    timers_->cancel();
}

void cell::add_due(actor_timer& t) noexcept {
  t.due_ = detour_ = true;
  t.previous_due_ = due_tail_;
  t.next_due_ = nullptr;
  (due_tail_ != nullptr ? due_tail_->next_due_ : due_head_) = &t;
  due_tail_ = &t;
}

void cell::remove_due(actor_timer& t) noexcept {
  t.due_ = false;
  (t.previous_due_ != nullptr ? t.previous_due_->next_due_ : due_head_) = t.next_due_;
  (t.next_due_ != nullptr ? t.next_due_->previous_due_ : due_tail_) = t.previous_due_;
}

void cell::add_watcher(cell& watcher) {
  auto& r = rare();
  if (!r.watchers.emplace(watcher.id(), &watcher).second)
    return;
  watcher.retain();
  if (r.watchers.size() < r.prune_at)
    return;
  // A watcher that stops does not tell those whom it watched: at most half of the list are such ones.
  std::erase_if(r.watchers, [](const auto& entry) {
    const bool over = entry.second->lifecycle() == state::stopped;
    if (over)
      entry.second->release();
    return over;
  });
  r.prune_at = std::max<std::size_t>(64, 2 * r.watchers.size());
}

void cell::remove_watcher(const cell& watcher) noexcept {
  auto* i = incidents_.load(std::memory_order_acquire);
  if (i == nullptr)
    return;
  auto found = i->watchers.find(watcher.id());
  if (found == i->watchers.end())
    return;
  found->second->release();
  i->watchers.erase(found);
}

void cell::on_watched_stopped(const stopped& who) noexcept {
  if (type().on_stopped != nullptr && state_.load(std::memory_order_relaxed) < state::stopping)
    enqueue_local(make_envelope<stopped>(*type().on_stopped, who));
}

} // namespace troupe::detail
