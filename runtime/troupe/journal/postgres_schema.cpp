// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_schema.hpp>
#include <troupe/journal/store.hpp>

#include <array>
#include <charconv>
#include <string>

namespace troupe {

namespace {

/// Step i brings the tables from version i to i + 1; a step that was released is never changed again. The columns are those
/// of the SQLite store; `json` keeps the text as it is, which its checksum needs.
constexpr std::array migrations{
    // 0 -> 1
    R"(
CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE journals (
  key text COLLATE "C" PRIMARY KEY,
  last_sent bigint NOT NULL,
  checksum bigint NOT NULL
);
CREATE TABLE events (
  journal text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  time bigint NOT NULL,
  type text NOT NULL,
  version integer NOT NULL,
  data json NOT NULL,
  checksum bigint NOT NULL,
  PRIMARY KEY (journal, sequence)
);
CREATE TABLE snapshots (LIKE events INCLUDING ALL);
CREATE TABLE handled (
  journal text COLLATE "C" NOT NULL,
  sender text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  checksum bigint NOT NULL,
  PRIMARY KEY (journal, sender)
);
CREATE TABLE outbox (
  journal text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  time bigint NOT NULL,
  target text NOT NULL,
  due bigint,
  timer text NOT NULL,
  type text NOT NULL,
  version integer NOT NULL,
  data json NOT NULL,
  checksum bigint NOT NULL,
  PRIMARY KEY (journal, sequence)
);
COMMENT ON COLUMN events.time IS 'microseconds since 1970-01-01 UTC, for people; order is by sequence';
COMMENT ON COLUMN events.checksum IS 'CRC-32C';
COMMENT ON COLUMN journals.last_sent IS 'the highest outbox sequence ever used';
COMMENT ON COLUMN handled.sequence IS 'the highest outbox sequence of the sender that was handled';
COMMENT ON COLUMN outbox.due IS 'as time; NULL: at once';
)",
};

constexpr int current = static_cast<int>(migrations.size());

/// 0: no tables.
int version_of(postgres_connection& c) {
  if (!c.text_of("SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'meta'"))
    return 0;
  const auto text = c.text_of("SELECT value FROM meta WHERE name = 'schema_version'").value_or(std::string{});
  int version = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), version).ec != std::errc{} || version < 1)
    throw journal_error{c.name() + ": there is a table meta, but it does not say that there are journals"};
  if (version > current) {
    auto refusal = c.name();
    refusal.append(" is of schema version ").append(std::to_string(version));
    refusal.append("; this program knows versions up to ").append(std::to_string(current));
    throw journal_error{refusal};
  }
  return version;
}

constexpr const char* lock_class = "1416785775"; // "Trou"

} // namespace

void prepare_postgres_schema(postgres_connection& c) {
  c.execute("BEGIN");
  c.execute("SELECT pg_advisory_xact_lock(1416785775, 0)", postgres_answer::late); // two may begin at once
  const int found = version_of(c);
  for (int v = found; v < current; ++v)
    c.execute(migrations[static_cast<std::size_t>(v)], postgres_answer::late);
  if (found != current)
    c.text_of("INSERT INTO meta VALUES ('schema_version', $1) "
              "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
              postgres_parameters{current});
  c.execute("COMMIT");
}

void check_postgres_schema(postgres_connection& c) {
  if (version_of(c) == 0)
    throw journal_error{c.name() + " holds no journals"};
}

void lift_postgres_limits(postgres_connection& c) {
  // Some are not known to all versions.
  c.text_of("SELECT set_config(name, wanted, false) FROM (VALUES "
            "('statement_timeout', '0', true), ('transaction_timeout', '0', true), ('lock_timeout', '0', true), "
            "('idle_session_timeout', '0', true), ('idle_in_transaction_session_timeout', '0', true), "
            "('tcp_keepalives_idle', '10', false), ('tcp_keepalives_interval', '5', false), "
            "('tcp_keepalives_count', '4', false)) AS s (name, wanted, always) "
            "JOIN pg_settings USING (name) WHERE always OR source = 'default'");
}

void refuse_postgres_standby(postgres_connection& c) {
  if (c.text_of("SELECT pg_is_in_recovery()") == "t")
    throw journal_error{c.name() + " is a standby server; journals are on the one that it follows"};
}

void refuse_narrow_encoding(postgres_connection& c) {
  const auto encoding = c.text_of("SHOW server_encoding").value_or(std::string{});
  if (encoding != "UTF8" && encoding != "SQL_ASCII") // which takes all as it is
    throw journal_error{c.name() + ": the database's encoding is " + encoding +
                        ", which lacks characters; journals need one that is UTF8"};
}

void lock_postgres_journals(postgres_connection& c, const std::string& lost) {
  // The table's number tells schemas and databases apart (advisory locks are per database).
  const auto object = c.text_of("SELECT 'meta'::regclass::oid::bigint - 2147483648").value_or(std::string{});
  const postgres_parameters named{std::string_view{lock_class}, std::string_view{object}};
  // A session whose client has just gone holds its locks until the server notices.
  for (int tries = 0; tries < 20; ++tries) {
    if (c.text_of("SELECT pg_try_advisory_lock($1::int, $2::int)", named) == "t")
      return;
    // The lost one may not notice for long that its client has gone: when it waits for a standby, or for a dead network.
    if (!lost.empty())
      c.text_of((std::string{"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "} +
                 postgres_connection::session_columns + " = $1 AND pg_has_role(usesysid, 'USAGE')")
                    .c_str(),
                postgres_parameters{lost});
    c.text_of("SELECT pg_sleep(0.05)::text");
  }
  // Where it is and since when only some users may know.
  const auto holder =
      c.text_of("SELECT concat(a.application_name, CASE WHEN a.backend_start IS NOT NULL THEN ' at ' || "
                "coalesce(host(a.client_addr), 'the server''s machine') END, "
                "', session ', a.pid, ', since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')) "
                "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::bigint::oid AND "
                "l.objid = ((($2::bigint + 4294967296) % 4294967296))::oid "
                "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                named);
  throw journal_error{c.name() + " is in use by " + (holder ? *holder : std::string{"another session"}) +
                      "; a journal has one writer"};
}

std::uint64_t postgres_transactions(postgres_connection& c) {
  const auto text = c.text_of("SELECT value FROM meta WHERE name = 'transactions'").value_or(std::string{});
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::string mark_postgres_journals(postgres_connection& c) {
  c.execute("BEGIN");
  c.execute("SET LOCAL synchronous_commit = local"); // opening does not wait for standbys
  c.execute("INSERT INTO meta VALUES ('transactions', '0') ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  auto mark = c.text_of("INSERT INTO meta VALUES ('writer', pg_backend_pid() || ' since ' || clock_timestamp()) "
                        "ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value");
  c.execute("COMMIT");
  return mark.value_or(std::string{});
}

} // namespace troupe
