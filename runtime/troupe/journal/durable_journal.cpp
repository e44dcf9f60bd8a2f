// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/durable_journal.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace troupe {

durable_journal::durable_journal(std::shared_ptr<durable_store> store, row_codec codec)
    : store_{std::move(store)}, codec_{std::move(codec)} {}

namespace {

/// What an append is made of before it is copied in one piece. Keeps its room from append to append.
struct draft {
  std::vector<record_row> events;
  std::vector<outbox_row> sends;
  std::vector<std::string_view> forgotten;
  std::vector<json_text> texts; // of events and sends

  /// For `n` rows, whose texts then stay where they are.
  void begin(std::size_t n) {
    events.clear();
    sends.clear();
    if (texts.size() < n)
      texts.resize(n);
  }
};

thread_local draft drafted;

} // namespace

journal::status durable_journal::append(const journal_append& a, const std::function<completion()>& done) {
  if (!a.handled && a.events.empty() && a.sends.empty() && a.settled.empty() && a.forgotten.empty())
    return status::durable;
  begin_write();
  const auto time = now();
  auto& d = drafted;
  d.begin(a.events.size() + a.sends.size());
  auto text = d.texts.begin();
  journal_change c{.key = codec_.key()};
  for (const auto& e : a.events)
    d.events.push_back(codec_.encode(e, last_event_ + d.events.size() + 1, time, *text++));
  auto sent = last_sent_;
  for (const auto& s : a.sends) {
    d.sends.push_back(codec_.encode(s, time, *text++));
    sent = std::max(sent, s.sequence);
  }
  if (a.handled)
    c.handled = codec_.encode(*a.handled);
  c.events = d.events;
  c.sends = d.sends;
  c.settled = a.settled;
  d.forgotten.assign(a.forgotten.begin(), a.forgotten.end());
  c.forgotten = d.forgotten;
  if (!listed_ || sent != last_sent_)
    c.last_sent = sent;
  c.first = !listed_;

  // From here on only the disk can refuse.
  const auto own_thread = !store_->writer_.has_thread();
  std::exception_ptr refused;
  auto completed = own_thread ? completion{[&refused](std::exception_ptr e) { refused = std::move(e); }} : done();
  submit(c, std::move(completed));
  last_event_ += d.events.size();
  last_sent_ = sent;
  listed_ = true;
  if (refused)
    std::rethrow_exception(refused);
  return own_thread ? status::durable : status::pending;
}

void durable_journal::snapshot(const journal_record& state) {
  begin_write();
  json_text text;
  journal_change c{.key = codec_.key()};
  c.snapshot = codec_.encode(state, last_event_, now(), text);
  if (!listed_)
    c.last_sent = last_sent_;
  c.first = !listed_;
  c.other_snapshot = last_snapshot_;
  if (store_->options_.drop_history && last_snapshot_.value_or(0) > 0)
    c.drop_events_to = last_snapshot_;
  listed_ = true;
  last_snapshot_ = last_event_;
  submit(c);
}

void durable_journal::erase() {
  if (!located_)
    locate();
  store_->erased_.raise(last_sent_);
  forget();
  last_snapshot_ = 0;
  located_ = true;
  submit({.key = codec_.key(), .erase = true});
}

void durable_journal::replay(journal_visitor& v) {
  const auto reader = locate();
  const auto start = listed_ ? replay_snapshot(*reader, v) : 0;
  if (listed_)
    replay_events(*reader, v, start);
  if (reader != nullptr)
    replay_exchange(*reader, v);
  else
    v.last_sent(store_->erased_.value());
  last_snapshot_ = start;
  if (state_ != nullptr)
    state_->uncertain.store(false, std::memory_order_relaxed); // the writer has nothing of this journal any more
}

