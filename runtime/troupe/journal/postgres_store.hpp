// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/durable_store.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

struct postgres_options : durable_options {
  /// How long appends wait for a server that was lost before they fail, from the loss on. An attempt to get a new session
  /// that has begun is ended first.
  std::chrono::milliseconds patience{30'000};
  /// How long a server may say nothing while it is asked something; more than 0. Then the connection is lost, as if it had
  /// been cut: opening fails, an append waits for a new session up to `patience`, a replay that was to begin on a connection
  /// of before tries a new one, and one in the middle fails. What goes through whole tables (lists of keys and of what is owed, VACUUM, new versions of the tables) is
  /// given up only if the server, asked over another connection, does not say that it is at work on it. A commit that waits
  /// for a standby counts as silence. An attempt to connect may take as long, at most 10 s, or what the URL's
  /// `connect_timeout` says, for each address. By steady time.
  std::chrono::milliseconds longest_silence{30'000};
};

/// Journals in the database that `url` names (`postgresql://user@host/database`, and whatever else libpq takes), in the first
/// schema of its search_path: another one is chosen by `?options=-csearch_path%3Dshop`. What is missing of the tables is
/// made; they are those of the SQLite store.
///
/// If the server is lost, the appends whose transaction was on its way fail: what was kept of them is unknown until their
/// actors, restarted, read it. They fail when that is decided: the store connects again by itself, with pauses from 50 ms to
/// 2 s between attempts, ends the session that it has lost, should that one live on at the server, and waits until its
/// transaction is over. If patience ends before, they fail too, and nothing can be read until the store has a new session,
/// which each replay and each append tries to get once. If another writer had the journals meanwhile, or
/// a standby has taken the server's place, or a backup was restored, everything is refused: what actors know of them may no
/// longer be true.
///
/// Errors: journal_error naming the server: it cannot be reached or does not answer, another session writes these journals
/// (the message names it), or they are of a later version. usage_error: an option is out of its range.
std::shared_ptr<durable_store> open_postgres_store(const std::string& url, postgres_options o = {});

} // namespace troupe
