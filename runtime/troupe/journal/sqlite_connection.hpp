// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace troupe {

/// SQLite's C interface with owners and exceptions. Errors: journal_error naming the file, the operation, SQLite's message
/// and the operating system's; recovery_error if the file was damaged. Threads: a connection and its statements, one at a time.
class sqlite_connection {
public:
  enum class mode : unsigned char {
    write,  ///< Creates the file if there is none.
    look,   ///< Reads a file that a writer of this process has open.
    foreign ///< Reads a file that another process may have open.
  };
  /// `vfs`: the name of a registered SQLite VFS; empty: the default one.
  sqlite_connection(const std::string& path, mode m, const std::string& vfs = {});
  ~sqlite_connection();
  sqlite_connection(const sqlite_connection&) = delete;
  sqlite_connection& operator=(const sqlite_connection&) = delete;

  void execute(const char* sql);
  /// The first column of the first row that `sql` gives; empty if none.
  std::string text_of(const char* sql);

  sqlite3* handle() const noexcept { return handle_; }
  const std::string& path() const noexcept { return path_; }
  [[noreturn]] void fail(const std::string& operation, int code) const;

private:
  const std::string path_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement: bind from 1, step, read columns from 0. Texts that are bound must live until the step.
class sqlite_statement {
public:
  sqlite_statement(sqlite_connection& c, const char* sql);
  ~sqlite_statement();
  sqlite_statement(const sqlite_statement&) = delete;
  sqlite_statement& operator=(const sqlite_statement&) = delete;

  /// Binds all arguments in order, from the first parameter.
  template <class... Args>
  sqlite_statement& bind(const Args&... args) {
    int i = 0;
    (set(++i, args), ...);
    return *this;
  }
  /// Goes to the next row. False: there is none, and the statement is ready to be bound again.
  bool step();
  /// Steps through to the end.
  void run() {
    while (step()) {
    }
  }
  void reset() noexcept;

  std::int64_t number(int column) const noexcept;
  std::uint64_t count(int column) const noexcept { return static_cast<std::uint64_t>(number(column)); }
  bool null(int column) const noexcept;
  /// Until the next step.
  std::string_view text(int column) const noexcept;

private:
  void set(int i, std::int64_t n);
  void set(int i, std::uint64_t n) { set(i, static_cast<std::int64_t>(n)); }
  void set(int i, std::uint32_t n) { set(i, static_cast<std::int64_t>(n)); }
  void set(int i, int n) { set(i, static_cast<std::int64_t>(n)); }
  void set(int i, std::string_view text);
  void set(int i, const std::string& text) { set(i, std::string_view{text}); }
  void set(int i, std::nullptr_t);
  template <class T>
  void set(int i, const T* value) { // null or a value
    if (value != nullptr)
      set(i, *value);
    else
      set(i, nullptr);
  }

  sqlite_connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Resets a statement at the end of a scope, so that it keeps no transaction open.
class sqlite_reset {
public:
  explicit sqlite_reset(sqlite_statement& s) noexcept : statement_{s} {}
  ~sqlite_reset() { statement_.reset(); }
  sqlite_reset(const sqlite_reset&) = delete;
  sqlite_reset& operator=(const sqlite_reset&) = delete;

private:
  sqlite_statement& statement_;
};

} // namespace troupe
