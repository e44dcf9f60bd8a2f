// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;
struct pg_result;

namespace troupe {

/// The parameters of one statement, as text.
class postgres_parameters {
public:
  template <class... Args>
  explicit postgres_parameters(const Args&... args) {
    values_.reserve(sizeof...(Args));
    (add(args), ...);
  }

  int count() const noexcept { return static_cast<int>(values_.size()); }
  /// Valid until this changes or goes.
  std::vector<const char*> pointers() const;

private:
  void add(std::string_view text) { values_.emplace_back(std::string{text}); }
  void add(const std::string& text) { values_.emplace_back(text); }
  void add(std::int64_t n) { values_.emplace_back(std::to_string(n)); }
  void add(std::uint64_t n) { values_.emplace_back(std::to_string(n)); }
  void add(std::uint32_t n) { values_.emplace_back(std::to_string(n)); }
  void add(int n) { values_.emplace_back(std::to_string(n)); }
  void add(const std::optional<std::int64_t>& n) {
    if (n)
      add(*n);
    else
      values_.emplace_back();
  }

  std::vector<std::optional<std::string>> values_;
};

/// A parameter that is an array of one dimension, without nulls, in PostgreSQL's binary format.
class postgres_array {
public:
  /// Of its elements, by their numbers in pg_type.
  enum class type : std::int32_t { bigint = 20, integer = 23, text = 25, json = 114 };
  explicit postgres_array(type elements);

  void add(std::int64_t bigint);
  void add(std::int32_t integer);
  void add(std::string_view text_or_json);
  void clear();

  bool empty() const noexcept { return count_ == 0; }
  /// Valid until this changes or goes.
  std::string_view bytes() const noexcept { return bytes_; }

private:
  void put(std::int32_t n, std::size_t at);
  void begin_element(std::size_t bytes);

  std::int32_t count_ = 0;
  std::string bytes_;
};

/// A row of a result. Valid during the call that shows it.
class postgres_row {
public:
  postgres_row(const pg_result* r, int row) noexcept : result_{r}, row_{row} {}
  std::string_view text(int column) const noexcept;
  std::int64_t number(int column) const noexcept;
  std::uint64_t count(int column) const noexcept { return static_cast<std::uint64_t>(number(column)); }
  bool null(int column) const noexcept;

private:
  const pg_result* result_;
  int row_;
};

/// libpq with an owner and exceptions. Errors: journal_error naming the server, never the password, and what it said.
/// Threads: one at a time.
class postgres_connection {
public:
  /// `url`: what libpq takes, `postgresql://...`. Connects, within the time that the URL allows (`connect_timeout`; 10 s).
  explicit postgres_connection(const std::string& url);
  ~postgres_connection();
  postgres_connection(const postgres_connection&) = delete;
  postgres_connection& operator=(const postgres_connection&) = delete;

  /// The server as people may see it: `postgresql://user@host:port/database`.
  static std::string name_of(const std::string& url);
  const std::string& name() const noexcept { return name_; }

  /// One or more statements without parameters.
  void execute(const std::string& sql);
  void prepare(const char* statement, const char* sql);
  /// Rows as they arrive; false from `f` ends the reading. Should `f` throw, the connection is of no use afterwards.
  void query(const char* sql, const postgres_parameters& p, const std::function<bool(const postgres_row&)>& f);
  /// The first column of the first row; nothing if there is none.
  std::optional<std::string> text_of(const char* sql, const postgres_parameters& p = postgres_parameters{});

  /// Statements prepared before, sent without waiting for each other's results.
  void begin_pipeline();
  void send(const char* statement, const postgres_parameters& p = postgres_parameters{});
  void send(const char* statement, std::span<postgres_array* const> p);
  /// Waits for all results; throws the first error.
  void end_pipeline();

  /// False after an error that has left the connection in an unknown state.
  bool usable() const noexcept { return usable_; }

private:
  [[noreturn]] void fail(const std::string& operation, const pg_result* r = nullptr);
  std::string message(const pg_result* r) const;

  const std::string name_;
  pg_conn* handle_ = nullptr;
  bool usable_ = true;
};

} // namespace troupe
