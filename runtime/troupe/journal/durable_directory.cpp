// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/durable_directory.hpp>
#include <troupe/journal/durable_ref.hpp>
#include <troupe/journal/entity_group.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/system.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace troupe::detail {

durable_address::durable_address(std::shared_ptr<durable_directory> directory, std::string key)
    : directory_{std::move(directory)}, key_{std::move(key)} {}

result<cell_pointer> durable_address::resolve() {
  std::unique_lock guard{mutex_};
  if (cell_.get() != nullptr && !cell_->closed()) {
    last_use_.store(cell_->core().now_ns(), std::memory_order_relaxed);
    return cell_;
  }
  const auto group = directory_->group_of(key_);
  if (group == nullptr)
    return error{errc::stopped, "no actor works under the key " + key_};
  last_use_.store(group->core().now_ns(), std::memory_order_relaxed);
  auto started = group->start(shared_from_this());
  if (!started) {
    guard.unlock();
    if (started.error().code == errc::mailbox_full)
      group->make_room();
    return started;
  }
  cell_ = *started;
  type_ = &group->type();
  guard.unlock();
  group->announce(**started);
  return started;
}

cell& durable_address::nobody() const noexcept { return directory_->core().root->self(); }

cell_pointer durable_address::live() const {
  std::unique_lock guard{mutex_};
  return cell_.get() != nullptr && !cell_->closed() ? cell_ : cell_pointer{};
}

const durable_type* durable_address::type() const {
  std::unique_lock guard{mutex_};
  return type_;
}

void durable_address::occupy(cell& c, journal_session& s, const durable_type& type) {
  std::unique_lock guard{mutex_};
  if (session_.load(std::memory_order_relaxed) != nullptr ||
      (cell_.get() != nullptr && cell_.get() != &c && !cell_->closed()))
    throw usage_error{"two actors use the journal " + key_};
  cell_ = cell_pointer{c};
  type_ = &type;
  session_.store(&s, std::memory_order_relaxed);
}

void durable_address::vacate(const journal_session& s) noexcept {
  std::unique_lock guard{mutex_};
  if (session_.load(std::memory_order_relaxed) != &s)
    return;
  session_.store(nullptr, std::memory_order_relaxed);
  const bool started_by_hand = directory_->group_of(key_) == nullptr; // an entity's seat holds its address
  guard.unlock();
  if (started_by_hand) {
    try {
      directory_->keep(shared_from_this());
    } catch (const std::bad_alloc&) { // who has no ref yet does not find it until it is back
    }
  }
}

bool durable_address::waits() const {
  std::unique_lock guard{mutex_};
  return cell_.get() != nullptr && !cell_->closed() && session_.load(std::memory_order_relaxed) == nullptr;
}

durable_directory::durable_directory(system_core& core) : core_{core} {}
durable_directory::~durable_directory() = default;

std::shared_ptr<durable_address> durable_directory::at(const std::string& key) {
  const auto hash = key_table<durable_address>::hash_of(key);
  auto& s = shard_of(hash);
  std::unique_lock guard{s.mutex};
  auto** const entry = s.addresses.find(hash, key);
  if (entry != nullptr)
    if (auto found = (*entry)->weak_from_this().lock())
      return found;
  if (entry == nullptr)
    s.addresses.make_room();
  const auto last = [directory = shared_from_this()](durable_address* a) {
    const auto gone = std::unique_ptr<durable_address>{a};
    directory->forget(*gone);
  };
  std::shared_ptr<durable_address> fresh{new durable_address{shared_from_this(), key}, last};
  if (entry != nullptr)
    *entry = fresh.get();
  else
    s.addresses.add(hash, *fresh);
  return fresh;
}

void durable_directory::forget(const durable_address& a) noexcept {
  const auto hash = key_table<durable_address>::hash_of(a.key());
  auto& s = shard_of(hash);
  std::unique_lock guard{s.mutex};
  s.addresses.erase(hash, a); // unless there is a new one already
}

void durable_directory::add(std::shared_ptr<entity_group> group) {
  std::unique_lock guard{mutex_};
  std::erase_if(groups_, [&](const auto& g) { return g->prefix() == group->prefix() && g->has_stopped(); });
  if (std::ranges::any_of(groups_, [&](const auto& g) { return g->prefix() == group->prefix(); }))
    throw usage_error{"there are entities " + group->prefix() + " already"};
  groups_.push_back(std::move(group));
}

std::shared_ptr<entity_group> durable_directory::group_of(std::string_view key) const {
  const auto prefix = key.substr(0, key.find('/'));
  std::unique_lock guard{mutex_};
  const auto found = std::ranges::find(groups_, prefix, [](const auto& g) { return std::string_view{g->prefix()}; });
  return found == groups_.end() ? nullptr : *found;
}

void durable_directory::close() noexcept {
  std::vector<std::shared_ptr<entity_group>> old;
  std::vector<std::shared_ptr<durable_address>> kept;
  std::unique_lock guard{mutex_};
  closed_ = true;
  old.swap(groups_);
  kept.swap(kept_);
  guard.unlock();
}

void durable_directory::keep(std::shared_ptr<durable_address> address) {
  std::vector<std::shared_ptr<durable_address>> all;
  std::unique_lock guard{mutex_};
  if (closed_)
    return;
  kept_.push_back(std::move(address));
  if (kept_.size() < look_at_)
    return;
  all.swap(kept_);
  guard.unlock(); // addresses have locks, which go before this one
  std::erase_if(all, [](const auto& a) { return !a->waits(); });
  guard.lock();
  if (closed_)
    return;
  kept_.insert(kept_.end(), all.begin(), all.end());
  look_at_ = std::max<std::size_t>(64, 2 * kept_.size());
}

// -- what refs do -----------------------------------------------------------------------------------------------------

std::shared_ptr<durable_address> address_of(system_core& core, const std::string& key) { return core.durable->at(key); }

std::shared_ptr<durable_address> address_of(troupe::system& system, const std::string& key) {
  return address_of(system.core(), key);
}

result<cell_pointer> resolve(durable_address& to, const actor_type& type) {
  auto found = to.resolve();
  if (found && &(*found)->type() != &type)
    throw usage_error{to.key() + " is a " + type_name(*(*found)->type().info) + ", not a " + type_name(*type.info)};
  return found;
}

delivery send(durable_address& to, result<cell_pointer> found, envelope* e) {
  while (found) {
    if (const auto d = (*found)->offer(e))
      return *d;
    found = to.resolve();
  }
  const auto why = found.error().code;
  refuse(e, found.error());
  return why == errc::mailbox_full ? delivery::rejected : delivery::stopped;
}

void refuse(envelope* e, const error& why) {
  if (e->reply != nullptr)
    std::exchange(e->reply, nullptr)->settle_error(why.code, why.what);
  destroy(e);
}

} // namespace troupe::detail
