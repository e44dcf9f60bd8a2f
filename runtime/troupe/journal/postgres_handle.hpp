// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_address.hpp>

#include <chrono>
#include <memory>

struct pg_conn;

namespace troupe {

struct postgres_closing {
  /// Says good-bye if that can be sent at once; waits for nobody.
  void operator()(pg_conn* c) const noexcept;
};
/// A connection of libpq's, which never blocks in it.
using postgres_handle = std::unique_ptr<pg_conn, postgres_closing>;

/// Connects to the first of the address's places that lets us in. Each gets the URL's `connect_timeout`, or else 10 s or
/// `silence`, whichever is less, by steady time.
///
/// Errors: journal_error that names the server and what is wrong with each place.
postgres_handle connect_postgres(const postgres_address& a, std::chrono::milliseconds silence);

/// Waits until the connection's socket is ready for one of `events` (poll's), or broken. False: not within `limit`, which is
/// steady time.
bool await_socket(const pg_conn* c, short events, std::chrono::milliseconds limit);

/// As people say it: `30 s`, `250 ms`.
std::string in_words(std::chrono::milliseconds duration);

} // namespace troupe
