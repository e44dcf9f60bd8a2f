// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/journal_mail.hpp>
#include <troupe/journal/journal_session.hpp>
#include <troupe/journal/kept_task.hpp>

#include <algorithm>
#include <utility>

namespace troupe::detail {

using namespace std::chrono_literals;

namespace {

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

} // namespace

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

void journal_session::replay(const std::function<void(const journal_record&)>& snapshot,
                             const std::function<void(const journal_record&)>& event) {
  replay_visitor v{snapshot, event};
  journal_->replay(v);
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
    if (e.due)
      check_timer(e);
    m.out.add(std::move(e), first, owner_.core().through.clock->wall_now());
  }
  pump();
}

/// That it can be handled once it is due.
void journal_session::check_timer(const owed_entry& e) const {
  const auto refuse = [&](const std::string& why) {
    throw recovery_error{"the journal " + key() + ", timer '" + e.timer + "', outbox entry " +
                         std::to_string(e.sequence) + ": " + why};
  };
  const auto* how = static_cast<const parcel_entry*>(nullptr);
  std::shared_ptr<const void> value;
  try {
    how = entry_for(type_, e.message, value);
  } catch (const journal_error& unreadable) {
    refuse(unreadable.what());
  }
  if (how == nullptr)
    refuse("a message that the actor does not handle: " + type_name(e.message));
}

void journal_session::prepare(const append_request& what, consequences& then, std::vector<outbound>& sends) {
  auto& m = letters();
  then.settled = m.unsaved;
  then.saved = m.unsaved.size();
  then.forgotten = m.handled.forgotten().size();
  then.handled = what.handled;
  std::size_t leaving = 0; // the outbox, with this record
  const auto settle_timer = [&](std::uint64_t sequence) {
    if (std::find(then.settled.begin() + static_cast<std::ptrdiff_t>(then.saved), then.settled.end(), sequence) !=
        then.settled.end())
      return; // it has fired, and is set anew
    then.settled.push_back(sequence);
    ++leaving;
  };
  if (what.handled != nullptr && what.handled->timer && m.out.find(what.handled->sequence) != nullptr) // not forgotten
    settle_timer(what.handled->sequence);
  if (what.sends == nullptr || what.sends->empty())
    return;
  const auto wall = owner_.core().through.clock->wall_now();
  if (last_sequence_ == 0) // nor is it known what a journal of that key had before it was erased, in a file of long ago
    last_sequence_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(wall.time_since_epoch()).count());
  const auto take_away = [&](const std::string& name) {
    if (const auto old = m.out.timer(name); old != 0)
      settle_timer(old);
    // One of the same record that has been replaced in the same record.
    std::erase_if(then.sends, [&](const auto& e) { return e.due && e.timer == name; });
  };
  for (const auto& o : *what.sends) {
    if (o.what != outgoing::kind::message)
      take_away(o.timer);
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
  if (const auto held = m.out.size() - leaving; !then.sends.empty() && held + then.sends.size() > unconfirmed_max_)
    throw rejected_record{"the outbox of " + key() + " holds " + std::to_string(held) +
                          " unconfirmed messages and timers, and may hold " + std::to_string(unconfirmed_max_)};
  for (const auto& e : then.sends)
    sends.push_back({e.sequence, e.target, {e.message.type, e.message.value.get()}, e.due, e.timer});
}

bool journal_session::append(const append_request& what, awaited_write& write) {
  try {
    return begin_append(what, write);
  } catch (const rejected_record&) {
    throw;
  } catch (...) {
    owner_.forbid_resume();
    throw;
  }
}

bool journal_session::begin_append(const append_request& what, awaited_write& write) {
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
    try {
      if (!failure && write.step != nullptr)
        write.step->apply();
    } catch (...) {
      broken_ = std::current_exception();
    }
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
  } catch (...) {
    owner_.note_failure("snapshot");
  }
}

void journal_session::erase() {
  if (pending_)
    throw usage_error{key() + " has a write under way: its journal cannot be forgotten before that has ended"};
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

void reject(envelope& e, const rejected_record& why) {
  if (e.reply == nullptr)
    throw why;
  std::exchange(e.reply, nullptr)->settle_error(errc::failed, why.what());
}

} // namespace troupe::detail
