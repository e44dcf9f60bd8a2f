// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Where the journals of a PostgreSQL server are, as a URL says it, or what else libpq takes.
class postgres_address {
public:
  /// Errors: journal_error if it is none; without what it says, which may be a password that is written in a wrong way.
  explicit postgres_address(const std::string& url);

  const std::string& url() const noexcept { return url_; }
  /// The server as people may see it: `postgresql://user@host:port/database`.
  const std::string& name() const noexcept { return name_; }
  /// `connect_timeout`, if it is given and a limit.
  const std::optional<std::chrono::seconds>& connect_timeout() const noexcept { return connect_timeout_; }

  /// One place where a server may be. What is empty is for libpq to fill in.
  struct place {
    std::string host;
    std::string numeric; ///< The host's address as a number, `hostaddr`.
    std::string port;
  };
  /// The hosts that are named, each with all its addresses, in the order in which they are to be tried. libpq goes from one to
  /// the next by itself, but from one that says nothing only if it does the waiting, by calendar time. Asks the resolver,
  /// which has limits of its own. One place with nothing filled in: whatever libpq finds.
  std::vector<place> places() const;

private:
  std::optional<std::chrono::seconds> timeout_of(const std::string& text) const;

  const std::string url_;
  std::string name_;
  std::optional<std::chrono::seconds> connect_timeout_;
  bool by_service_ = false; ///< Named in a service file, which libpq reads.
  std::string hosts_;       ///< Lists with commas.
  std::string numerics_;
  std::string ports_;
  std::string default_port_;
};

} // namespace troupe
