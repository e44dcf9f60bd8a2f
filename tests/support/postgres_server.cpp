// SPDX-License-Identifier: BSD-3-Clause
#include "support/postgres_server.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace support {

namespace {

/// The user to become; null: stay who we are.
const passwd* other_user() {
  if (::geteuid() != 0)
    return nullptr;
  const auto* user = ::getpwnam("postgres");
  return user != nullptr ? user : ::getpwnam("nobody");
}

/// Starts a program that ends with us, its output in `log`.
pid_t launch(const std::vector<std::string>& command, const std::string& log) {
  const auto* user = other_user();
  std::vector<char*> arguments;
  for (const auto& a : command)
    arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  const auto parent = ::getpid();
  const auto child = ::fork();
  if (child != 0)
    return child;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
    ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT); // after setuid, which clears it
  if (::getppid() != parent)
    ::_exit(126);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

} // namespace

std::optional<std::string> postgres_server::programs() {
  namespace fs = std::filesystem;
  std::vector<fs::path> places;
  if (const auto* named = std::getenv("TROUPE_POSTGRES_BIN"))
    places.emplace_back(named);
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", ignored})
    places.push_back(version.path() / "bin");
  std::istringstream path{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""};
  for (std::string place; std::getline(path, place, ':');)
    places.emplace_back(place);
  for (const auto& p : places)
    if (fs::exists(p / "initdb", ignored) && fs::exists(p / "postgres", ignored))
      return p.string();
  return {};
}

postgres_server::postgres_server(bool synced) : programs_{programs().value_or("")}, synced_{synced} {
  if (programs_.empty())
    throw std::runtime_error{"no PostgreSQL server is installed"};
  if (const auto* user = other_user();
      user != nullptr && ::chown(directory_.path().c_str(), user->pw_uid, user->pw_gid))
    throw std::runtime_error{"the server's directory cannot be given to its user"};
  const auto status = run({programs_ + "/initdb", "-D", directory_ / "data", "-U", "troupe", "--auth=trust",
                           "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"});
  if (status != 0) {
    std::ifstream log{directory_ / "log"};
    std::ostringstream text;
    text << log.rdbuf();
    throw std::runtime_error{"initdb failed: " + text.str()};
  }
  start();
}

postgres_server::~postgres_server() { crash(); }

int postgres_server::run(const std::vector<std::string>& command) const {
  const auto child = launch(command, directory_ / "log");
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

void postgres_server::start() {
  process_ = launch({programs_ + "/postgres", "-D", directory_ / "data", "-k", directory_.path().string(), "-c",
                     "listen_addresses=", "-c", "restore_command=/bin/false", "-c", "hot_standby=off", "-c",
                     synced_ ? "fsync=on" : "fsync=off", "-c", "max_connections=50"},
                    directory_ / "log");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  const auto address = "host=" + directory_.path().string() + " user=troupe dbname=postgres";
  while (PQping(address.c_str()) != PQPING_OK) {
    if (std::chrono::steady_clock::now() > until || ::waitpid(process_, nullptr, WNOHANG) == process_)
      throw std::runtime_error{"the PostgreSQL server does not start; see its log in " + directory_.path().string()};
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

void postgres_server::crash() {
  if (process_ <= 0)
    return;
  ::kill(process_, SIGQUIT);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void postgres_server::back_up() {
  crash();
  if (run({"/bin/cp", "-a", directory_ / "data", directory_ / "copy"}) != 0 ||
      run({"/bin/touch", directory_ / "copy/recovery.signal"}) != 0)
    throw std::runtime_error{"the server's data cannot be copied"};
  start();
}

void postgres_server::fail_over() {
  crash();
  std::filesystem::remove_all(directory_ / "data");
  std::filesystem::rename(directory_ / "copy", directory_ / "data");
  start();
}

std::string postgres_server::url(const std::string& schema) const {
  std::string place;
  for (const char c : directory_.path().string())
    place += c == '/' ? std::string{"%2F"} : std::string(1, c);
  const auto base = "postgresql://troupe@" + place + "/postgres";
  auto* c = PQconnectdb(base.c_str());
  PQclear(PQexec(c, ("CREATE SCHEMA IF NOT EXISTS \"" + schema + '"').c_str()));
  PQfinish(c);
  return base + "?options=-csearch_path%3D" + schema;
}

std::string postgres_server::socket() const { return directory_ / ".s.PGSQL.5432"; }

postgres_server& postgres_server::only() {
  if (!programs()) {
    std::puts("SKIPPED: no PostgreSQL server is installed (Debian: postgresql)");
    std::fflush(stdout);
    std::_Exit(0);
  }
  static postgres_server server;
  return server;
}

} // namespace support
