// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "runtime/journal/kept_postgres.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <libpq-fe.h>
#include <set>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

namespace kept {

/// Cuts this process's connections to PostgreSQL servers on this machine, but for `spared` ones. The server's side is not told
/// otherwise than by the end of the stream.
inline void cut_connections(const std::set<int>& spared = {}) {
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    const int fd = std::atoi(entry.path().filename().c_str());
    sockaddr_un peer{};
    socklen_t size = sizeof peer;
    if (!spared.contains(fd) && ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sun_family == AF_UNIX && std::string{peer.sun_path}.find(".s.PGSQL.") != std::string::npos)
      ::shutdown(fd, SHUT_RDWR);
  }
}

/// A process that does nothing until this goes, or is told to let it.
class stopped_process {
public:
  explicit stopped_process(int process) : process_{process} { ::kill(process_, SIGSTOP); }
  ~stopped_process() { go_on(); }
  stopped_process(const stopped_process&) = delete;
  stopped_process& operator=(const stopped_process&) = delete;
  void go_on() const { ::kill(process_, SIGCONT); }

private:
  const int process_;
};

/// While this is there, commits on the server end on the disk, but are not confirmed: they wait for a standby that there is
/// not.
class held_commits {
public:
  held_commits() {
    try {
      begin();
    } catch (...) {
      set_standbys("");
      throw;
    }
  }
  ~held_commits() { release(); }
  held_commits(const held_commits&) = delete;
  held_commits& operator=(const held_commits&) = delete;

  /// Returns when those that waited have ended.
  void release() {
    if (!probing_)
      return;
    set_standbys("");
    end_probe();
  }

  /// The process of a journal's session whose commit waits.
  int session_in_commit() {
    std::string found;
    await("a journal's commit is held", [&] {
      found = asked("SELECT pid FROM pg_stat_activity "
                    "WHERE wait_event = 'SyncRep' AND application_name LIKE 'troupe journal%'");
      return !found.empty();
    });
    return std::stoi(found);
  }

  void await_end_of(int session) {
    await("a session has ended",
          [&] { return asked("SELECT pid FROM pg_stat_activity WHERE pid = " + std::to_string(session)).empty(); });
  }

  /// All connections of this process but these here.
  void cut_others() { cut_connections({PQsocket(looking_.handle), PQsocket(probe_.handle)}); }

private:
  struct connection {
    PGconn* handle = PQconnectdb(server().url("public").c_str());
    connection() = default;
    ~connection() { PQfinish(handle); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
  };

  void begin() {
    set_standbys("nobody");
    // The server takes the setting up some time after it was told. From then on this commit waits.
    await("commits are held", [&] {
      if (!probing_)
        probing_ = PQsendQuery(probe_.handle, "SELECT pg_logical_emit_message(true, 'probe', '')") == 1;
      PQconsumeInput(probe_.handle);
      if (PQisBusy(probe_.handle) == 0)
        end_probe();
      return probing_ && asked("SELECT wait_event FROM pg_stat_activity WHERE pid = " +
                               std::to_string(PQbackendPID(probe_.handle))) == "SyncRep";
    });
  }

  /// The first column of the first row.
  std::string asked(const std::string& sql) {
    auto* r = PQexec(looking_.handle, sql.c_str());
    std::string text = PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "";
    PQclear(r);
    return text;
  }

  void set_standbys(const std::string& names) {
    asked("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    asked("SELECT pg_reload_conf()");
  }

  void end_probe() {
    while (auto* r = PQgetResult(probe_.handle))
      PQclear(r);
    probing_ = false;
  }

  static void await(const std::string& what, const std::function<bool()>& f) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!f()) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error{"in vain: until " + what};
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }

  connection looking_;
  connection probe_;
  bool probing_ = false;
};

} // namespace kept
