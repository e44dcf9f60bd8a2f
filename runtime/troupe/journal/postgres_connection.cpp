// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_connection.hpp>
#include <troupe/journal/store.hpp>

#include <libpq-fe.h>
#include <memory>
#include <poll.h>
#include <vector>

namespace troupe {

namespace {

using owned_result = std::unique_ptr<PGresult, decltype(&PQclear)>;
owned_result own(PGresult* r) noexcept { return {r, &PQclear}; }

bool good(const PGresult* r) noexcept {
  const auto status = PQresultStatus(r);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
}

/// Enough of a statement to know it by.
std::string beginning(std::string_view operation) { return std::string{operation.substr(0, 60)}; }

} // namespace

postgres_connection::postgres_connection(const std::string& url, std::chrono::milliseconds silence)
    : address_{url}, silence_{silence}, handle_{connect_postgres(address_, silence)} {
  PQsetNoticeProcessor(
      handle_.get(), [](void*, const char*) {}, nullptr);
}

const std::string& postgres_connection::session() {
  if (session_.empty())
    session_ =
        text_of(
            (std::string{"SELECT "} + session_columns + " FROM pg_stat_activity WHERE pid = pg_backend_pid()").c_str())
            .value_or(std::string{});
  return session_;
}

void postgres_connection::execute(const std::string& sql, postgres_answer a) {
  if (a == postgres_answer::late)
    session(); // to ask for it
  if (PQsendQuery(handle_.get(), sql.c_str()) != 1)
    fail(sql);
  end_statement(sql, a);
}

void postgres_connection::prepare(const char* statement, const char* sql) {
  if (PQsendPrepare(handle_.get(), statement, sql, 0, nullptr) != 1)
    fail(sql);
  end_statement(sql, postgres_answer::soon);
}

void postgres_connection::end_statement(std::string_view sql, postgres_answer a) {
  push_out(sql);
  auto last = own(nullptr);
  for (auto r = own(next_result(sql, a)); r != nullptr; r = own(next_result(sql, a)))
    if (last == nullptr || good(last.get()))
      last = std::move(r);
  if (!good(last.get()))
    fail(sql, last.get());
}

void postgres_connection::query(const char* sql, const postgres_parameters& p,
                                const std::function<bool(const postgres_row&)>& f, postgres_answer a) {
  if (a == postgres_answer::late)
    session(); // to ask for it
  const auto values = p.pointers();
  if (PQsendQueryParams(handle_.get(), sql, p.count(), nullptr, values.data(), nullptr, nullptr, 0) != 1)
    fail(sql);
  PQsetSingleRowMode(handle_.get());
  push_out(sql);
  usable_ = false; // should `f` throw
  bool wanted = true;
  for (auto r = own(next_result(sql, a)); r != nullptr; r = own(next_result(sql, a))) {
    if (!good(r.get()))
      fail(sql, r.get());
    for (int row = 0; wanted && row < PQntuples(r.get()); ++row)
      wanted = f({r.get(), row});
  }
  usable_ = true;
}

std::optional<std::string> postgres_connection::text_of(const char* sql, const postgres_parameters& p,
                                                        postgres_answer a) {
  std::optional<std::string> found;
  query(
      sql, p,
      [&](const postgres_row& row) {
        found = std::string{row.text(0)};
        return false;
      },
      a);
  return found;
}

void postgres_connection::begin_pipeline() {
  if (PQenterPipelineMode(handle_.get()) != 1)
    fail("pipeline");
}

void postgres_connection::send(const char* statement, const postgres_parameters& p) {
  const auto values = p.pointers();
  if (PQsendQueryPrepared(handle_.get(), statement, p.count(), values.data(), nullptr, nullptr, 0) != 1)
    fail(statement);
  handed_over(p.bytes(), statement);
}

void postgres_connection::send(const char* statement, std::span<postgres_array* const> p) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::size_t bytes = 0;
  for (const auto* a : p) {
    values.push_back(a->bytes().data());
    lengths.push_back(static_cast<int>(a->bytes().size()));
    bytes += a->bytes().size();
  }
  const std::vector<int> binary(p.size(), 1);
  if (PQsendQueryPrepared(handle_.get(), statement, static_cast<int>(p.size()), values.data(), lengths.data(),
                          binary.data(), 0) != 1)
    fail(statement);
  handed_over(bytes, statement);
}

