// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/simulated_sqlite.hpp>
#include <troupe/testing/simulated_vfs.hpp>

#include <utility>

namespace troupe {

std::shared_ptr<durable_store> open_sqlite_store(simulation& sim, const std::string& path, sqlite_options o) {
  const auto vfs = std::make_shared<detail::simulated_vfs>(sim.disk());
  o.vfs = vfs->name();
  o.lock = false;
  o.threads = nullptr;
  o.clock = {vfs, &sim.time()}; // the store's last member to go, and the VFS with it
  return open_sqlite_store(path, std::move(o));
}

} // namespace troupe
