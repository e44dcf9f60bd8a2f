// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/journal_mail.hpp>
#include <troupe/mailbox/replayed.hpp>
#include <troupe/observe/event.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <utility>

namespace troupe::detail {

using namespace std::chrono_literals;

namespace {

constexpr auto save_delay = 1s;         // acknowledgements wait so long for a record to go along with
constexpr std::size_t save_count = 128; // or for so many others
constexpr auto clock_check = 60s;       // the wall clock may be set while a timer waits

} // namespace

const parcel_entry* entry_for(const durable_type& type, const stored_message& m, std::shared_ptr<const void>& value) {
  for (const auto& p : type.parcels)
    if ((value = read_message(m, *p.type)) != nullptr)
      return &p;
  return nullptr;
}

journal_session::mail& journal_session::letters() {
  if (mail_ == nullptr)
    mail_ = std::make_unique<mail>(senders_max_);
  return *mail_;
}

/// Acknowledgements alone: nobody waits for that record. Once it has failed it is not tried again: it would fail at once,
/// and the actor that the next message makes has them sent to it again.
void journal_session::save_settled() {
  auto& m = *mail_;
  journal_append a{};
  a.settled = m.unsaved;
  awaited_write write;
  try {
    submit(a, write);
    m.unsaved.clear();
  } catch (...) {
    broken_ = std::current_exception();
  }
  write.release();
}

// -- parcels that come in ----------------------------------------------------------------------------------------------

bool journal_session::receive(const parcel_header& p) {
  auto& m = letters();
  if (m.is_under_way(p))
    return false;
  if (p.timer) {
    if (m.out.find(p.sequence) == nullptr)
      return false; // cancelled, or it has fired before
  } else {
    m.handled.arrived(owner_.taken());
    const auto highest = m.handled.last(p.from->key());
    if (p.sequence <= highest) {
      tell(p, verdict::handled);
      return false;
    }
    if (highest == 0 && (owner_.in_hand()->mark & replayed_mark) != 0) {
      // Handled since, perhaps, and its sender forgotten. Who still owes it sends it again.
      tell(p, verdict::full);
      return false;
    }
    if (p.before > highest) {
      tell(p, verdict::early);
      return false;
    }
    if (!m.handled.has_room_for(p.from->key())) {
      if (const auto now = owner_.core().now(); m.handled.wants_room(now))
        look_for_settled_senders(now);
      auto& events = owner_.core().events;
      if (events.observed())
        events.publish(dead_letter{dead_letter::cause::dropped, drop_reason::overflow,
                                   troupe::type_name(*owner_.in_hand()->how->message->info), key()});
      tell(p, verdict::full);
      return false;
    }
  }
  m.under_way.emplace_back(p.from.get(), p.sequence);
  return true;
}

/// What the store cannot tell now, it is asked later.
void journal_session::look_for_settled_senders(time_point now) {
  try {
    // In this order: a copy that was sent before its sender had settled the message is in the mailbox by now.
    const auto owing = owner_.core().journals->unsettled();
    mail_->handled.look(owing, owner_.accepted(), now);
  } catch (const journal_error&) {
    mail_->handled.put_off(now);
  }
}

void journal_session::give_up(const parcel_header& p) noexcept { mail_->end_under_way(p); }

/// Reaches whoever works under the sender's key now, if it is still the one that keeps the message in mind.
void journal_session::tell(const parcel_header& p, verdict v) const {
  const auto sender = p.from->live();
  if (sender.get() == nullptr)
    return; // it will ask again
  sender->send_control(make_control([from = p.from, sequence = p.sequence, v](cell& c) {
    auto* s = from->session();
    if (s != nullptr && &s->owner_ == &c && c.at_work())
      s->judged(sequence, v);
  }));
}

// -- the outbox --------------------------------------------------------------------------------------------------------

void journal_session::judged(std::uint64_t sequence, verdict v) {
  if (mail_ == nullptr)
    return;
  auto& m = *mail_;
  if (v == verdict::early)
    return m.out.early(sequence);
  const auto now = owner_.core().now();
  if (v == verdict::full) {
    m.out.refused(sequence, now);
    return arm();
  }
  if (!m.out.settle(sequence, now))
    return;
  if (m.unsaved.empty())
    m.save_at = now + save_delay;
  m.unsaved.push_back(sequence);
  if (m.unsaved.size() >= save_count && !pending_ && !broken_)
    save_settled();
  pump();
}

void journal_session::pump() {
  if (mail_ == nullptr)
    return;
  auto& m = *mail_;
  const auto now = owner_.core().now();
  for (const auto sequence : m.out.take_due(now, owner_.core().through.clock->wall_now()))
    deliver(sequence);
  if (!m.unsaved.empty() && now >= m.save_at && !pending_ && !broken_)
    save_settled();
  arm();
}

void journal_session::arm() {
  auto& m = *mail_;
  const auto now = owner_.core().now();
  auto next = m.out.next_attempt().value_or(time_point::max());
  if (const auto due = m.out.next_timer()) {
    const auto wall = owner_.core().through.clock->wall_now();
    const auto left = *due > wall ? std::min<std::chrono::nanoseconds>(*due - wall, clock_check) : 0ns;
    next = std::min(next, now + left);
  }
  if (!m.unsaved.empty() && !pending_ && !broken_)
    next = std::min(next, std::max(m.save_at, now));
  if (next == time_point::max() || (m.alarm != nullptr && m.alarm_at <= next))
    return;
  disarm();
  auto* alarm = new callback_timer{[this] {
    std::exchange(mail_->alarm, nullptr)->release();
    pump();
  }};
  alarm->start(owner_, next, 0ns, {});
  m.alarm = alarm;
  m.alarm_at = next;
}

void journal_session::disarm() noexcept {
  if (mail_ == nullptr || mail_->alarm == nullptr)
    return;
  mail_->alarm->cancel();
  std::exchange(mail_->alarm, nullptr)->release();
}

void journal_session::deliver(std::uint64_t sequence) {
  auto& m = *mail_;
  const auto* e = m.out.find(sequence);
  if (e->due) {
    std::shared_ptr<const void> value;
    if (const auto* how = entry_for(type_, e->message, value))
      owner_.enqueue_local(how->make({address_, sequence, 0, true}, value.get()));
    return;
  }
  switch (deliver_to_target(*e)) {
    case delivery::accepted:
    case delivery::dropped: return; // dropped by an overflow: it is sent again after a while
    case delivery::rejected:
    case delivery::stopped: return m.out.refused(sequence, owner_.core().now());
  }
}

delivery journal_session::deliver_to_target(const owed_entry& e) {
  const auto target = owner_.core().durable->at(e.target);
  for (;;) {
    const auto found = target->resolve();
    if (!found)
      return delivery::stopped;
    auto* letter = letter_for(e, *target->type());
    if (letter == nullptr) // another version of the program has sent it
      return delivery::stopped;
    if (const auto d = (*found)->offer(letter))
      return *d;
    destroy(letter); // it has stopped meanwhile, and there may be another one
  }
}

/// Null, and a dead letter, if the target does not know the message or cannot read it.
envelope* journal_session::letter_for(const owed_entry& e, const durable_type& target) const {
  try {
    std::shared_ptr<const void> value;
    if (const auto* how = entry_for(target, e.message, value))
      return how->make({address_, e.sequence, mail_->out.before(e.sequence), false}, value.get());
  } catch (const journal_error&) { // as below
  }
  auto& events = owner_.core().events;
  if (events.observed())
    events.publish(dead_letter{dead_letter::cause::unhandled, {}, type_name(e.message), e.target});
  return nullptr;
}

bool journal_session::owes_now() const noexcept { return pending_ || (mail_ != nullptr && !mail_->out.only_timers()); }

std::optional<wall_time_point> journal_session::next_timer() const {
  return mail_ == nullptr ? std::nullopt : mail_->out.next_timer();
}

std::size_t journal_session::senders() const noexcept { return mail_ == nullptr ? 0 : mail_->handled.size(); }

std::size_t journal_session::owed() const noexcept { return mail_ == nullptr ? 0 : mail_->out.size(); }

bool journal_session::quiet(bool pressed) {
  if (pending_)
    return false;
  if (mail_ == nullptr)
    return true;
  if (!mail_->under_way.empty() || !(mail_->out.only_timers() || (pressed && mail_->out.only_refused())))
    return false;
  if (!mail_->unsaved.empty())
    save_settled();
  if (pending_)
    return false;
  disarm();
  return true;
}

} // namespace troupe::detail
