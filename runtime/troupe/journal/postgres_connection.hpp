// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/postgres_address.hpp>
#include <troupe/journal/postgres_handle.hpp>
#include <troupe/journal/postgres_values.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct pg_result;

namespace troupe {

/// When a server that is well answers.
enum class postgres_answer {
  /// Soon. A connection on which nothing comes for `silence` is given up.
  soon,
  /// When it has gone through whole tables. After each `silence` the server is asked over another connection whether this
  /// session is at work; unless it says so the next silence is the last one.
  late,
};

/// libpq with an owner, exceptions, and waits that end. A server may accept connections, or have done so, and never answer:
/// its process hangs, or the network swallows what is sent. Its machine's kernel goes on confirming, so TCP notices nothing.
/// Therefore each wait, to send as well as to receive, lasts `silence` at most from the last sign of life on; what takes long
/// because it is large is not cut as long as something comes.
///
/// Errors: journal_error naming the server, never the password, what was asked, and what it said or that it said nothing.
/// Threads: one at a time.
class postgres_connection {
public:
  static constexpr std::chrono::milliseconds default_silence{30'000};

  /// `url`: what libpq takes, `postgresql://...`. Connects, see postgres_handle.
  explicit postgres_connection(const std::string& url, std::chrono::milliseconds silence = default_silence);

  /// The server as people may see it: `postgresql://user@host:port/database`.
  const std::string& name() const noexcept { return address_.name(); }

  /// Tells this session from all others of its server, also from later ones of the same process number. Empty: unknown.
  const std::string& session();
  /// An expression for the same, over the columns of pg_stat_activity.
  static constexpr const char* session_columns = "pid || ' since ' || extract(epoch FROM backend_start)";

  /// One or more statements without parameters.
  void execute(const std::string& sql, postgres_answer a = postgres_answer::soon);
  void prepare(const char* statement, const char* sql);
  /// Rows as they arrive; false from `f` ends the reading. Should `f` throw, the connection is of no use afterwards.
  void query(const char* sql, const postgres_parameters& p, const std::function<bool(const postgres_row&)>& f,
             postgres_answer a = postgres_answer::soon);
  /// The first column of the first row; nothing if there is none.
  std::optional<std::string> text_of(const char* sql, const postgres_parameters& p = postgres_parameters{},
                                     postgres_answer a = postgres_answer::soon);

  /// Statements prepared before, sent without waiting for each other's results.
  void begin_pipeline();
  void send(const char* statement, const postgres_parameters& p = postgres_parameters{});
  void send(const char* statement, std::span<postgres_array* const> p);
  /// Has the server tell at once that it has done what was sent so far. Otherwise it may do so at the end only, and say
  /// nothing during several statements that take some time each.
  void request_word();
  /// Waits for all results; throws the first error.
  void end_pipeline();

  /// False after an error that has left the connection in an unknown state.
  bool usable() const noexcept { return usable_; }

private:
  void end_statement(std::string_view sql, postgres_answer a);
  void handed_over(std::size_t bytes, std::string_view operation);
  void push_out(std::string_view operation);
  pg_result* next_result(std::string_view operation, postgres_answer a);
  bool await(short events, std::string_view operation, postgres_answer a);
  std::string doubt_of_work() const;

  [[noreturn]] void fail(std::string_view operation, const pg_result* r = nullptr);
  std::string message(const pg_result* r) const;

  const postgres_address address_;
  const std::chrono::milliseconds silence_;
  const postgres_handle handle_;
  std::string session_;
  std::size_t unsent_ = 0; ///< Bytes handed to libpq since it had last sent all.
  bool usable_ = true;
};

} // namespace troupe
