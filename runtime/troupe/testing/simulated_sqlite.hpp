// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/sqlite_store.hpp>
#include <troupe/testing/simulation.hpp>

#include <memory>
#include <string>

namespace troupe {

/// Opens the SQLite file `path` of the simulation's disk, or makes it: the real store, on a disk that fails and forgets.
///
///     sim.journals([&] { return open_sqlite_store(sim, "shop.db"); });
///
/// Each append is written before it returns (`simulation_faults::disk_slow` makes it wait). Of `o`, `vfs`, `threads`,
/// `clock` and `lock` are the simulation's. The store must not be used after its simulation, nor after the next crash of the
/// process: its files then lead nowhere.
///
/// Errors: journal_error, as the other `open_sqlite_store`; with faults of the disk at any time.
std::shared_ptr<durable_store> open_sqlite_store(simulation& sim, const std::string& path, sqlite_options o = {});

} // namespace troupe
