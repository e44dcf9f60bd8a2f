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
  if (database_->was_empty())
    begun_.emplace();
}

std::shared_ptr<journal> durable_store::open(const std::string& key, std::span<const journal_type* const> types) {
  row_codec codec{database_->name(), key, types};
  return std::make_shared<durable_journal>(shared_from_this(), std::move(codec));
}

std::vector<std::string> durable_store::keys(std::string_view prefix) { return database_->read()->keys(prefix); }

std::vector<owing_journal> durable_store::unsettled() { return database_->read()->unsettled(); }

/// Leaves the table with its last holder, unless a new one has taken its place.
struct durable_store::listed_state : open_journal, std::enable_shared_from_this<listed_state> {
  listed_state(durable_store& s, const std::string& k, std::size_t h) : store{s}, name{k}, hash{h} {}
  ~listed_state() {
    std::unique_lock leaving{store.mutex_};
    store.states_.erase(hash, *this);
  }
  const std::string& key() const noexcept { return name; }
  durable_store& store;
  const std::string name;
  const std::size_t hash;
};

std::shared_ptr<open_journal> durable_store::state_of(const std::string& key) {
  if (begun_)
    begun_->add(key);
  const auto hash = states_.hash_of(key);
  std::unique_lock held{mutex_};
  auto** const entry = states_.find(hash, key);
  if (entry != nullptr)
    if (auto state = (*entry)->weak_from_this().lock())
      return state;
  if (entry == nullptr)
    states_.make_room();
  auto state =
      std::make_shared<listed_state>(*this, key, hash); // in one block with its count, which each write changes
  if (entry != nullptr)
    *entry = state.get();
  else
    states_.add(hash, *state);
  return state;
}

std::shared_ptr<open_journal> durable_store::held_state(const std::string& key) {
  const auto hash = states_.hash_of(key);
  std::unique_lock held{mutex_};
  auto* const* const entry = states_.find(hash, key);
  return entry != nullptr ? (*entry)->weak_from_this().lock() : nullptr;
}

} // namespace troupe
