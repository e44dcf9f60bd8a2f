// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_connection.hpp>
#include <troupe/journal/store.hpp>

#include <sqlite3.h>
#include <system_error>

namespace troupe {

sqlite_connection::sqlite_connection(const std::string& path, mode m, const std::string& vfs) : path_{path} {
  const int access = m == mode::write  ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                     : m == mode::look ? SQLITE_OPEN_READWRITE
                                       : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(path.c_str(), &handle_, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    const auto text = [&] {
      try {
        fail("open", code);
      } catch (const journal_error& e) {
        return std::string{e.what()};
      }
    }();
    sqlite3_close(handle_);
    throw journal_error{text};
  }
  constexpr int patience_ms = 10'000; // readers of other processes hold the file for moments only
  sqlite3_busy_timeout(handle_, patience_ms);
}

sqlite_connection::~sqlite_connection() { sqlite3_close_v2(handle_); }

void sqlite_connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    fail(sql, code);
}

std::string sqlite_connection::text_of(const char* sql) {
  sqlite_statement s{*this, sql};
  if (!s.step())
    return {};
  std::string text{s.text(0)};
  s.run(); // a change is committed, or fails to be, at the end only
  return text;
}

void sqlite_connection::fail(const std::string& operation, int code) const {
  auto text = "journal " + path_ + ": " + operation.substr(0, 60) + ": ";
  text += handle_ != nullptr && sqlite3_errcode(handle_) != SQLITE_OK ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const int system_code = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  if (system_code != 0)
    text += " (" + std::generic_category().message(system_code) + ")";
  text += " [SQLite " + std::to_string(code) + "]";
  if (const int kind = code & 0xff; kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
    throw recovery_error{text};
  throw journal_error{text};
}

sqlite_statement::sqlite_statement(sqlite_connection& c, const char* sql) : connection_{c} {
  const int code = sqlite3_prepare_v3(c.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK)
    c.fail(sql, code);
}

sqlite_statement::~sqlite_statement() { sqlite3_finalize(handle_); }

bool sqlite_statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW)
    return true;
  if (code != SQLITE_DONE) {
    try {
      connection_.fail(sqlite3_sql(handle_), code);
    } catch (...) {
      reset();
      throw;
    }
  }
  reset();
  return false;
}

void sqlite_statement::reset() noexcept { sqlite3_reset(handle_); }

std::int64_t sqlite_statement::number(int column) const noexcept { return sqlite3_column_int64(handle_, column); }

bool sqlite_statement::null(int column) const noexcept { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

std::string_view sqlite_statement::text(int column) const noexcept {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (bytes == nullptr)
    return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

void sqlite_statement::set(int i, std::int64_t n) {
  if (const int code = sqlite3_bind_int64(handle_, i, n); code != SQLITE_OK)
    connection_.fail("bind", code);
}

void sqlite_statement::set(int i, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const auto* bytes = text.empty() ? "" : text.data();
  const int code = sqlite3_bind_text64(handle_, i, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK)
    connection_.fail("bind", code);
}

void sqlite_statement::set(int i, std::nullptr_t) {
  if (const int code = sqlite3_bind_null(handle_, i); code != SQLITE_OK)
    connection_.fail("bind", code);
}

} // namespace troupe
