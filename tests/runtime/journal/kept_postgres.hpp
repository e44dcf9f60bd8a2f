// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_store.hpp>

#include "support/postgres_server.hpp"
#include "support/thrown_text.hpp"

#include <memory>
#include <string>

namespace kept {

inline support::postgres_server& server() { return support::postgres_server::only(); }

/// See kept_stores.hpp. A schema of its own for each.
struct postgres {
  std::string url = server().url("kept_" + std::to_string(++count));
  std::shared_ptr<troupe::journal_store> store = troupe::open_postgres_store(url);

  void reopen() {
    store.reset(); // one at a time
    store = troupe::open_postgres_store(url);
  }

private:
  static inline int count = 0;
};

using support::message_of;
using support::says;

} // namespace kept
