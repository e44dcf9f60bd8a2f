// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/handled_senders.hpp>
#include <troupe/journal/journal_session.hpp>
#include <troupe/journal/kept_task.hpp>
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

class replay_visitor final : public journal_visitor {
public:
  using on_record = std::function<void(const journal_record&)>;
  replay_visitor(const on_record& snapshot, const on_record& event) : snapshot_{snapshot}, event_{event} {}

  void snapshot(const journal_record& state) override { snapshot_(state); }
  void event(const journal_record& e) override { event_(e); }
  void handled(const inbound& last) override { handled_.emplace_back(last.sender, last.sequence); }
  void last_sent(std::uint64_t sequence) override { last_sent_ = sequence; }
  void unsettled(const outbound& e) override {
    stored_message m;
    if (e.message.type != nullptr)
      m = {e.message.type, e.message.type->copy(e.message.value), {}, 0, {}};
    else
      m = {nullptr, nullptr, std::string{e.written.type}, e.written.version, std::string{e.written.data}};
    owed_.push_back({e.sequence, std::string{e.target}, std::move(m), e.due, std::string{e.timer}});
  }

  std::vector<std::pair<std::string, std::uint64_t>> handled_;
  std::vector<owed_entry> owed_;
  std::uint64_t last_sent_ = 0;

private:
  const on_record& snapshot_;
  const on_record& event_;
};

/// `delay` after `wall`, or, where the calendar ends before, then.
wall_time_point due_in(std::chrono::nanoseconds delay, wall_time_point wall) {
  const auto d = std::chrono::duration_cast<wall_time_point::duration>(delay);
  return d > wall_time_point::max() - wall ? wall_time_point::max() : wall + d;
}

/// What `type` makes of a message that it has sent or kept; null: it has no such message.
const parcel_entry* entry_for(const durable_type& type, const stored_message& m, std::shared_ptr<const void>& value) {
  for (const auto& p : type.parcels)
    if ((value = read_message(m, *p.type)) != nullptr)
      return &p;
  return nullptr;
}

} // namespace

/// Whose parcels were handled, and what is owed to others.
struct journal_session::mail {
  explicit mail(std::size_t senders_max) : handled{senders_max} {}

  handled_senders handled;
  std::vector<std::pair<const durable_address*, std::uint64_t>> under_way;
  outbox out;
  std::vector<std::uint64_t> unsaved; // settled, which the journal does not know yet
  time_point save_at{};               // when that is to be written at the latest
  actor_timer* alarm = nullptr;       // counted
  time_point alarm_at{};

  bool is_under_way(const parcel_header& p) const {
    return std::ranges::find(under_way, std::pair{static_cast<const durable_address*>(p.from.get()), p.sequence}) !=
           under_way.end();
  }
  void end_under_way(const parcel_header& p) noexcept {
    std::erase(under_way, std::pair{static_cast<const durable_address*>(p.from.get()), p.sequence});
  }
};

// -- one append -------------------------------------------------------------------------------------------------------

void awaited_write::await(std::coroutine_handle<> h, envelope* on_behalf_of) {
  shared_->waiter = h;
  shared_->message = on_behalf_of;
}

void awaited_write::release_to(std::unique_ptr<abandoned_step> step) noexcept {
  shared_->abandoned = true;
  shared_->step = std::move(step);
  shared_.reset();
}

void awaited_write::state::send(std::shared_ptr<state> s, cell& to, std::exception_ptr failure) noexcept {
  auto& message = *s;
  message.failure = std::move(failure);
  message.self = std::move(s);
  to.send_control(&message);
}

void awaited_write::state::deliver(cell& to) noexcept {
  const auto kept = std::move(self);
  const auto how = std::exchange(failure, nullptr);
  to.hold_lane(-1);
  ended = true;
  if (session != nullptr)
    session->written(kept, how);
  step.reset();
  to.resume_held();
}

void awaited_write::state::refuse(cell&) noexcept {
  const auto kept = std::move(self); // perhaps the last to do so
  step.reset();
}

journal_session::journal_session(cell& owner, const std::string& key, std::span<const journal_type* const> types,
                                 const durable_type& type, std::size_t unconfirmed_max, std::size_t senders_max)
    : owner_{owner}, type_{type}, address_{owner.core().durable->at(key)},
      journal_{owner.core().journals->open(key, types)}, unconfirmed_max_{unconfirmed_max}, senders_max_{senders_max} {
  address_->occupy(owner, *this, type);
}

