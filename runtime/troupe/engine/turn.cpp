// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/cell.hpp>
#include <troupe/engine/incidents.hpp>
#include <troupe/engine/instruments.hpp>
#include <troupe/engine/suspension.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/engine/worker.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <utility>

namespace troupe::detail {

// -- the turn ----------------------------------------------------------------------------------------------------------

bool cell::at_work() const noexcept {
  const auto s = state_.load(std::memory_order_relaxed);
  return s == state::running || s == state::draining;
}

[[gnu::always_inline]] inline void cell::conclude_now(envelope* e) noexcept {
  const auto& type = *e->how->message;
  if (e->reply == nullptr && type.destroy == nullptr) [[likely]]
    block_pool::release(type.block_class, e);
  else
    detail::destroy(e);
  // release: whoever sees the figure sees what the handler did.
  handled_.store(handled_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void cell::conclude_handled(envelope* e) noexcept { conclude_now(e); }

[[gnu::always_inline]] inline bool cell::handle(envelope* e) noexcept {
  if (e->deadline != 0 && core_->has_passed(e->deadline)) [[unlikely]] {
    expire(e);
    return true;
  }
  engine::worker::note_handling();
  if (instruments_ != nullptr) [[unlikely]]
    return handle_observed(e);
  in_hand_ = e;
  handling_.store(e->how, std::memory_order_relaxed);
  suspension* s = nullptr;
  try {
    if (core_->meddled) [[unlikely]]
      core_->before_handling(*this, *e);
    s = e->how->invoke(*this, host_->object(), payload_of(*e, *e->how->message), *e);
  } catch (...) {
    in_hand_ = nullptr;
    handling_.store(nullptr, std::memory_order_relaxed);
    fail(e, std::current_exception());
    return true;
  }
  in_hand_ = nullptr;
  handling_.store(nullptr, std::memory_order_relaxed);
  if (s == nullptr) [[likely]]
    conclude_now(e);
  else
    suspend(e, s);
  return true;
}

bool cell::anything_waits() const noexcept { return local_head_ != nullptr || due_head_ != nullptr || depth() != 0; }

bool cell::close_if_empty() noexcept {
  return slides_ ? sliding_->close_if_empty(mailbox_) : mailbox_.close_if_empty();
}

/// One look at what a passive actor is to do. True: nothing, and the turn is over.
bool cell::lie_passive() noexcept {
  detour_ = true;
  if (anything_waits()) {
    activate();
    return false;
  }
  if (leaving_ ? close_if_empty() : rest()) {
    if (!leaving_) {
      current_ = nullptr;
      return true;
    }
    stop_now(exit_reason::normal, false);
    return false;
  }
  mailbox_.take_attention();
  return false;
}

namespace {

// Lingering pays where the partner's turn is short and answers. While it lasts, a message from elsewhere waits for the
// partner's turn, so a cell looks at the clock the first time, and then now and then.
constexpr std::uint8_t turns_without_lingering = 255; // after it did not pay
constexpr std::uint8_t lingers_between_looks = 31;
constexpr std::uint32_t lingering_max = 2'000; // ns

} // namespace

/// As `rest` or `block`, but it keeps the right to run, if that is likely to be needed again at once; see
/// `worker::linger`. After `true` the cell must not be touched.
[[gnu::always_inline]] inline bool cell::linger() noexcept {
  if (lingers_not_ != 0) {
    --lingers_not_;
    return false;
  }
  auto* here = engine::worker::current();
  if (here == nullptr || here->owner() != executor_) // a stepped system's, in a handler of another one
    return false;
  if (!here->may_linger())
    return false;
  if (lingers_unwatched_ != 0)
    --lingers_unwatched_;
  else
    lingers_since_ = static_cast<std::uint32_t>(core_->now_ns()) | 1;
  lingered_ = true;
  current_ = nullptr;
  here->linger(*this);
  return true;
}

/// A look at how long it has lingered.
void cell::judge_lingering() noexcept {
  if (static_cast<std::uint32_t>(core_->now_ns()) - std::exchange(lingers_since_, 0) > lingering_max)
    lingers_not_ = turns_without_lingering;
  else
    lingers_unwatched_ = lingers_between_looks;
}

engine::run_result cell::run() noexcept {
  current_ = this;
  unsigned messages = core_->turn_begins_at;
  unsigned look_at = 8;
  time_point first_look{};
  bool in_vain = false; // if nothing is found in the mailbox
  if (lingered_) {
    lingered_ = false;
    if (lingers_since_ != 0) [[unlikely]]
      judge_lingering();
    in_vain = handed_ == nullptr;
  }
  if (handed_ != nullptr)
    std::exchange(handed_, nullptr)->deliver(*this);
  for (;;) {
    envelope* e;
    if (!detour_ && control_.empty()) [[likely]] {
      e = mailbox_.pop();
      if (e == nullptr) {
        if (in_vain && messages == core_->turn_begins_at)
          lingers_not_ = turns_without_lingering;
        if (linger())
          return engine::run_result::idle;
        if (mailbox_.rest()) {
          current_ = nullptr;
          return engine::run_result::idle;
        }
        mailbox_.take_attention();
        continue;
      }
    } else {
      if (!control_.empty())
        serve_control();
      if (end_wanted_ && lane_holds_ == 0)
        normal_end();
      const auto s = state_.load(std::memory_order_relaxed);
      if (s == state::stopping)
        return retire();
      if (s == state::passive) {
        if (lie_passive())
          return engine::run_result::idle;
        continue;
      }
      const bool may_serve =
          at_work() && suspended_.load(std::memory_order_relaxed) < suspended_max_ && lane_holds_ == 0;
      detour_ = !may_serve || failed_ != nullptr || local_head_ != nullptr || due_head_ != nullptr || drain_wanted_ ||
                slides_;
      e = may_serve ? next_message() : nullptr;
      if (e == nullptr) {
        if (s == state::draining && may_serve && suspensions_ == nullptr) {
          stop_now(exit_reason::shutdown, true);
          continue;
        }
        if (in_vain && messages == core_->turn_begins_at)
          lingers_not_ = turns_without_lingering;
        if (s == state::running && linger())
          return engine::run_result::idle;
        // Draining, only suspended handlers are left: what came after the mark must not wake it, and is not to be served.
        if (may_serve && s != state::draining ? rest() : mailbox_.block()) {
          current_ = nullptr;
          return engine::run_result::idle;
        }
        mailbox_.take_attention();
        continue;
      }
    }
    if (!handle(e)) [[unlikely]]
      return engine::run_result::idle;
    // Fairness: give the worker back after so many messages, or so much time, looked at every few messages: the cheaper
    // they have been, the more.
    if (++messages == look_at) [[unlikely]] {
      if (messages >= core_->turn_messages_max)
        break;
      const auto now = core_->now();
      if (messages == 8)
        first_look = now;
      const auto used = now - first_look;
      if (used >= core_->turn_time_max)
        break;
      const bool cheap = messages > 8 && used / (messages - 8) < core_->turn_time_max / 256;
      look_at = std::min(messages + (cheap ? 32 : 8), std::max(core_->turn_messages_max, messages + 8));
    }
  }
  // One more turn only for what there is to do: a simulation counts them.
  const bool conducted_end = core_->conducted != nullptr && nothing_but_mailbox() && lane_holds_ == 0 &&
                             suspended_.load(std::memory_order_relaxed) < suspended_max_ &&
                             state_.load(std::memory_order_relaxed) == state::running;
  current_ = nullptr;
  return conducted_end && rest() ? engine::run_result::idle : engine::run_result::again;
}

bool cell::nothing_but_mailbox() const noexcept {
  return failed_ == nullptr && local_head_ == nullptr && due_head_ == nullptr && !slides_ && !drain_wanted_;
}

bool cell::rest() noexcept { return slides_ ? sliding_->rest(mailbox_) : mailbox_.rest(); }

void cell::serve_control() noexcept {
  for (auto* m = control_.take(); m != nullptr;)
    std::exchange(m, m->next_control)->deliver(*this);
}

namespace {

/// Then one message of the mailbox goes first: where a tick takes longer than its period, the next one is always due.
constexpr std::uint8_t ticks_in_a_row = 16;

} // namespace

envelope* cell::next_message() noexcept {
  if (failed_ != nullptr) [[unlikely]]
    return std::exchange(failed_, nullptr);
  if (local_head_ != nullptr) [[unlikely]] {
    auto* e = local_head_;
    local_head_ = e->next;
    return e;
  }
  if (due_head_ != nullptr && ticks_ < ticks_in_a_row) [[unlikely]]
    return next_tick();
  ticks_ = 0;
  envelope* e = nullptr;
  if (state_.load(std::memory_order_relaxed) != state::draining || taken() < drain_mark_)
    e = sliding_ != nullptr ? sliding_->pop() : mailbox_.pop();
  else if (suspensions_ == nullptr)
    return nullptr; // that is all, however many ticks come
  return e == nullptr && due_head_ != nullptr ? next_tick() : e;
}

/// Requires a timer that is due.
envelope* cell::next_tick() noexcept {
  auto& t = *due_head_;
  remove_due(t);
  ++ticks_;
  local_accepted_.store(local_accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  return t.receive();
}

void cell::suspend(envelope* e, suspension* s) noexcept {
  e->waits_in = s;
  s->message_ = e;
  s->previous_ = nullptr;
  s->next_ = suspensions_;
  if (suspensions_ != nullptr)
    suspensions_->previous_ = s;
  suspensions_ = s;
  suspended_.store(suspended_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  detour_ = true;
}

void cell::unlink_suspension(suspension& s) noexcept {
  (s.previous_ != nullptr ? s.previous_->next_ : suspensions_) = s.next_;
  if (s.next_ != nullptr)
    s.next_->previous_ = s.previous_;
  suspended_.store(suspended_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void cell::resume_with(std::coroutine_handle<> h, envelope* message, reply_slot& reply) noexcept {
  if (lane_holds_ == 0) [[likely]]
    return resume(h, message);
  reply.note_held();
  rare().held.push_back({h, message, &reply});
}

void cell::drop_held(const reply_slot& reply) noexcept {
  if (auto* i = incidents_.load(std::memory_order_acquire))
    std::erase_if(i->held, [&](const auto& h) { return h.reply == &reply; });
}

void cell::resume(std::coroutine_handle<> h, envelope* message) noexcept {
  if (core_->meddled && !core_->before_resuming(*this, *message)) [[unlikely]]
    return;
  in_hand_ = message;
  handling_.store(message->how, std::memory_order_relaxed);
  if (instruments_ == nullptr) [[likely]]
    h.resume();
  else
    resume_observed(h, message);
  in_hand_ = nullptr;
  handling_.store(nullptr, std::memory_order_relaxed);
  finish_if_ended(message);
  if (end_wanted_ && lane_holds_ == 0) [[unlikely]]
    normal_end();
}

void cell::resume_held() noexcept {
  auto* i = incidents_.load(std::memory_order_acquire);
  while (i != nullptr && lane_holds_ == 0 && !end_wanted_ && !i->held.empty()) {
    const auto next = i->held.front();
    i->held.pop_front();
    resume(next.rest, next.message);
  }
}

void cell::fail_suspended(envelope* e, std::exception_ptr why) noexcept {
  auto* s = e->waits_in;
  unlink_suspension(*s);
  s->dispose();
  forbid_resume();
  fail(e, std::move(why));
}

void cell::finish_if_ended(envelope* e) noexcept {
  auto* s = e->waits_in;
  if (!s->ended())
    return;
  unlink_suspension(*s);
  std::exception_ptr failure;
  try {
    s->conclude(*e);
  } catch (...) {
    failure = std::current_exception();
  }
  s->dispose();
  if (failure)
    return fail(e, std::move(failure));
  if (instruments_ != nullptr)
    instruments_->keep(*e->how, payload_of(*e, *e->how->message));
  conclude_handled(e);
}

void cell::enqueue_local(envelope* e) noexcept {
  local_accepted_.store(local_accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  e->next = nullptr;
  detour_ = true;
  if (local_head_ == nullptr)
    local_head_ = e;
  else
    local_tail_->next = e;
  local_tail_ = e;
}

// -- outcomes other than handled ---------------------------------------------------------------------------------------

void cell::expire(envelope* e) noexcept {
  note_letter(*e, dead_letter::cause::expired, {});
  settle(*e, errc::timed_out);
  detail::destroy(e);
  count(rare().expired);
}

void cell::drop(envelope* e, drop_reason why) noexcept {
  note_letter(*e, dead_letter::cause::dropped, why);
  if (e->reply != nullptr) {
    switch (why) {
      case drop_reason::stopped: settle(*e, errc::stopped, name() + " has stopped"); break;
      case drop_reason::restarted: settle(*e, errc::restarted, name() + " was restarted"); break;
      case drop_reason::resumed:
      case drop_reason::quarantine_full: settle(*e, errc::failed, describe(failure_)); break;
      case drop_reason::overflow:
      case drop_reason::overran: settle(*e, errc::dropped); break; // overran: its asker was told, and it is not here
    }
  }
  detail::destroy(e);
  count(rare().dropped);
}

namespace {

/// Who caused `e`, as far as requests lead back: the first cause first, the sender last.
std::vector<std::string> path_to(const envelope& e, bool is_signed, const system_core& core) {
  std::vector<std::string> path;
  const auto add = [&](std::string who, const handler* handled) {
    path.push_back(handled == nullptr ? std::move(who) : who + ", handling " + type_name(*handled->message->info));
  };
  if (e.reply != nullptr) {
    const auto* asker = e.reply->asker();
    const auto& causes = e.reply->causes();
    add(asker != nullptr ? asker->name() : "outside", causes.length != 0 ? causes.links[0].handled : nullptr);
    for (unsigned i = 1; i < causes.length; ++i) {
      const auto& c = causes.links[i];
      if (c.asker == nullptr)
        add("outside", nullptr);
      else if (auto name = core.names.path_of(c.id); !name.empty())
        add(std::move(name), c.handled);
      else
        add(type_name(*c.asker->info) + "#" + std::to_string(c.id), c.handled);
    }
  }
  if (path.empty() && is_signed && e.sender != 0)
    path.push_back("actor #" + std::to_string(e.sender));
  std::ranges::reverse(path);
  return path;
}

/// What the message's own `to_string` says, if it has one.
std::string payload_text(envelope& e) {
  const auto& type = *e.how->message;
  if (type.print == nullptr)
    return {};
  try {
    return type.print(payload_of(e, type));
  } catch (...) {
    return "its to_string has thrown " + describe(std::current_exception());
  }
}

} // namespace

void cell::quarantine(envelope* e) noexcept {
  quarantined_message about{.receiver = name(),
                            .message_type = type_name(*e->how->message->info),
                            .exception = describe(failure_),
                            .attempts = e->attempts,
                            .since = core_->through.clock->wall_now(),
                            .payload = payload_text(*e),
                            .path = path_to(*e, options_->spec.flight_recorder != 0, *core_)};
  supervision_event event{.supervisor = parent_ != nullptr ? parent_->name() : std::string{},
                          .what = supervision_event::kind::quarantined,
                          .why = about.exception,
                          .child = about.receiver,
                          .child_id = id_,
                          .message_type = about.message_type,
                          .attempt = e->attempts,
                          .at = core_->now()};
  // The asker is told last: who learns of the failure finds the message in the quarantine and in the books.
  auto* reply = std::exchange(e->reply, nullptr);
  if (!core_->quarantine.add(*this, e, std::move(about))) {
    e->reply = reply;
    return drop(e, drop_reason::quarantine_full);
  }
  count(rare().quarantined);
  if (reply != nullptr)
    reply->settle_error(errc::failed, event.why);
  if (core_->events.observed())
    core_->events.publish(event);
}

void cell::drop_suspended(drop_reason why) noexcept {
  if (auto* i = incidents_.load(std::memory_order_acquire))
    i->held.clear();
  while (suspensions_ != nullptr) {
    auto* s = suspensions_;
    auto* e = s->message_;
    unlink_suspension(*s);
    s->dispose();
    drop(e, why);
  }
}

} // namespace troupe::detail
