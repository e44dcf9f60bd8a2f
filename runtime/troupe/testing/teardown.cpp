// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/system.hpp>
#include <troupe/testing/teardown.hpp>

#include <chrono>

namespace troupe::detail {

namespace {

/// A cell looks at its control lane before its mailbox, so what is killed handles nothing more.
void kill_all(supervisor_core& under) {
  for (const auto& c : under.children()) {
    if (c->supervisor() != nullptr)
      kill_all(*c->supervisor());
    order(*c, &cell::order_kill);
  }
}

} // namespace

void tear_down(system& sys) noexcept {
  auto& core = sys.core();
  (void)core.blocking->stop(std::chrono::steady_clock::time_point::min());
  kill_all(*core.root);
  (void)sys.shutdown(std::chrono::seconds{60});
}

} // namespace troupe::detail
