// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/durable_store.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

struct postgres_options : durable_options {
  /// How long appends wait for a server that was lost before they fail, from the loss on. An attempt to connect that has
  /// begun is ended first (10 s, or the URL's `connect_timeout`, for each of its addresses).
  std::chrono::milliseconds patience{30'000};
};

/// Journals in the database that `url` names (`postgresql://user@host/database`, and whatever else libpq takes), in the first
/// schema of its search_path: another one is chosen by `?options=-csearch_path%3Dshop`. What is missing of the tables is
/// made; they are those of the SQLite store.
///
/// If the server is lost, the appends whose transaction was on its way fail: what was kept of them is unknown until their
/// actors, restarted, read it. They fail when that is decided: the store connects again by itself, with pauses from 50 ms to
/// 2 s between attempts, ends the session that it has lost, should that one live on at the server, and waits until its
/// transaction is over. If patience ends before, they fail too, and nothing can be read until the store has a new session,
/// which each replay and each append tries to get once. If another writer had the journals meanwhile, everything is refused:
/// what actors know of them may no longer be true.
///
/// Errors: journal_error naming the server: it cannot be reached, another session writes these journals (the message names
/// it), or they are of a later version.
std::shared_ptr<durable_store> open_postgres_store(const std::string& url, postgres_options o = {});

} // namespace troupe