journal_session::~journal_session() {
  address_->vacate(*this);
  disarm();
  if (in_flight_ != nullptr)
    in_flight_->session = nullptr;
  if (ended_ != nullptr)
    *ended_ = true;
}

journal_session::mail& journal_session::letters() {
  if (mail_ == nullptr)
    mail_ = std::make_unique<mail>(senders_max_);
  return *mail_;
}

void journal_session::replay(const std::function<void(const journal_record&)>& snapshot,
                             const std::function<void(const journal_record&)>& event) {
  replay_visitor v{snapshot, event};
  try {
    journal_->replay(v);
  } catch (const recovery_error&) {
    throw;
  } catch (const journal_error& e) {
    throw recovery_error{e.what()};
  }
  last_sequence_ = v.last_sent_;
  if (v.handled_.empty() && v.owed_.empty())
    return;
  auto& m = letters();
  for (auto& [sender, sequence] : v.handled_)
    m.handled.note(sender, sequence);
  // What an earlier incarnation has sent a moment ago is most likely still on its way; and what made that one fail must
  // not make this one fail at once.
  const auto first = owner_.core().now() + (owner_.incarnation() == 0 ? 0s : redeliver_first);
  for (auto& e : v.owed_) {
    std::shared_ptr<const void> value;
    if (e.due && entry_for(type_, e.message, value) == nullptr)
      throw recovery_error{"the journal " + key() + " holds a timer, outbox entry " + std::to_string(e.sequence) +
                           ", with a message that the actor does not handle: " + type_name(e.message)};
    m.out.add(std::move(e), first, owner_.core().through.clock->wall_now());
  }
  pump();
}

void journal_session::prepare(const append_request& what, consequences& then, std::vector<outbound>& sends) {
  auto& m = letters();
  const auto wanted = what.sends != nullptr ? what.sends->size() : 0;
  if (wanted != 0 && m.out.size() + wanted > unconfirmed_max_)
    throw rejected_record{"the outbox of " + key() + " holds " + std::to_string(m.out.size()) +
                          " unconfirmed messages and timers, and may hold " + std::to_string(unconfirmed_max_)};
  then.settled = m.unsaved;
  then.saved = m.unsaved.size();
  then.forgotten = m.handled.forgotten().size();
  then.handled = what.handled;
  if (what.handled != nullptr && what.handled->timer && m.out.find(what.handled->sequence) != nullptr) // not forgotten
    then.settled.push_back(what.handled->sequence);
  if (wanted == 0)
    return;
  const auto wall = owner_.core().through.clock->wall_now();
  if (last_sequence_ == 0) // nor is it known what a journal of that key had before it was erased, in a file of long ago
    last_sequence_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(wall.time_since_epoch()).count());
  const auto settle_timer = [&](const std::string& name) {
    if (const auto old = m.out.timer(name); old != 0)
      then.settled.push_back(old);
    // One of the same record that has been replaced in the same record.
    std::erase_if(then.sends, [&](const auto& e) { return e.due && e.timer == name; });
  };
  for (const auto& o : *what.sends) {
    if (o.what != outgoing::kind::message)
      settle_timer(o.timer);
    if (o.what == outgoing::kind::cancel)
      continue;
    owed_entry e{++last_sequence_, o.target, o.message, std::nullopt, o.timer};
    if (o.what == outgoing::kind::timer) {
      e.target = key();
      const auto* delay = std::get_if<std::chrono::nanoseconds>(&o.when);
      e.due = delay != nullptr ? due_in(*delay, wall) : std::get<wall_time_point>(o.when);
    }
    then.sends.push_back(std::move(e));
  }
  for (const auto& e : then.sends)
    sends.push_back({e.sequence, e.target, {e.message.type, e.message.value.get()}, e.due, e.timer});
}

bool journal_session::append(const append_request& what, awaited_write& write) {
  if (broken_)
    std::rethrow_exception(broken_);
  journal_append a{};
  a.events = what.events;
  std::vector<outbound> sends;
  if (mail_ != nullptr || what.handled != nullptr || (what.sends != nullptr && !what.sends->empty())) {
    write.then_ = std::make_unique<consequences>();
    prepare(what, *write.then_, sends);
    if (what.handled != nullptr && !what.handled->timer)
      a.handled = inbound{what.handled->from->key(), what.handled->sequence};
    a.sends = sends;
    a.settled = write.then_->settled;
    a.forgotten = mail_->handled.forgotten();
  }
  return submit(a, write);
}