/// Finds out how far the journal goes, after its last write has ended. Null: there is nothing to look at.
std::shared_ptr<journal_reader> durable_journal::locate() {
  forget();
  located_ = state_ == nullptr && !store_->may_hold(codec_.key());
  if (located_)
    return nullptr;
  if (state_ == nullptr)
    state_ = store_->held_state(codec_.key());
  if (state_ != nullptr)
    store_->writer_.wait(state_->ticket.load(std::memory_order_acquire));
  auto reader = store_->database_->read();
  if (const auto head = reader->head(codec_.key())) {
    if (const auto fault = fault_of(codec_.key(), *head); !fault.empty())
      throw recovery_error{codec_.where() + ", its row in journals: " + fault};
    listed_ = true;
    last_event_ = head->last_event;
    last_sent_ = head->last_sent;
  }
  located_ = true;
  return reader;
}

open_journal& durable_journal::state() {
  if (state_ == nullptr)
    state_ = store_->state_of(codec_.key());
  return *state_;
}

void durable_journal::begin_write() {
  if (state().uncertain.load(std::memory_order_acquire))
    throw journal_error{codec_.where() + ": its last write failed; nothing can be added until it has been read again"};
  if (!located_)
    locate();
}

void durable_journal::submit(const journal_change& c, completion done) {
  auto w = journal_write::of(c);
  auto& s = state();
  w->journal = state_;
  w->done = std::move(done);
  s.ticket.store(store_->writer_.submit(std::move(w)), std::memory_order_release);
}

/// Shows the latest snapshot that can be read. Returns the last event that it includes, 0 if there is none.
std::uint64_t durable_journal::replay_snapshot(journal_reader& r, journal_visitor& v) const {
  std::optional<row_codec::decoded> found;
  std::uint64_t at = 0;
  std::string fault;
  r.snapshots(codec_.key(), [&](const record_row& row) {
    try {
      found = codec_.decode("snapshot", row);
      at = row.sequence;
      return false;
    } catch (const journal_error& e) {
      fault = e.what();
      if (store_->options_.report)
        store_->options_.report(fault + "; it is passed over");
      return true;
    }
  });
  if (found)
    v.snapshot(found->record());
  else if (!fault.empty() && last_event_ == 0)
    throw recovery_error{fault + "; and there is nothing else"};
  return at;
}

void durable_journal::replay_events(journal_reader& r, journal_visitor& v, std::uint64_t after) const {
  const auto missing = [&](std::uint64_t first, std::uint64_t last) {
    throw recovery_error{codec_.where() + ": the events " + std::to_string(first) + " to " + std::to_string(last) +
                         " are missing, and no snapshot that can be read includes them"};
  };
  auto next = after + 1;
  r.events(codec_.key(), after, [&](const record_row& row) {
    if (row.sequence != next)
      missing(next, row.sequence - 1);
    v.event(codec_.decode("event", row).record());
    ++next;
    return true;
  });
  if (next <= last_event_)
    missing(next, last_event_);
}

void durable_journal::replay_exchange(journal_reader& r, journal_visitor& v) const {
  r.handled(codec_.key(), [&](const handled_row& row) {
    if (const auto fault = fault_of(codec_.key(), row); !fault.empty())
      throw recovery_error{codec_.where() + ", what was handled of '" + std::string{row.sender} + "': " + fault};
    v.handled({row.sender, row.sequence});
    return true;
  });
  v.last_sent(std::max(last_sent_, store_->erased_.value()));
  r.outbox(codec_.key(), [&](const outbox_row& row) {
    const auto message = codec_.decode(row);
    std::optional<wall_time_point> due;
    if (row.due)
      due = time_of(*row.due);
    v.unsettled({row.message.sequence,
                 row.target,
                 message.record(),
                 due,
                 row.timer,
                 {row.message.type, row.message.version, row.message.data}});
    return true;
  });
}

row_time durable_journal::now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(store_->options_.clock->wall_now().time_since_epoch())
      .count();
}

void durable_journal::forget() noexcept {
  listed_ = false;
  last_event_ = last_sent_ = 0;
  last_snapshot_.reset();
}

} // namespace troupe
