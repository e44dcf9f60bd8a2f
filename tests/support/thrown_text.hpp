// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <exception>
#include <functional>
#include <string>

namespace support {

/// What `f` throws.
inline std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

inline bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace support
