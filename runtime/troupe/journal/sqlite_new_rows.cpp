// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_new_rows.hpp>
#include <troupe/journal/store.hpp>

#include <new>
#include <sqlite3.h>

namespace troupe {

namespace {

struct table : sqlite3_vtab {
  const sqlite_new_rows* rows;
};

struct cursor : sqlite3_vtab_cursor {
  const sqlite_new_rows* rows;
  std::size_t at;
};

int connect(sqlite3* db, void* rows, int, const char* const*, sqlite3_vtab** made, char**) {
  const auto* of = static_cast<const sqlite_new_rows*>(rows);
  const int code = sqlite3_declare_vtab(db, of->declaration().c_str());
  if (code != SQLITE_OK)
    return code;
  *made = new (std::nothrow) table{{}, of};
  return *made != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

int disconnect(sqlite3_vtab* t) {
  delete static_cast<table*>(t);
  return SQLITE_OK;
}

int plan(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; } // from the first to the last, whatever is asked

int open(sqlite3_vtab* t, sqlite3_vtab_cursor** made) {
  *made = new (std::nothrow) cursor{{}, static_cast<table*>(t)->rows, 0};
  return *made != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

int close(sqlite3_vtab_cursor* c) {
  delete static_cast<cursor*>(c);
  return SQLITE_OK;
}

int begin(sqlite3_vtab_cursor* c, int, const char*, int, sqlite3_value**) {
  static_cast<cursor*>(c)->at = 0;
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* c) {
  ++static_cast<cursor*>(c)->at;
  return SQLITE_OK;
}

int at_end(sqlite3_vtab_cursor* c) {
  const auto& here = *static_cast<cursor*>(c);
  return here.at == here.rows->size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* c, sqlite3_context* to, int i) {
  const auto& here = *static_cast<cursor*>(c);
  here.rows->show(here.at, i, to);
  return SQLITE_OK;
}

int row_id(sqlite3_vtab_cursor* c, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(static_cast<cursor*>(c)->at);
  return SQLITE_OK;
}

/// Without xCreate: it is there without CREATE VIRTUAL TABLE, and nothing of it is in the file.
constexpr sqlite3_module module_of_rows{.iVersion = 0,
                                        .xCreate = nullptr,
                                        .xConnect = connect,
                                        .xBestIndex = plan,
                                        .xDisconnect = disconnect,
                                        .xDestroy = nullptr,
                                        .xOpen = open,
                                        .xClose = close,
                                        .xFilter = begin,
                                        .xNext = next,
                                        .xEof = at_end,
                                        .xColumn = column,
                                        .xRowid = row_id,
                                        .xUpdate = nullptr,
                                        .xBegin = nullptr,
                                        .xSync = nullptr,
                                        .xCommit = nullptr,
                                        .xRollback = nullptr,
                                        .xFindFunction = nullptr,
                                        .xRename = nullptr,
                                        .xSavepoint = nullptr,
                                        .xRelease = nullptr,
                                        .xRollbackTo = nullptr,
                                        .xShadowName = nullptr};

} // namespace

sqlite_new_rows::sqlite_new_rows(sqlite_connection& c, const std::string& table, const std::string& columns)
    : declaration_{"CREATE TABLE " + table + ' ' + columns} {
  if (sqlite3_create_module_v2(c.handle(), table.c_str(), &module_of_rows, this, nullptr) != SQLITE_OK)
    throw journal_error{"journal " + c.path() + ": SQLite takes no virtual table: " + sqlite3_errmsg(c.handle())};
}

void sqlite_new_rows::number(sqlite3_context* to, std::int64_t n) { sqlite3_result_int64(to, n); }

void sqlite_new_rows::text(sqlite3_context* to, std::string_view t) {
  sqlite3_result_text64(to, t.data() != nullptr ? t.data() : "", t.size(), SQLITE_STATIC, SQLITE_UTF8);
}

} // namespace troupe
