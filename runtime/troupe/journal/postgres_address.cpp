// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_address.hpp>
#include <troupe/journal/store.hpp>

#include <algorithm>
#include <charconv>
#include <libpq-fe.h>
#include <memory>
#include <netdb.h>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace troupe {

namespace {

using owned_options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Calls `f` with each option's name, its value and what libpq takes if there is none; empty: nothing.
template <class F>
void each(const owned_options& all, F f) {
  const auto text = [](const char* t) { return std::string{t != nullptr ? t : ""}; };
  if (all != nullptr)
    for (const auto* o = all.get(); o->keyword != nullptr; ++o)
      f(std::string_view{o->keyword}, text(o->val), text(o->compiled));
}

std::vector<std::string> parts(const std::string& list) {
  std::vector<std::string> all{{}};
  for (const char c : list)
    if (c == ',')
      all.emplace_back();
    else
      all.back() += c;
  return all;
}

/// What libpq has against an address, without what it quotes from it: that may be the password.
std::string complaint(const char* text) {
  std::string all = text != nullptr ? text : "not a PostgreSQL URL";
  for (const auto* quote : {": \"", " after \""})
    if (const auto at = all.find(quote); at != all.npos)
      all.resize(at);
  while (all.ends_with('\n'))
    all.pop_back();
  return "the journal's address is wrong: " + all;
}

/// None if it is no name of a host on the network, or is not known.
std::vector<std::string> addresses_of(const std::string& host) {
  std::vector<std::string> all;
  if (host.empty() || host.front() == '/' || host.front() == '@')
    return all;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
    return all;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{found, &::freeaddrinfo};
  for (const auto* a = found; a != nullptr; a = a->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      all.emplace_back(text);
  }
  return all;
}

} // namespace

postgres_address::postgres_address(const std::string& url) : url_{url} {
  char* error = nullptr;
  const owned_options given{PQconninfoParse(url.c_str(), &error), &PQconninfoFree};
  if (given == nullptr) {
    const auto text = complaint(error);
    PQfreemem(error);
    throw journal_error{text};
  }
  std::string user, host, port, database;
  each(given, [&](std::string_view keyword, const std::string& value, const std::string&) {
    if (keyword == "user")
      user = value.empty() ? value : value + '@';
    else if (keyword == "host")
      host = value;
    else if (keyword == "port")
      port = value.find_first_not_of(',') == value.npos ? "" : ':' + value;
    else if (keyword == "dbname")
      database = value;
    by_service_ = by_service_ || (keyword == "service" && !value.empty());
  });
  const bool path = host.starts_with('/');
  if ((!path && host.find('@', 1) != host.npos) || port.find_first_not_of(":,0123456789 ") != port.npos)
    throw journal_error{
        complaint("it has a host or port that is none, perhaps part of a password; there @ is written as "
                  "%40, / as %2F, % as %25")};
  name_ = "postgresql://" + user + host + port + '/' + database;
  const auto take = [&](std::string_view keyword, const std::string& value, const std::string& otherwise) {
    if (keyword == "port")
      default_port_ = otherwise;
    if (value.empty())
      return;
    if (keyword == "host")
      hosts_ = value;
    else if (keyword == "hostaddr")
      numerics_ = value;
    else if (keyword == "port")
      ports_ = value;
    else if (keyword == "connect_timeout")
      connect_timeout_ = timeout_of(value);
  };
  each(owned_options{PQconndefaults(), &PQconninfoFree}, take); // of the environment
  each(given, take);
}

std::optional<std::chrono::seconds> postgres_address::timeout_of(const std::string& text) const {
  int seconds = 0;
  const auto* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, seconds).ptr != end)
    throw journal_error{name_ + ": connect_timeout is '" + text + "'; it must be a number of seconds"};
  if (seconds <= 0)
    return {};
  return std::chrono::seconds{seconds};
}

std::vector<postgres_address::place> postgres_address::places() const {
  const auto hosts = parts(hosts_);
  const auto numerics = parts(numerics_);
  const auto ports = parts(ports_);
  const auto n = std::max(hosts.size(), numerics.size());
  const bool matching = (hosts_.empty() || hosts.size() == n) && (numerics_.empty() || numerics.size() == n) &&
                        (ports.size() == 1 || ports.size() == n);
  if (by_service_ || !matching)
    return {{}};
  const auto of = [](const std::vector<std::string>& all, std::size_t i) { return all[all.size() == 1 ? 0 : i]; };
  std::vector<place> all;
  for (std::size_t i = 0; i < n; ++i) {
    place p{of(hosts, i), of(numerics, i), of(ports, i)};
    if (p.port.empty())
      p.port = default_port_;
    if (p.host.empty() && p.numeric.empty())
      return {{}};
    const auto known = p.numeric.empty() ? addresses_of(p.host) : std::vector<std::string>{};
    for (const auto& numeric : known)
      all.push_back({p.host, numeric, p.port});
    if (known.empty())
      all.push_back(std::move(p));
  }
  if (all.size() < 2)
    return {{}};
  return all;
}

} // namespace troupe
