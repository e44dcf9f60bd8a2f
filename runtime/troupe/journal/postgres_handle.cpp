// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_handle.hpp>
#include <troupe/journal/store.hpp>
#include <troupe/seams.hpp>

#include <algorithm>
#include <libpq-fe.h>
#include <limits>
#include <new>
#include <poll.h>
#include <unistd.h>

namespace troupe {

namespace {

using std::chrono::milliseconds;

// A server is outside of every simulation: these waits end by the real clock.
time_point now() {
  static const auto clock = production_clock();
  return clock->now();
}

postgres_handle begun(const postgres_address& a, const postgres_address::place& p) {
  // What the URL says comes after the defaults and wins. A server whose machine has vanished is noticed in half a minute, in
  // a whole one if it has not confirmed what was sent, instead of hours.
  const auto who = "troupe journal, process " + std::to_string(::getpid());
  const char* keywords[] = {"client_encoding",
                            "fallback_application_name",
                            "keepalives_idle",
                            "keepalives_interval",
                            "keepalives_count",
                            "tcp_user_timeout",
                            "dbname",
                            "host",
                            "hostaddr",
                            "port",
                            nullptr};
  const char* values[] = {"UTF8",         who.c_str(),       "10",           "5",    "4", "60000", a.url().c_str(),
                          p.host.c_str(), p.numeric.c_str(), p.port.c_str(), nullptr}; // empty ones say nothing
  postgres_handle c{PQconnectStartParams(keywords, values, 1)};
  if (c == nullptr)
    throw std::bad_alloc{};
  return c;
}

/// False: not within `limit`.
bool finish_connecting(pg_conn* c, milliseconds limit) {
  const auto until = now() + limit;
  auto state = PQstatus(c) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    const auto left = std::max(std::chrono::ceil<milliseconds>(until - now()), milliseconds::zero());
    if (!await_socket(c, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, left))
      return false;
    state = PQconnectPoll(c);
  }
  return true;
}

/// What is wrong with a connection that could not be made; what libpq says ends with the end of a line.
std::string failure_of(const pg_conn* c) {
  std::string text = PQerrorMessage(c);
  while (text.ends_with('\n') || text.ends_with(' '))
    text.pop_back();
  return text;
}

std::string silence_of(const pg_conn* c, const postgres_address::place& p, milliseconds limit) {
  return "connecting to " + std::string{PQhost(c)} + (p.numeric.empty() ? "" : " (" + p.numeric + ')') + ", port " +
         PQport(c) + ": no answer in " + in_words(limit) +
         ". Either the server or the network to it hangs, or nothing is there, or it needs more time "
         "(connect_timeout in the URL)";
}

} // namespace

void postgres_closing::operator()(pg_conn* c) const noexcept { PQfinish(c); }

postgres_handle connect_postgres(const postgres_address& a, milliseconds silence) {
  const milliseconds limit = a.connect_timeout() ? *a.connect_timeout() : std::min(silence, milliseconds{10'000});
  std::string failures;
  for (const auto& p : a.places()) {
    auto c = begun(a, p);
    const bool answered = finish_connecting(c.get(), limit);
    if (answered && PQstatus(c.get()) == CONNECTION_OK) {
      // libpq would wait for the server without an end wherever it has something to send, at the end also.
      if (PQsetnonblocking(c.get(), 1) == 0)
        return c;
    }
    failures += (failures.empty() ? "" : "; ") + (answered ? failure_of(c.get()) : silence_of(c.get(), p, limit));
  }
  throw journal_error{a.name() + ": " + failures};
}

bool await_socket(const pg_conn* c, short events, milliseconds limit) {
  limit = std::min<milliseconds>(limit, std::chrono::hours{24 * 365}); // which can be added to now
  const auto until = now() + limit;
  for (auto left = limit;;) {
    pollfd socket{PQsocket(c), events, 0};
    if (socket.fd < 0)
      return true; // libpq knows why
    const milliseconds longest{std::numeric_limits<int>::max()};
    if (::poll(&socket, 1, static_cast<int>(std::min(left, longest).count())) > 0)
      return true;
    // A signal, or the time is over, or nearly so.
    left = std::chrono::ceil<milliseconds>(until - now());
    if (left <= milliseconds::zero())
      return false;
  }
}

std::string in_words(milliseconds duration) {
  const auto n = duration.count();
  return n % 1000 == 0 ? std::to_string(n / 1000) + " s" : std::to_string(n) + " ms";
}

} // namespace troupe
