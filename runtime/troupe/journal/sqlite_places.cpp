// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_places.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

void sqlite_places::load(sqlite_connection& c) {
  sqlite_statement settled{c, ("SELECT " + std::string{sqlite_placed_to}).c_str()};
  settled.step();
  const auto from = settled.count(0);
  settled.reset();
  sqlite_place_table kept{c};
  sqlite_statement row{c, "SELECT 1 FROM events WHERE number = ? AND journal = ?"};
  const auto is_there = [&](std::uint64_t number, const std::string& key) {
    const sqlite_reset after{row};
    return row.bind(number, key).step();
  };
  last_ = moved_from_ = from;
  sqlite_statement events{c, "SELECT number, journal, previous, sequence FROM events WHERE number > ? ORDER BY number"};
  std::vector<std::string> cut; // journals whose first events were dropped, so that they must have a snapshot
  // A journal that is not in the table has all its rows here, or the table is damaged: then the first row has one before it.
  const auto place_of = [&](const std::string& key) -> sqlite_place& {
    if (const auto found = moved_.find(key); found != moved_.end())
      return found->second.at;
    const auto at = kept.written(key);
    return added(key, {at.value_or(sqlite_place{}), at.has_value()}).at;
  };
  for (events.bind(from); events.step(); last_ = std::max(last_, events.count(0))) {
    const std::string key{events.text(1)};
    auto& at = place_of(key);
    const auto previous = events.count(2);
    if (previous == 0 && events.count(3) > 1 && at.snapshot == 0)
      cut.push_back(key);
    if (previous == at.event || (previous == 0 && !is_there(at.event, key))) // 0: those before were dropped
      at.event = events.count(0);
    else if (at.event < events.count(0))
      at = kept.search(key); // some row is not where it was written
  }
  sqlite_statement snapshots{c, "SELECT number, journal FROM snapshots WHERE number > ? ORDER BY number"};
  for (snapshots.bind(from); snapshots.step(); last_ = std::max(last_, snapshots.count(0))) {
    auto& at = entry_of(std::string{snapshots.text(1)}, kept).at; // its events may be older
    at.snapshot = std::max(at.snapshot, snapshots.count(0));
  }
  for (const auto& key : cut)
    if (auto& at = moved_.find(key)->second.at; at.snapshot == 0)
      at = kept.search(key);
}

std::optional<sqlite_place> sqlite_places::find(const std::string& key) const {
  std::unique_lock held{mutex_};
  if (const auto found = moved_.find(key); found != moved_.end())
    return found->second.at;
  if (const auto found = leaving_.find(key); found != leaving_.end())
    return found->second.at;
  return {};
}

/// Its entry in moved_, made if there is none. It stays where it is until places are written down.
sqlite_places::entry& sqlite_places::entry_of(const std::string& key, sqlite_place_table& known) {
  if (const auto found = moved_.find(key); found != moved_.end()) // no lock: nobody else changes it
    return found->second;
  if (const auto before = find(key))
    return added(key, {*before, true});
  return added(key, {known.find(key), known.listed(key)});
}

/// The same for an open journal, whose place is in mind from then on.
sqlite_places::entry& sqlite_places::entry_of(const std::string& key, open_journal& open, bool fresh,
                                              sqlite_place_table& known) {
  const bool in_mind = std::exchange(open.placed, true);
  if (!in_mind && !fresh) {
    publish(); // the transaction may have moved it before
    auto& e = entry_of(key, known);
    open.at = exact(e);
    e.gone = false;
    return e;
  }
  if (!in_mind)
    open.at = {};
  const auto found = moved_.find(key);
  if (found == moved_.end())
    return added(key, {open.at, !fresh});
  found->second.gone = false;
  return found->second;
}

sqlite_places::entry& sqlite_places::added(const std::string& key, const entry& e) {
  std::unique_lock held{mutex_};
  return moved_.emplace(key, e).first->second;
}

/// Where the writer is, of an entry that shows all that has changed.
sqlite_place sqlite_places::exact(const entry& e) const {
  auto at = e.at;
  for (const auto& [shown, row] : ended_)
    if (shown == &e.at) {
      at.event = at.event == row.event ? 0 : at.event;
      at.snapshot = at.snapshot == row.snapshot ? 0 : at.snapshot;
    }
  return at;
}

void sqlite_places::settle(std::string_view key, open_journal& open, sqlite_place_table& known) {
  if (open.placed)
    return;
  publish();
  const std::string name{key};
  if (const auto found = moved_.find(name); found != moved_.end())
    open.at = exact(found->second);
  else if (const auto leaving = find(name))
    open.at = *leaving;
  else if (const auto written = known.written(key))
    open.at = *written;
  else if (known.listed(key))
    open.at = added(name, {known.search(key), true}).at;
  else
    return; // it holds nothing yet
  open.placed = true;
}

void sqlite_places::forget(std::string_view key) {
  const std::string gone{key};
  ++count_; // whoever comes next sees that it is gone
  for (auto* entries : {&moved_, &leaving_})
    if (const auto found = entries->find(gone); found != entries->end()) {
      found->second.gone = true;
      found->second.listed = false;
    }
  forgotten_.push_back(gone);
}

