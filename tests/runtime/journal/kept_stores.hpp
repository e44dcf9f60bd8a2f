// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/memory_store.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/testing/store_probe.hpp>

#include "support/temporary_directory.hpp"

#include <memory>

/// The stores that the conformance suite runs against. `reopen` gives a store that has nothing but what is kept.
namespace kept {

struct memory {
  std::shared_ptr<troupe::journal_store> store = std::make_shared<troupe::memory_store>();
  void reopen() {} // it ends with the process
};

/// Through the probe that users' tests have.
struct probed {
  std::shared_ptr<troupe::journal_store> store = std::make_shared<troupe::store_probe>();
  void reopen() {}
};

struct sqlite {
  support::temporary_directory folder;
  std::shared_ptr<troupe::journal_store> store = opened();

  std::shared_ptr<troupe::journal_store> opened() const { return troupe::open_sqlite_store(folder / "journal.db"); }
  void reopen() {
    store.reset(); // one at a time
    store = opened();
  }
};

} // namespace kept
