// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace troupe {

/// Why a request got no reply, or a call on the system was refused.
enum class errc : std::uint8_t {
  timed_out,    ///< The deadline passed first. The request may have been handled all the same.
  mailbox_full, ///< The receiver's mailbox was at capacity; the request was not accepted. Try later, or shed load.
  stopped,      ///< The receiver stopped before it replied; only a handler that was suspended then had begun.
  restarted, ///< The receiver was restarted while its handler was suspended; the request is safe to retry if it is idempotent.
  failed,       ///< The receiver's handler threw, and the message was not retried or failed again; see `error::what`.
  dropped,      ///< The request was accepted and then dropped by the overflow policy.
  no_reply,     ///< The receiver gave the reply up without sending it.
  name_taken,   ///< Another actor under the same supervisor has this name.
  unavailable,  ///< The receiver waits for its restart and refuses requests meanwhile. Safe to try again, later.
  not_found,    ///< There is no child of that name.
  not_stopped,  ///< The child runs, and that can be done to a stopped one only.
  bad_options,  ///< An option is out of its range; the message names it.
  shutting_down ///< The system or the supervisor is stopping and takes no new actors.
};

/// Name of an error code as written in the source.
const char* to_string(errc code) noexcept;

/// An error code and what a person needs to act on it.
struct error {
  errc code{};
  std::string what;
};

/// Thrown where a `result` without a value is asked for its value.
class request_error : public std::runtime_error {
public:
  explicit request_error(error e);
  errc code() const noexcept { return code_; }

private:
  errc code_;
};

/// Either a value or an `error`.
template <class T>
class [[nodiscard]] result {
public:
  using value_type = T;

  result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
  result(troupe::error e) : state_{std::in_place_index<1>, std::move(e)} {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  bool has_value() const noexcept { return state_.index() == 0; }

  /// The value; throws `request_error` if there is none.
  T& value() & { return *this ? std::get<0>(state_) : throw request_error{std::get<1>(state_)}; }
  const T& value() const& { return *this ? std::get<0>(state_) : throw request_error{std::get<1>(state_)}; }
  T value() && { return *this ? std::move(std::get<0>(state_)) : throw request_error{std::get<1>(state_)}; }

  /// Requires a value.
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// Requires that there is no value.
  const troupe::error& error() const noexcept { return *std::get_if<1>(&state_); }

private:
  std::variant<T, troupe::error> state_;
};

template <>
class [[nodiscard]] result<void> {
public:
  using value_type = void;

  result() = default;
  result(troupe::error e) : error_{std::move(e)} {}

  explicit operator bool() const noexcept { return !error_; }
  bool has_value() const noexcept { return !error_; }
  void value() const {
    if (error_)
      throw request_error{*error_};
  }
  const troupe::error& error() const noexcept { return *error_; }

private:
  std::optional<troupe::error> error_;
};

/// Thrown when a call is made that no correct program makes, such as blocking inside an actor.
class usage_error : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// What `e` says: `what()` of a std::exception with its type, or a placeholder.
std::string describe(const std::exception_ptr& e);

} // namespace troupe
