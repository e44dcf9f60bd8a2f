// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_connection.hpp>
#include <troupe/journal/store.hpp>

#include <charconv>
#include <libpq-fe.h>
#include <memory>
#include <unistd.h>

namespace troupe {

namespace {

using owned_result = std::unique_ptr<PGresult, decltype(&PQclear)>;
owned_result own(PGresult* r) noexcept { return {r, &PQclear}; }

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

} // namespace

std::vector<const char*> postgres_parameters::pointers() const {
  std::vector<const char*> all;
  all.reserve(values_.size());
  for (const auto& v : values_)
    all.push_back(v ? v->c_str() : nullptr);
  return all;
}

// Numbers travel with their most significant byte first. An array's header: dimensions, whether there are nulls, the type,
// how many, and the index of the first.
postgres_array::postgres_array(type elements) : bytes_(20, '\0') {
  put(1, 0);
  put(static_cast<std::int32_t>(elements), 8);
  put(1, 16);
}

void postgres_array::put(std::int32_t n, std::size_t at) {
  const auto bits = static_cast<std::uint32_t>(n);
  for (std::size_t i = 0; i < 4; ++i)
    bytes_[at + i] = static_cast<char>(bits >> (24 - 8 * i) & 0xff);
}

void postgres_array::begin_element(std::size_t bytes) {
  put(++count_, 12);
  const auto at = bytes_.size();
  bytes_.resize(at + 4);
  put(static_cast<std::int32_t>(bytes), at);
}

void postgres_array::add(std::int64_t bigint) {
  begin_element(8);
  const auto bits = static_cast<std::uint64_t>(bigint);
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes_ += static_cast<char>(bits >> shift & 0xff);
}

void postgres_array::add(std::int32_t integer) {
  begin_element(4);
  const auto at = bytes_.size();
  bytes_.resize(at + 4);
  put(integer, at);
}

void postgres_array::add(std::string_view text_or_json) {
  begin_element(text_or_json.size());
  bytes_ += text_or_json;
}

void postgres_array::clear() {
  bytes_.resize(20);
  put(count_ = 0, 12);
}

std::string_view postgres_row::text(int column) const noexcept {
  return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::int64_t postgres_row::number(int column) const noexcept {
  const auto digits = text(column);
  std::int64_t n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return n;
}

bool postgres_row::null(int column) const noexcept { return PQgetisnull(result_, row_, column) != 0; }

postgres_connection::postgres_connection(const std::string& url) : name_{name_of(url)} {
  // What the URL says comes last and wins. A server whose machine has vanished is noticed in half a minute, in a whole one if
  // it has not confirmed what was sent, instead of hours.
  const auto who = "troupe journal, process " + std::to_string(::getpid());
  const char* keywords[] = {"client_encoding",
                            "connect_timeout",
                            "fallback_application_name",
                            "keepalives_idle",
                            "keepalives_interval",
                            "keepalives_count",
                            "tcp_user_timeout",
                            "dbname",
                            nullptr};
  const char* values[] = {"UTF8", "10", who.c_str(), "10", "5", "4", "60000", url.c_str(), nullptr};
  handle_ = PQconnectdbParams(keywords, values, 1);
  if (handle_ == nullptr)
    throw std::bad_alloc{};
  if (PQstatus(handle_) != CONNECTION_OK) {
    const auto text = name_ + ": " + without_line_end(PQerrorMessage(handle_));
    PQfinish(handle_);
    throw journal_error{text};
  }
  PQsetNoticeProcessor(
      handle_, [](void*, const char*) {}, nullptr);
}

postgres_connection::~postgres_connection() { PQfinish(handle_); }

std::string postgres_connection::name_of(const std::string& url) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconninfoParse(url.c_str(), &error),
                                                                             &PQconninfoFree};
  if (options == nullptr) {
    const std::string text = error != nullptr ? error : "not a PostgreSQL URL";
    PQfreemem(error);
    throw journal_error{"the journal's address is wrong: " + without_line_end(text)};
  }
  std::string user, host, port, database;
  for (const auto* o = options.get(); o->keyword != nullptr; ++o) {
    const std::string_view keyword = o->keyword;
    const std::string value = o->val != nullptr ? o->val : "";
    if (keyword == "user")
      user = value.empty() ? value : value + '@';
    else if (keyword == "host")
      host = value;
    else if (keyword == "port")
      port = value.empty() ? value : ':' + value;
    else if (keyword == "dbname")
      database = value;
  }
  return "postgresql://" + user + host + port + '/' + database;
}

