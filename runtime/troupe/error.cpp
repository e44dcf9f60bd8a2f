// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/error.hpp>
#include <troupe/supervision/thrown.hpp>
#include <troupe/type_name.hpp>

#include <typeinfo>

namespace troupe {

const char* to_string(errc code) noexcept {
  switch (code) {
    case errc::timed_out: return "timed_out";
    case errc::mailbox_full: return "mailbox_full";
    case errc::stopped: return "stopped";
    case errc::restarted: return "restarted";
    case errc::failed: return "failed";
    case errc::dropped: return "dropped";
    case errc::no_reply: return "no_reply";
    case errc::name_taken: return "name_taken";
    case errc::unavailable: return "unavailable";
    case errc::not_found: return "not_found";
    case errc::not_stopped: return "not_stopped";
    case errc::bad_options: return "bad_options";
    case errc::shutting_down: return "shutting_down";
  }
  return "?";
}

namespace {

std::string text_of(const error& e) {
  return e.what.empty() ? std::string{to_string(e.code)} : std::string{to_string(e.code)} + ": " + e.what;
}

} // namespace

request_error::request_error(error e) : std::runtime_error{text_of(e)}, code_{e.code} {}

std::string describe(const std::exception_ptr& e) {
  if (e == nullptr)
    return "no exception";
  if (const auto* x = detail::thrown_as<std::exception>(e))
    return type_name(typeid(*x)) + ": " + x->what();
  return "an exception that is not a std::exception";
}

} // namespace troupe
