// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/sqlite_new_events.hpp>
#include <troupe/journal/store.hpp>

#include <cstddef>
#include <new>
#include <sqlite3.h>

namespace troupe {

namespace {

using events = std::vector<sqlite_new_events::event>;

struct table : sqlite3_vtab {
  const events* rows;
};

struct cursor : sqlite3_vtab_cursor {
  const events* rows;
  std::size_t at;
};

int connect(sqlite3* db, void* rows, int, const char* const*, sqlite3_vtab** made, char**) {
  const int code = sqlite3_declare_vtab(
      db, "CREATE TABLE new_events (number, previous, journal, sequence, time, type, version, data, checksum)");
  if (code != SQLITE_OK)
    return code;
  *made = new (std::nothrow) table{{}, static_cast<const events*>(rows)};
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

/// In the order of the declaration.
int column(sqlite3_vtab_cursor* c, sqlite3_context* to, int i) {
  const auto& here = *static_cast<cursor*>(c);
  const auto& e = (*here.rows)[here.at];
  const auto number = [&](auto n) { sqlite3_result_int64(to, static_cast<sqlite3_int64>(n)); };
  const auto text = [&](std::string_view t) {
    sqlite3_result_text64(to, t.data() != nullptr ? t.data() : "", t.size(), SQLITE_STATIC, SQLITE_UTF8);
  };
  switch (i) {
    case 0: number(e.number); break;
    case 1: number(e.previous); break;
    case 2: text(e.key); break;
    case 3: number(e.row->sequence); break;
    case 4: number(e.row->time); break;
    case 5: text(e.row->type); break;
    case 6: number(e.row->version); break;
    case 7: text(e.row->data); break;
    default: number(e.row->checksum); break;
  }
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

const char* registered(sqlite_connection& c, events& rows, const char* sql) {
  if (sqlite3_create_module_v2(c.handle(), "new_events", &module_of_rows, &rows, nullptr) != SQLITE_OK)
    throw journal_error{"journal " + c.path() + ": SQLite takes no virtual table: " + sqlite3_errmsg(c.handle())};
  return sql;
}

} // namespace

sqlite_new_events::sqlite_new_events(sqlite_connection& c)
    : insert_{c, registered(c, waiting_, "INSERT INTO events SELECT * FROM new_events")} {}

void sqlite_new_events::insert() {
  if (waiting_.empty())
    return;
  insert_.run();
  waiting_.clear();
}

} // namespace troupe