void postgres_connection::execute(const std::string& sql) {
  const auto r = own(PQexec(handle_, sql.c_str()));
  const auto status = PQresultStatus(r.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    fail(sql, r.get());
}

void postgres_connection::prepare(const char* statement, const char* sql) {
  const auto r = own(PQprepare(handle_, statement, sql, 0, nullptr));
  if (PQresultStatus(r.get()) != PGRES_COMMAND_OK)
    fail(sql, r.get());
}

void postgres_connection::query(const char* sql, const postgres_parameters& p,
                                const std::function<bool(const postgres_row&)>& f) {
  const auto values = p.pointers();
  if (PQsendQueryParams(handle_, sql, p.count(), nullptr, values.data(), nullptr, nullptr, 0) != 1)
    fail(sql);
  PQsetSingleRowMode(handle_);
  usable_ = false; // should `f` throw
  bool wanted = true;
  for (auto r = own(PQgetResult(handle_)); r != nullptr; r = own(PQgetResult(handle_))) {
    const auto status = PQresultStatus(r.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      fail(sql, r.get());
    for (int row = 0; wanted && row < PQntuples(r.get()); ++row)
      wanted = f({r.get(), row});
  }
  usable_ = true;
}

std::optional<std::string> postgres_connection::text_of(const char* sql, const postgres_parameters& p) {
  std::optional<std::string> found;
  query(sql, p, [&](const postgres_row& row) {
    found = std::string{row.text(0)};
    return false;
  });
  return found;
}

void postgres_connection::begin_pipeline() {
  if (PQenterPipelineMode(handle_) != 1)
    fail("pipeline");
}

void postgres_connection::send(const char* statement, const postgres_parameters& p) {
  const auto values = p.pointers();
  if (PQsendQueryPrepared(handle_, statement, p.count(), values.data(), nullptr, nullptr, 0) != 1)
    fail(statement);
}

void postgres_connection::send(const char* statement, std::span<postgres_array* const> p) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto* a : p) {
    values.push_back(a->bytes().data());
    lengths.push_back(static_cast<int>(a->bytes().size()));
  }
  const std::vector<int> binary(p.size(), 1);
  if (PQsendQueryPrepared(handle_, statement, static_cast<int>(p.size()), values.data(), lengths.data(), binary.data(),
                          0) != 1)
    fail(statement);
}

void postgres_connection::end_pipeline() {
  if (PQpipelineSync(handle_) != 1)
    fail("pipeline");
  std::string first_error;
  for (bool ended = false;;) {
    const auto r = own(PQgetResult(handle_));
    // Null stands between the results of two statements; twice in a row, and the server has gone without its last word.
    if (PQstatus(handle_) == CONNECTION_BAD || (r == nullptr && ended)) {
      usable_ = false;
      throw journal_error{name_ + ": commit: " + (first_error.empty() ? message(r.get()) : first_error)};
    }
    ended = r == nullptr;
    const auto status = PQresultStatus(r.get());
    if (r != nullptr && status == PGRES_PIPELINE_SYNC)
      break;
    if (r != nullptr && status == PGRES_FATAL_ERROR && first_error.empty())
      first_error = message(r.get());
  }
  if (PQexitPipelineMode(handle_) != 1)
    fail("pipeline");
  if (!first_error.empty()) {
    execute("ROLLBACK");
    throw journal_error{name_ + ": " + first_error};
  }
}

std::string postgres_connection::message(const PGresult* r) const {
  std::string text = r != nullptr ? PQresultErrorMessage(r) : "";
  if (text.empty())
    text = PQerrorMessage(handle_);
  return without_line_end(text);
}

void postgres_connection::fail(const std::string& operation, const PGresult* r) {
  usable_ = false;
  throw journal_error{name_ + ": " + operation.substr(0, 60) + ": " + message(r)};
}

} // namespace troupe