/// libpq keeps what the network does not take.
void postgres_connection::handed_over(std::size_t bytes, std::string_view operation) {
  constexpr std::size_t unsent_max = 1 << 20;
  unsent_ += bytes;
  if (unsent_ >= unsent_max)
    push_out(operation);
}

void postgres_connection::request_word() {
  if (PQsendFlushRequest(handle_.get()) != 1)
    fail("pipeline");
}

void postgres_connection::end_pipeline() {
  if (PQpipelineSync(handle_.get()) != 1)
    fail("pipeline");
  push_out("commit");
  std::string first_error;
  for (bool ended = false;;) {
    const auto r = own(next_result("commit", postgres_answer::soon));
    // Null stands between the results of two statements; twice in a row, and the server has gone without its last word.
    if (PQstatus(handle_.get()) == CONNECTION_BAD || (r == nullptr && ended)) {
      usable_ = false;
      throw journal_error{name() + ": commit: " + (first_error.empty() ? message(r.get()) : first_error)};
    }
    ended = r == nullptr;
    const auto status = PQresultStatus(r.get());
    if (r != nullptr && status == PGRES_PIPELINE_SYNC)
      break;
    if (r != nullptr && status == PGRES_FATAL_ERROR && first_error.empty())
      first_error = message(r.get());
  }
  if (PQexitPipelineMode(handle_.get()) != 1)
    fail("pipeline");
  if (!first_error.empty()) {
    execute("ROLLBACK");
    throw journal_error{name() + ": " + first_error};
  }
}

/// Returns when the network has taken all that libpq was given. A server that does not read may first want to be read from.
void postgres_connection::push_out(std::string_view operation) {
  for (int left = PQflush(handle_.get()); left != 0; left = PQflush(handle_.get())) {
    if (left < 0)
      fail(operation);
    if (!await(POLLIN | POLLOUT, operation, postgres_answer::soon))
      break; // whoever wants a result is told why
  }
  unsent_ = 0;
}

/// The next one that PQgetResult has, which does not wait now.
pg_result* postgres_connection::next_result(std::string_view operation, postgres_answer a) {
  while (PQisBusy(handle_.get()) != 0)
    if (!await(POLLIN, operation, a))
      break;
  return PQgetResult(handle_.get());
}

/// Takes in what comes. False: the connection is broken, and libpq knows why.
bool postgres_connection::await(short events, std::string_view operation, postgres_answer a) {
  std::string doubt = a == postgres_answer::soon ? "Either the server or the network to it hangs" : "";
  // Who is not at work any more may have finished just then: its answer gets a silence of its own.
  for (; !await_socket(handle_.get(), events, silence_); doubt = doubt_of_work())
    if (!doubt.empty()) {
      usable_ = false;
      throw journal_error{name() + ": " + beginning(operation) + ": the server has said nothing for " +
                          in_words(silence_) + "; this connection is given up. " + doubt +
                          ", or it is slow: then let it have more time (longest_silence)"};
    }
  bool whole = PQconsumeInput(handle_.get()) == 1;
  if (PQsslInUse(handle_.get()) != 0) // what TLS has received beyond that leaves the socket quiet
    whole = whole && PQconsumeInput(handle_.get()) == 1;
  return whole;
}

/// Empty: the server, asked over another connection, says that this session is at work.
std::string postgres_connection::doubt_of_work() const {
  try {
    postgres_connection other{address_.url(), silence_};
    const auto asked =
        std::string{"SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND "} + session_columns + " = $1";
    if (other.text_of(asked.c_str(), postgres_parameters{session_}))
      return {};
    return "Asked over another connection, the server does not know it to be at work: the network hangs";
  } catch (const journal_error& e) {
    return std::string{"Asked over another connection whether it is at work: "} + e.what() + ". It hangs";
  }
}

std::string postgres_connection::message(const PGresult* r) const {
  std::string text = r != nullptr ? PQresultErrorMessage(r) : "";
  if (text.empty())
    text = PQerrorMessage(handle_.get());
  while (text.ends_with('\n') || text.ends_with(' '))
    text.pop_back();
  return text;
}

void postgres_connection::fail(std::string_view operation, const PGresult* r) {
  usable_ = false;
  throw journal_error{name() + ": " + beginning(operation) + ": " + message(r)};
}

} // namespace troupe
