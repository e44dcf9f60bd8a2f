// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/memory_store.hpp>

#include <utility>
#include <vector>

namespace troupe {

class memory_store::stream final : public journal {
public:
  status append(std::span<const journal_record> records, const std::function<completion()>&) override {
    // All or none: a copy that throws takes the others back.
    const auto before = events_.size();
    try {
      for (const auto& r : records)
        events_.push_back(keep(r));
    } catch (...) {
      events_.resize(before);
      throw;
    }
    return status::durable;
  }

  void snapshot(const journal_record& state) override {
    snapshot_ = keep(state);
    events_.clear();
  }

  void replay(const std::function<void(const journal_record&)>& snapshot,
              const std::function<void(const journal_record&)>& event) override {
    if (snapshot_.value != nullptr)
      snapshot({snapshot_.type, snapshot_.value.get()});
    for (const auto& e : events_)
      event({e.type, e.value.get()});
  }

  void erase() override {
    snapshot_ = {};
    events_.clear();
  }

  bool empty() const noexcept { return snapshot_.value == nullptr && events_.empty(); }

private:
  struct kept {
    const journal_type* type = nullptr;
    std::shared_ptr<const void> value;
  };

  static kept keep(const journal_record& r) { return {r.type, r.type->copy(r.value)}; }

  // -- the actor's turn only --
  kept snapshot_;
  std::vector<kept> events_;
};

memory_store::memory_store() = default;
memory_store::~memory_store() = default;

std::shared_ptr<journal> memory_store::open(const std::string& key) {
  auto& s = shard_of(key);
  std::unique_lock guard{s.mutex};
  const auto entry = s.streams.try_emplace(key).first;
  if (entry->second == nullptr)
    entry->second = std::make_unique<stream>();
  // The key lives in the map as long as the stream does.
  return {entry->second.get(), [store = shared_from_this(), &own = entry->first](journal*) { store->close(own); }};
}

void memory_store::close(const std::string& key) {
  auto& s = shard_of(key);
  std::unique_lock guard{s.mutex};
  const auto entry = s.streams.find(key);
  if (entry->second->empty())
    s.streams.erase(entry);
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
