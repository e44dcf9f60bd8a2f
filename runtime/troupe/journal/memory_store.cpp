// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/memory_store.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <utility>

namespace troupe {

class memory_store::stream final : public journal {
public:
  stream(std::string key, memory_store& store) : key_{std::move(key)}, store_{store} {}

  status append(const journal_append& a, const std::function<completion()>&) override {
    if (a.handled || !a.sends.empty() || !a.settled.empty() || !a.forgotten.empty())
      add_with_letters(a);
    else
      add(a.events);
    return status::durable;
  }

  void snapshot(const journal_record& state) override {
    snapshot_ = keep(state);
    events_.clear();
    holds_state_.store(true, std::memory_order_release); // release: pairs with empty()
  }

  void replay(journal_visitor& v) override {
    // Without the lock: only the actor's turn writes, and this is it.
    if (snapshot_.value != nullptr)
      v.snapshot(snapshot_.record());
    for (const auto& e : events_)
      v.event(e.record());
    const auto erased = store_.erased_.value();
    if (exchange_ == nullptr) {
      v.last_sent(erased);
      return;
    }
    for (const auto& [sender, sequence] : exchange_->handled)
      v.handled({sender, sequence});
    v.last_sent(std::max(exchange_->last_sent, erased));
    for (const auto& [sequence, o] : exchange_->unsettled)
      v.unsettled({sequence, o.target, o.message.record(), o.due, o.timer});
  }

  void erase() override {
    snapshot_ = {};
    events_.clear();
    holds_state_.store(false, std::memory_order_release); // as in snapshot
    if (exchange_ != nullptr)
      store_.erased_.raise(exchange_->last_sent);
    std::unique_lock guard{mutex_};
    exchange_.reset();
  }

  const std::string& key() const noexcept { return key_; }
  bool empty() const {
    if (holds_state_.load(std::memory_order_acquire)) // acquire: pairs with the turn's stores
      return false;
    std::unique_lock guard{mutex_};
    return exchange_ == nullptr;
  }

  /// What `unsettled` says of this journal, if anything.
  std::optional<owing_journal> owing() const {
    std::unique_lock guard{mutex_};
    if (exchange_ == nullptr || exchange_->unsettled.empty())
      return {};
    const auto& all = exchange_->unsettled;
    const auto first = std::min_element(all.begin(), all.end(),
                                        [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
    return owing_journal{key_, first->second.due}; // nothing is less than any time
  }

  std::size_t holders = 0; // who have it open; guarded by the shard's mutex

private:
  struct kept {
    const journal_type* type = nullptr;
    std::shared_ptr<const void> value;
    journal_record record() const noexcept { return {type, value.get()}; }
  };
  struct owed {
    std::uint64_t sequence;
    std::string target;
    kept message;
    std::optional<wall_time_point> due;
    std::string timer;
  };
  /// What passes between actors; many have none of it.
  struct exchange {
    std::map<std::string, std::uint64_t, std::less<>> handled;
    std::uint64_t last_sent = 0;
    std::map<std::uint64_t, owed> unsettled;
  };

  static kept keep(const journal_record& r) { return {r.type, r.type->copy(r.value)}; }

  /// All or none.
  void add(std::span<const journal_record> events) {
    const auto before = events_.size();
    try {
      if (events_.capacity() == 0)
        events_.reserve(first_room);
      for (const auto& e : events)
        events_.push_back(keep(e));
    } catch (...) {
      events_.resize(before);
      throw;
    }
    holds_state_.store(!events_.empty() || snapshot_.value != nullptr, std::memory_order_release); // as in snapshot
  }

  void add_with_letters(const journal_append& a) {
    std::vector<owed> sends;
    sends.reserve(a.sends.size());
    for (const auto& s : a.sends)
      sends.push_back({s.sequence, std::string{s.target}, keep(s.message), s.due, std::string{s.timer}});
    const auto before = events_.size();
    add(a.events);
    try {
      std::unique_lock guard{mutex_};
      deliver(a, sends);
    } catch (...) {
      events_.resize(before);
      throw;
    }
  }

  void deliver(const journal_append& a, std::vector<owed>& sends) {
    if (exchange_ == nullptr)
      exchange_ = std::make_unique<exchange>();
    for (const auto& sender : a.forgotten)
      exchange_->handled.erase(sender);
    if (a.handled) {
      auto& last = exchange_->handled.try_emplace(std::string{a.handled->sender}, 0).first->second;
      last = std::max(last, a.handled->sequence);
    }
    for (auto& s : sends) {
      exchange_->last_sent = std::max(exchange_->last_sent, s.sequence);
      exchange_->unsettled.insert_or_assign(s.sequence, std::move(s));
    }
    for (const auto sequence : a.settled)
      exchange_->unsettled.erase(sequence);
  }

  static constexpr std::size_t first_room = 4; // events: many actors have no more

  const std::string key_;
  memory_store& store_; ///< It holds this.

  // -- the actor's turn --
  kept snapshot_;
  std::vector<kept> events_;
  // -- written on the actor's turn, read by anyone --
  std::atomic<bool> holds_state_{false};
  // -- written on the actor's turn, guarded by mutex_ for those who look from outside --
  mutable std::mutex mutex_; // leaf lock; may be taken under the shard's
  std::unique_ptr<exchange> exchange_;
};

memory_store::memory_store() = default;
memory_store::~memory_store() {
  for (const auto& s : shards_)
    s.streams.for_each([](stream& j) { delete &j; });
}

std::shared_ptr<journal> memory_store::open(const std::string& key, std::span<const journal_type* const>) {
  const auto hash = detail::key_table<stream>::hash_of(key);
  auto& s = shard_of(hash);
  std::unique_lock guard{s.mutex};
  auto* const* const known = s.streams.find(hash, key);
  auto* found = known != nullptr ? *known : nullptr;
  if (found == nullptr) {
    s.streams.make_room();
    found = new stream{key, *this};
    s.streams.add(hash, *found);
  }
  ++found->holders;
  return {found, [store = shared_from_this()](stream* closed) { store->close(*closed); }};
}

void memory_store::close(stream& closed) {
  const auto hash = detail::key_table<stream>::hash_of(closed.key());
  auto& s = shard_of(hash);
  std::unique_lock guard{s.mutex};
  if (--closed.holders == 0 && closed.empty()) {
    s.streams.erase(hash, closed);
    guard.unlock();
    delete &closed;
  }
}

std::vector<std::string> memory_store::keys(std::string_view prefix) {
  std::vector<std::string> found;
  for (const auto& s : shards_) {
    std::unique_lock guard{s.mutex};
    s.streams.for_each([&](const stream& j) {
      if (j.key().starts_with(prefix) && !j.empty())
        found.push_back(j.key());
    });
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<owing_journal> memory_store::unsettled() {
  std::vector<owing_journal> found;
  for (const auto& s : shards_) {
    std::unique_lock guard{s.mutex};
    s.streams.for_each([&](const stream& j) {
      if (auto owing = j.owing())
        found.push_back(std::move(*owing));
    });
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return found;
}

std::size_t memory_store::size() const {
  std::size_t n = 0;
  for (const auto& s : shards_) {
    std::unique_lock guard{s.mutex};
    n += s.streams.size();
  }
  return n;
}

} // namespace troupe
