// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/observe/event.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

const char* to_string(delivery d) noexcept {
  switch (d) {
    case delivery::accepted: return "accepted";
    case delivery::dropped: return "dropped";
    case delivery::rejected: return "rejected";
    case delivery::stopped: return "stopped";
  }
  return "?";
}

const char* to_string(drop_reason r) noexcept {
  switch (r) {
    case drop_reason::overflow: return "overflow";
    case drop_reason::stopped: return "stopped";
    case drop_reason::restarted: return "restarted";
    case drop_reason::resumed: return "resumed";
    case drop_reason::quarantine_full: return "quarantine_full";
    case drop_reason::overran: return "overran";
  }
  return "?";
}

const char* to_string(dead_letter::cause c) noexcept {
  switch (c) {
    case dead_letter::cause::mailbox_full: return "mailbox_full";
    case dead_letter::cause::receiver_stopped: return "receiver_stopped";
    case dead_letter::cause::dropped: return "dropped";
    case dead_letter::cause::expired: return "expired";
    case dead_letter::cause::unavailable: return "unavailable";
    case dead_letter::cause::unhandled: return "unhandled";
  }
  return "?";
}

const char* to_string(supervision_event::kind k) noexcept {
  using kind = supervision_event::kind;
  switch (k) {
    case kind::started: return "started";
    case kind::failed: return "failed";
    case kind::restarted: return "restarted";
    case kind::resumed: return "resumed";
    case kind::quarantined: return "quarantined";
    case kind::stopped: return "stopped";
    case kind::gave_up: return "gave_up";
    case kind::escalated: return "escalated";
    case kind::stuck: return "stuck";
    case kind::overran: return "overran";
    case kind::replaced: return "replaced";
    case kind::returned: return "returned";
    case kind::questionable: return "questionable";
    case kind::rehearsed: return "rehearsed";
  }
  return "?";
}

std::string to_string(const supervision_event& e) {
  auto text = fmt::format("{}: {} {}", e.supervisor.empty() ? "root" : e.supervisor, e.child, to_string(e.what));
  if (!e.why.empty())
    text += ": " + e.why;
  if (!e.message_type.empty())
    text += fmt::format(" (handling {})", e.message_type);
  if (e.what == supervision_event::kind::restarted || e.what == supervision_event::kind::quarantined)
    text += fmt::format(" (attempt {})", e.attempt);
  if (e.delay.count() != 0)
    text += fmt::format(" after {}", readable(e.delay));
  if (!e.recent.empty())
    text += '\n' + to_string(e.recent, e.at);
  return text;
}

std::string to_string(const dead_letter& l) {
  const bool dropped = l.why == dead_letter::cause::dropped;
  return fmt::format("{}{}: {} for {}", to_string(l.why), dropped ? fmt::format(" ({})", to_string(l.reason)) : "",
                     l.message_type, l.receiver);
}

/// The lock makes "afterwards the subscriber is not called any more" true; it is recursive because a subscriber may
/// cause an event itself.
struct event_stream::subscription::entry {
  // -- guarded by mutex --
  std::recursive_mutex mutex;
  subscriber call; // empty once unsubscribed
  bool live = true;
  unsigned depth = 0; // calls on the way: a subscriber that unsubscribes itself is destroyed after it has returned
};

event_stream::subscription& event_stream::subscription::operator=(subscription&& other) noexcept {
  subscription old{std::move(*this)};
  entry_ = std::move(other.entry_);
  return *this;
}

event_stream::subscription::~subscription() {
  if (entry_ == nullptr)
    return;
  std::unique_lock guard{entry_->mutex};
  entry_->live = false;
  if (entry_->depth == 0)
    entry_->call = nullptr;
}

event_stream::subscription event_stream::subscribe(subscriber s) {
  auto e = std::make_shared<subscription::entry>();
  e->call = std::move(s);
  std::unique_lock guard{mutex_};
  std::erase_if(entries_, [](const auto& w) { return w.expired(); });
  entries_.push_back(e);
  count_.store(entries_.size(), std::memory_order_relaxed);
  return subscription{std::move(e)};
}

void event_stream::publish(const event& e) {
  std::vector<std::shared_ptr<subscription::entry>> live;
  {
    std::unique_lock guard{mutex_};
    std::erase_if(entries_, [](const auto& w) { return w.expired(); });
    count_.store(entries_.size(), std::memory_order_relaxed);
    for (const auto& w : entries_)
      if (auto s = w.lock())
        live.push_back(std::move(s));
  }
  for (const auto& s : live) {
    std::unique_lock guard{s->mutex};
    if (!s->live)
      continue;
    ++s->depth;
    s->call(e);
    if (--s->depth == 0 && !s->live)
      s->call = nullptr;
  }
}

} // namespace troupe
