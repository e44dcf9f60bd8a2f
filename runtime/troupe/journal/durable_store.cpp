// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/durable_journal.hpp>
#include <troupe/journal/durable_store.hpp>

#include <utility>

namespace troupe {

durable_store::durable_store(std::unique_ptr<journal_database> db, durable_options o)
    : options_{std::move(o)}, database_{std::move(db)},
      writer_{options_.commit, options_.threads, [this](journal_database::batch b) { database_->write(b); },
              database_->syncs_apart() ? group_commit::sync_function{[this] { database_->sync(); }} : nullptr} {}

std::shared_ptr<journal> durable_store::open(const std::string& key, std::span<const journal_type* const> types) {
  row_codec codec{database_->name(), key, types};
  return std::make_shared<durable_journal>(shared_from_this(), state_of(key), std::move(codec));
}

std::vector<std::string> durable_store::keys(std::string_view prefix) { return database_->read()->keys(prefix); }

std::vector<owing_journal> durable_store::unsettled() { return database_->read()->unsettled(); }

std::shared_ptr<open_journal> durable_store::state_of(const std::string& key) {
  std::unique_lock held{mutex_};
  auto& kept = states_[key];
  if (auto state = kept.lock())
    return state;
  // Leaves the map with its last holder, unless a new one has taken its place.
  const auto leave = [this, key](open_journal* s) {
    delete s;
    std::unique_lock leaving{mutex_};
    const auto entry = states_.find(key);
    if (entry != states_.end() && entry->second.expired())
      states_.erase(entry);
  };
  std::shared_ptr<open_journal> state{new open_journal, leave};
  kept = state;
  return state;
}

} // namespace troupe