bool journal_session::submit(const journal_append& a, awaited_write& write) {
  // Made only by a store that does not write at once.
  const auto completion = [this, &write]() -> journal::completion {
    if (spare_ == nullptr || spare_.use_count() > 1) // who else has held it has touched nothing of it
      spare_ = std::make_shared<awaited_write::state>();
    spare_->ended = spare_->abandoned = false;
    spare_->waiter = nullptr;
    spare_->message = nullptr;
    spare_->session = this;
    write.shared_ = spare_;
    return [owner = cell_pointer{owner_}, shared = spare_](std::exception_ptr failure) mutable {
      awaited_write::state::send(std::move(shared), *owner, std::move(failure));
    };
  };
  if (journal_->append(a, completion) == journal::status::durable)
    return true;
  pending_ = true;
  in_flight_ = write.shared_;
  owner_.hold_lane(+1);
  return false;
}

/// An append has ended that was pending. Whoever goes on may end the object, and this session with it.
void journal_session::written(const std::shared_ptr<awaited_write::state>& shared, const std::exception_ptr& failure) {
  pending_ = false;
  in_flight_.reset();
  bool ended = false;
  ended_ = &ended;
  go_on_after(*shared, failure);
  while (!ended && !pending_ && !queue_.empty() && owner_.at_work()) {
    auto* next = queue_.front();
    queue_.erase(queue_.begin());
    next->begin();
  }
  if (!ended)
    ended_ = nullptr;
}

void journal_session::go_on_after(awaited_write::state& write, const std::exception_ptr& failure) {
  if (failure && (write.abandoned || write.message == nullptr))
    broken_ = failure; // it is for the next one to fail
  if (write.abandoned) {
    if (!failure && write.step != nullptr)
      write.step->apply();
    return;
  }
  if (failure && write.message != nullptr)
    owner_.fail_suspended(write.message, failure);
  else if (write.waiter)
    owner_.resume(write.waiter, write.message);
  else if (write.message != nullptr)
    owner_.finish_if_ended(write.message);
}

void journal_session::follow(consequences& then) {
  auto& m = letters();
  const auto now = owner_.core().now();
  m.unsaved.erase(m.unsaved.begin(), m.unsaved.begin() + static_cast<std::ptrdiff_t>(then.saved));
  m.handled.saved(then.forgotten);
  for (auto i = then.saved; i < then.settled.size(); ++i)
    m.out.settle(then.settled[i], now);
  if (const auto* p = then.handled) {
    m.end_under_way(*p);
    if (!p->timer) {
      m.handled.note(p->from->key(), p->sequence);
      tell(*p, verdict::handled);
      if (m.handled.wants_look())
        look_for_settled_senders(now);
    }
  }
  for (auto& e : then.sends)
    m.out.add(std::move(e), now);
  pump();
}

void journal_session::fault_point() {
  const auto& faults = owner_.core().faults;
  if (faults == nullptr) [[likely]]
    return;
  try {
    faults->recorded();
  } catch (...) {
    owner_.forbid_resume(); // the object does not have what is kept
    throw;
  }
}

void journal_session::snapshot(const journal_record& state) {
  since_snapshot_ = 0;
  try {
    journal_->snapshot(state);
  } catch (const rejected_record&) {
    owner_.note_failure("snapshot");
  }
}

void journal_session::erase() {
  if (mail_ != nullptr) {
    if (const auto n = mail_->out.messages(); n != 0)
      throw usage_error{key() + " still owes " + std::to_string(n) + " messages: its journal cannot be forgotten"};
    disarm();
    mail_->out = {};
    mail_->unsaved.clear();
  }
  journal_->erase();
  since_snapshot_ = 0;
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

bool journal_session::quiet() {
  if (pending_)
    return false;
  if (mail_ == nullptr)
    return true;
  if (!mail_->out.only_timers() || !mail_->under_way.empty())
    return false;
  if (!mail_->unsaved.empty())
    save_settled();
  if (pending_)
    return false;
  disarm();
  return true;
}

void reject(envelope& e, const rejected_record& why) {
  if (e.reply == nullptr)
    throw why;
  std::exchange(e.reply, nullptr)->settle_error(errc::failed, why.what());
}

} // namespace troupe::detail
