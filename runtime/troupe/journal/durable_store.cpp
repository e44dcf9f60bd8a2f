// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/durable_journal.hpp>
#include <troupe/journal/durable_store.hpp>

#include <utility>

namespace troupe {

durable_store::durable_store(std::unique_ptr<journal_database> db, durable_options o)
    : options_{std::move(o)}, database_{std::move(db)},
      writer_{options_.commit, options_.threads, [this](journal_database::batch b) { database_->write(b); },
              database_->syncs_apart() ? group_commit::sync_function{[this] { database_->sync(); }} : nullptr} {
  erased_.raise(database_->erased_to());
}

std::shared_ptr<journal> durable_store::open(const std::string& key, std::span<const journal_type* const> types) {
  row_codec codec{database_->name(), key, types};
  return std::make_shared<durable_journal>(shared_from_this(), state_of(key), std::move(codec));
}

std::vector<std::string> durable_store::keys(std::string_view prefix) { return database_->read()->keys(prefix); }

std::vector<owing_journal> durable_store::unsettled() { return database_->read()->unsettled(); }

/// Leaves the map with its last holder, unless a new one has taken its place.
struct durable_store::listed_state : open_journal {
  listed_state(durable_store& s, const std::string& k) : store{s}, key{k} {}
  ~listed_state() {
    std::unique_lock leaving{store.mutex_};
    const auto found = store.states_.find(key);
    if (found != store.states_.end() && found->second.expired())
      store.states_.erase(found);
  }
  durable_store& store;
  const std::string key;
};

std::shared_ptr<open_journal> durable_store::state_of(const std::string& key) {
  std::unique_lock held{mutex_};
  auto& kept = states_[key];
  if (auto state = kept.lock())
    return state;
  auto state = std::make_shared<listed_state>(*this, key); // in one block with its count, which each write changes
  kept = state;
  return state;
}

} // namespace troupe
