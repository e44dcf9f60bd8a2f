// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/store.hpp>

#include "options.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace order_simulation {

/// The journal does not fit the command line. The text names the option.
class journal_mismatch : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Where a run keeps its events, and what it knows of itself from earlier processes.
struct run_journal {
  std::shared_ptr<troupe::journal_store> store;
  std::string name = "memory"; ///< As for `--journal`, without a server's password.
  std::uint64_t life = 1;      ///< 1 for a new run; one more for each process that went on with it.
  bool resumed() const { return life > 1; }
};

/// Opens what `--journal` names, or makes it, and takes down what the run is: its scenario, seed, population and whatever
/// else decides its answers. With `--resume`, gives `opts` what was taken down wherever the command line says nothing, and
/// compares the rest.
///
/// Errors: journal_mismatch if a new run finds a journal that holds something, a resumed one finds none, or an option
/// that is given differs; troupe::journal_error if the journal cannot be opened.
run_journal open_run_journal(options& opts);

} // namespace order_simulation
