// SPDX-License-Identifier: BSD-3-Clause
#include "bench/bare/journal.hpp"
#include "bench/support/journal_rows.hpp"
#include "bench/support/postgres_rows.hpp"

#include <array>
#include <libpq-fe.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

namespace {

/// The table as the store makes it, and one session that inserts into it, without waiting for each row's result.
class bare_session {
public:
  explicit bare_session(const std::string& url) : connection_{PQconnectdb(url.c_str())} {
    run("CREATE TABLE events (journal text COLLATE \"C\" NOT NULL, sequence bigint NOT NULL, time bigint NOT NULL, "
        "type text NOT NULL, version integer NOT NULL, data json NOT NULL, checksum bigint NOT NULL, "
        "PRIMARY KEY (journal, sequence))");
    end(PQprepare(connection_, "begin", "BEGIN", 0, nullptr));
    end(PQprepare(connection_, "insert", "INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7)", 0, nullptr));
    end(PQprepare(connection_, "commit", "COMMIT", 0, nullptr));
  }
  ~bare_session() { PQfinish(connection_); }
  bare_session(const bare_session&) = delete;
  bare_session& operator=(const bare_session&) = delete;

  void begin() {
    must(PQenterPipelineMode(connection_) == 1);
    send<0>("begin", {});
  }
  void insert(const std::string& key, std::uint64_t sequence, const std::string& data) {
    const auto number = std::to_string(sequence);
    send<7>("insert", {key.c_str(), number.c_str(), "1800000000000000", "reserved", "1", data.c_str(), "123456789"});
  }
  /// Returns when all is on the disk.
  void commit() {
    send<0>("commit", {});
    must(PQpipelineSync(connection_) == 1);
    for (bool synced = false; !synced;)
      if (auto* r = PQgetResult(connection_); r != nullptr) {
        synced = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        must(synced || PQresultStatus(r) == PGRES_COMMAND_OK);
        PQclear(r);
      }
    must(PQexitPipelineMode(connection_) == 1);
  }

private:
  template <std::size_t N>
  void send(const char* statement, const std::array<const char*, N>& values) {
    must(PQsendQueryPrepared(connection_, statement, N, values.data(), nullptr, nullptr, 0) == 1);
  }
  void run(const char* sql) { end(PQexec(connection_, sql)); }
  void end(PGresult* r) const {
    const bool good = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    must(good);
  }
  void must(bool good) const {
    if (!good)
      throw std::runtime_error{PQerrorMessage(connection_)};
  }

  PGconn* connection_;
};

template <std::uint64_t Group>
void append(const run_size& size) {
  journal_server server;
  stopwatch clock;
  {
    bare_session session{server.url()};
    std::vector<std::string> keys;
    for (std::uint64_t i = 0; i < 2 * Group; ++i)
      keys.push_back("stock/" + std::to_string(i));
    std::vector<std::string> data;
    for (std::uint64_t i = 0; i < size.n; ++i)
      data.push_back(reserved_json(i, i % 10));
    clock.start();
    for (std::uint64_t i = 0; i < size.n;) {
      session.begin();
      for (std::uint64_t k = 0; k < Group && i < size.n; ++k, ++i)
        session.insert(keys[i % keys.size()], i / keys.size() + 1, data[i]);
      session.commit();
    }
    clock.arrive();
  }
  clock.print(("journal-postgres-" + std::to_string(Group)).c_str(), size.n, server.count());
}

} // namespace

void add_postgres_rows(row_table& rows) {
  if (!journal_server::installed())
    return;
  rows["journal-postgres-16"] = &append<16>;
  rows["journal-postgres-256"] = &append<256>;
}

} // namespace bench
