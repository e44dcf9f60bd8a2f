// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/caf_module.hpp>
#include <troupe/engine/caf_system.hpp>
#include <troupe/engine/system_core.hpp>

#include <caf/actor_system.hpp>

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

void caf_system::end() {
  std::unique_lock guard{mutex_};
  pair_.reset();
}

} // namespace troupe::detail
