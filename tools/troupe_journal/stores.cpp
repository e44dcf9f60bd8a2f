// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_database.hpp>
#include <troupe/journal/postgres_reader.hpp>
#include <troupe/journal/postgres_schema.hpp>
#include <troupe/journal/sqlite_database.hpp>
#include <troupe/journal/sqlite_reader.hpp>

#include "commands.hpp"

#include <filesystem>

namespace journal_tool {

bool is_address(std::string_view store) {
  return store.starts_with("postgresql://") || store.starts_with("postgres://");
}

std::unique_ptr<troupe::journal_reader> look_into(const std::string& store) {
  if (is_address(store)) {
    auto r = std::make_unique<troupe::postgres_reader>(store);
    troupe::check_postgres_schema(r->connection());
    r->begin();
    return r;
  }
  if (!std::filesystem::exists(store))
    throw troupe::journal_error{store + ": there is no such file"};
  if (std::filesystem::is_directory(store))
    throw troupe::journal_error{store + ": is a directory; name the journals' file in it, such as " +
                                (std::filesystem::path{store} / "journal.db").string()};
  auto r = std::make_unique<troupe::sqlite_reader>(store);
  r->begin();
  return r;
}

std::unique_ptr<troupe::journal_database> take(const std::string& store) {
  look_into(store); // so that none is made where none was
  if (is_address(store))
    return std::make_unique<troupe::postgres_database>(store, troupe::postgres_database::options{});
  return std::make_unique<troupe::sqlite_database>(store, troupe::sqlite_database::options{});
}

} // namespace journal_tool
