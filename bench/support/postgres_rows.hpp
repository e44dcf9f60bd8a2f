// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "support/postgres_server.hpp"

#include <cstdint>
#include <cstdlib>
#include <libpq-fe.h>
#include <string>

/// What the rows about journals on PostgreSQL have in common with the bare loop that shows what the server allows.
namespace bench {

/// A private server that syncs each commit, its files where TMPDIR says.
class journal_server {
public:
  static bool installed() { return support::postgres_server::programs().has_value(); }

  const std::string& url() const noexcept { return url_; }

  /// Events on the server, asked of it directly; -1 if it does not say.
  std::int64_t count() const {
    auto* c = PQconnectdb(url_.c_str());
    auto* r = PQexec(c, "SELECT count(*) FROM events");
    const auto n = PQresultStatus(r) == PGRES_TUPLES_OK ? std::atoll(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    PQfinish(c);
    return n;
  }

private:
  support::postgres_server server_{true};
  const std::string url_ = server_.url("bench");
};

} // namespace bench
