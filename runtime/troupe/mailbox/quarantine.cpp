// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/mailbox/quarantine.hpp>
#include <troupe/mailbox/replayed.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe {

std::string to_string(const quarantined_message& m) {
  auto text = fmt::format("{}  {}  for {}, after {} attempt{}, {:%Y-%m-%d %H:%M:%S} UTC\n  {}\n", m.id, m.message_type,
                          m.receiver, m.attempts, m.attempts == 1 ? "" : "s",
                          std::chrono::time_point_cast<std::chrono::seconds>(m.since), m.exception);
  if (!m.payload.empty())
    text += fmt::format("  payload: {}\n", m.payload);
  if (!m.path.empty())
    text += fmt::format("  caused by: {}\n", fmt::join(m.path, " -> "));
  return text;
}

std::string to_string(const std::vector<quarantined_message>& all) {
  auto text = fmt::format("{} message{} in quarantine\n", all.size(), all.size() == 1 ? "" : "s");
  for (const auto& m : all)
    text += to_string(m);
  return text;
}

quarantine::~quarantine() {
  for (auto& x : entries_) {
    detail::destroy(x.message);
    x.receiver->release();
  }
}

std::vector<quarantined_message> quarantine::list() const {
  std::unique_lock guard{mutex_};
  std::vector<quarantined_message> result;
  result.reserve(entries_.size());
  for (const auto& x : entries_)
    result.push_back(x.about);
  return result;
}

std::size_t quarantine::size() const {
  std::unique_lock guard{mutex_};
  return entries_.size();
}

void quarantine::limit(std::size_t capacity) {
  std::unique_lock guard{mutex_};
  capacity_ = capacity;
}

bool quarantine::add(detail::cell& receiver, detail::envelope* e, quarantined_message about) {
  std::unique_lock guard{mutex_};
  if (entries_.size() >= capacity_)
    return false;
  about.id = ++last_id_;
  entries_.push_back({std::move(about), &receiver, e});
  receiver.retain();
  return true;
}

std::optional<quarantine::entry> quarantine::take(std::uint64_t id) {
  std::unique_lock guard{mutex_};
  const auto found = std::ranges::find(entries_, id, [](const entry& x) { return x.about.id; });
  if (found == entries_.end())
    return {};
  auto taken = std::move(*found);
  entries_.erase(found);
  return taken;
}

bool quarantine::replay(std::uint64_t id) {
  auto taken = take(id);
  if (!taken)
    return false;
  taken->message->attempts = 0;
  taken->message->mark |= detail::replayed_mark;
  taken->message->deadline = 0; // nobody waits for it any more
  if (!taken->receiver->try_enqueue(taken->message)) {
    std::unique_lock guard{mutex_};
    const auto later = std::ranges::find_if(entries_, [&](const entry& x) { return x.about.id > id; });
    entries_.insert(later, std::move(*taken));
    return false;
  }
  taken->receiver->release();
  return true;
}

bool quarantine::discard(std::uint64_t id) {
  const auto taken = take(id);
  if (!taken)
    return false;
  detail::destroy(taken->message);
  taken->receiver->release();
  return true;
}

} // namespace troupe
