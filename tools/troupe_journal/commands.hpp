// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// What troupe-journal can do. Each command prints to standard output and returns the exit status: 0, or 1 if it found
/// something wrong. Errors: troupe::journal_error, before anything was printed.
namespace journal_tool {

/// Whether `store` is a server's address and not a path.
bool is_address(std::string_view store);

/// A look into the store, also while a service writes it. Throws if there is none.
std::unique_ptr<troupe::journal_reader> look_into(const std::string& store);

/// The store with the right to write, which nobody else may have. Throws if there is none.
std::unique_ptr<troupe::journal_database> take(const std::string& store);

int list(troupe::journal_reader& r, const std::string& prefix);

/// `last`: so many events, the latest; nothing: all.
int show(troupe::journal_reader& r, const std::string& key, std::optional<std::uint64_t> last);

/// 1 if anything is damaged or missing; each place is a line.
int verify(troupe::journal_reader& r, const std::string& prefix);

int compact(troupe::journal_database& db, const std::string& prefix, bool dry_run);

/// JSON lines.
int export_rows(troupe::journal_reader& r, const std::string& prefix);

} // namespace journal_tool