/// Where there is no row any more, `next` goes on naming the last one until the commit.
void sqlite_places::end(sqlite_place* shown, sqlite_place& next) {
  const sqlite_place last{next.event == 0 ? shown->event : 0, next.snapshot == 0 ? shown->snapshot : 0};
  ended_.push_back({shown, last});
  next = {next.event + last.event, next.snapshot + last.snapshot}; // one of each two is 0
}

void sqlite_places::publish() {
  if (shown_ == changed_.size())
    return;
  std::unique_lock held{mutex_};
  for (; shown_ < changed_.size(); ++shown_) {
    auto& [shown, other] = changed_[shown_];
    const auto before = *shown;
    if ((other.event == 0 && before.event != 0) || (other.snapshot == 0 && before.snapshot != 0))
      end(shown, other);
    *shown = other;
    other = before;
  }
}

void sqlite_places::committed() {
  for (auto n = 2 * changed_.size() + few; n > 0 && !spent_.empty(); --n) // all at once would hold up the writer
    spent_.erase(spent_.begin());
  changed_.clear();
  shown_ = 0;
  const bool all_written = !order_.empty() && written_ == order_.size();
  if (all_written)
    spent_.clear();
  if (all_written || !ended_.empty() || !forgotten_.empty()) {
    std::unique_lock held{mutex_};
    generation_.fetch_add(1, std::memory_order_release);
    for (const auto& [shown, row] : ended_) { // numbers are not given twice: a later row has another one
      shown->event = shown->event == row.event ? 0 : shown->event;
      shown->snapshot = shown->snapshot == row.snapshot ? 0 : shown->snapshot;
    }
    if (all_written)
      leaving_.swap(spent_);
    for (const auto& key : forgotten_) // as long as it is in leaving_, this one stands before that
      if (const auto found = moved_.find(key); found != moved_.end() && found->second.gone && !leaving_.contains(key))
        moved_.erase(found);
    held.unlock();
    ended_.clear();
    forgotten_.clear();
  }
  if (all_written) {
    order_.clear();
    written_ = 0;
    moved_from_ = leaving_to_;
  }
  if (order_.empty() && !moved_.empty() && last_ - moved_from_ >= rows_between_)
    begin_writing();
}

void sqlite_places::withdraw() {
  {
    std::unique_lock held{mutex_};
    for (; shown_ > 0; --shown_)
      *changed_[shown_ - 1].shown = changed_[shown_ - 1].other;
  }
  changed_.clear();
  ended_.clear();
  forgotten_.clear();
}

void sqlite_places::write_down_all(sqlite_connection& c) {
  if (!order_.empty()) { // those first: the rest is newer
    write_some(c, order_.size());
    committed();
  }
  if (order_.empty())
    begin_writing();
  write_some(c, order_.size());
}

/// Of what is committed.
void sqlite_places::begin_writing() {
  ++count_;
  {
    std::unique_lock held{mutex_};
    leaving_.swap(moved_);
  }
  leaving_to_ = last_;
  // Of a commit; or, when the file was opened after a kill, of who added rows before.
  const auto late = last_ - moved_from_ - rows_between_;
  pace_ = late < rows_between_ / 2 ? rows_between_ / 2 - late : 0;
  order_.reserve(leaving_.size());
  for (const auto& x : leaving_)
    order_.push_back(&x);
  sorted_ = 0;
  bounds_ = {order_.size()};
}

/// No more than is needed now: all at once would hold up the writer.
void sqlite_places::sort_to(std::size_t end) {
  constexpr std::size_t piece = 1'024;
  const auto at = [this](std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto less = [](const auto* a, const auto* b) { return a->first < b->first; };
  while (sorted_ < end) {
    const auto bound = bounds_.back();
    if (bound - sorted_ > piece) {
      bounds_.push_back(sorted_ + (bound - sorted_) / 4);
      std::nth_element(at(sorted_), at(bounds_.back()), at(bound), less);
    } else {
      std::sort(at(sorted_), at(bound), less);
      sorted_ = bound;
      bounds_.pop_back();
    }
  }
}

void sqlite_places::write_down(sqlite_connection& c) {
  const auto rows = last_ - leaving_to_;
  const auto due = rows < pace_ ? order_.size() * rows / pace_ : order_.size();
  if (due == order_.size() || due >= written_ + few)
    write_some(c, due - written_);
}

void sqlite_places::write_some(sqlite_connection& c, std::size_t n) {
  if (order_.empty())
    return;
  if (!rows_)
    rows_.emplace(c);
  const auto end = std::min(order_.size(), written_ + n);
  sort_to(end);
  for (; written_ < end; ++written_) {
    const auto& [key, e] = *order_[written_];
    if (e.gone || (!e.listed && e.at.event == 0 && e.at.snapshot == 0))
      continue;
    rows_->add(key, e.at, e.listed);
  }
  rows_->insert();
  if (written_ == order_.size()) {
    const auto to = std::to_string(leaving_to_);
    sqlite_statement{c, "INSERT OR REPLACE INTO meta VALUES ('placed_to', ?)"}.bind(to + ',' + to).run();
  }
}

} // namespace troupe
