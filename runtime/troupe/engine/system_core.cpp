// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/engine/worker.hpp>

#include <algorithm>

namespace troupe::detail {

bool name_registry::add(const std::string& path, cell& c) {
  std::unique_lock guard{mutex_};
  return cells_.emplace(path, &c).second;
}

void name_registry::remove(const std::string& path, const cell& c) {
  std::unique_lock guard{mutex_};
  const auto i = cells_.find(path);
  if (i != cells_.end() && i->second == &c)
    cells_.erase(i);
}

cell* name_registry::find(const std::string& path) const {
  std::unique_lock guard{mutex_};
  const auto i = cells_.find(path);
  if (i == cells_.end())
    return nullptr;
  i->second->retain(); // under the lock: a cell leaves the registry before the tree releases it
  return i->second;
}

std::string name_registry::path_of(std::uint64_t id) const {
  std::unique_lock guard{mutex_};
  const auto i = std::ranges::find_if(cells_, [id](const auto& named) { return named.second->id() == id; });
  return i == cells_.end() ? std::string{} : i->first;
}

void system_core::before_handling(cell& by, envelope& e) {
  if (conducted != nullptr)
    conducted->handling(by, e);
  if (faults != nullptr)
    faults->begin();
}

void system_core::at_fault_point(cell& by) {
  if (conducted != nullptr)
    conducted->fault_point(by);
  if (faults != nullptr)
    faults->middle();
}

bool system_core::before_resuming(cell& by, envelope& e) noexcept {
  fault_injector::forget();
  return conducted == nullptr || conducted->resuming(by, e);
}

unsigned system_core::shard_hint() noexcept {
  const auto* w = engine::worker::current();
  return w == nullptr ? 0 : w->index() + 1;
}

} // namespace troupe::detail
