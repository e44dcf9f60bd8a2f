// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/caf_module.hpp>
#include <troupe/engine/caf_system.hpp>
#include <troupe/engine/system_core.hpp>

#include <caf/actor_system.hpp>

#include <utility>
#include <vector>

namespace troupe::detail {

struct caf_system::pair {
  pair(engine::executor& where, unsigned workers) : config{where, workers}, system{config} {
    system.await_actors_before_shutdown(false); // CAF would wait without a limit
  }

  caf_config config;
  caf::actor_system system;
};

caf_system::caf_system() = default;
caf_system::~caf_system() = default;

caf::actor_system& caf_system::get(system_core& core, unsigned workers) {
  std::unique_lock guard{mutex_};
  if (pair_ == nullptr)
    pair_ = std::make_unique<pair>(*core.executor, workers);
  return pair_->system;
}

bool caf_system::end() {
  std::unique_lock guard{mutex_};
  if (pair_ == nullptr)
    return true;
  if (!static_cast<caf_module&>(pair_->system.scheduler()).leave()) {
    // A CAF actor does not return from its handler: as for ours, what it may touch outlives it, within reach.
    static std::mutex mutex;
    static auto& kept = *new std::vector<std::unique_ptr<pair>>;
    const std::scoped_lock lock{mutex};
    kept.push_back(std::move(pair_));
    return false;
  }
  pair_.reset();
  return true;
}

} // namespace troupe::detail
