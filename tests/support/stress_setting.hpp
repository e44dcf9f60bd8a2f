// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace support {

inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// The seed of a test's random choices, another one each time unless the test says so; TROUPE_TEST_SEED repeats a run. For a
/// variable that is captured, so that a failure shows it.
inline std::uint64_t test_seed(std::uint64_t otherwise = std::random_device{}()) {
  return setting("TROUPE_TEST_SEED", otherwise);
}

inline std::uint64_t fewer_if_sanitized(std::uint64_t full) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  full /= 10;
#endif
  return full;
}

} // namespace support
