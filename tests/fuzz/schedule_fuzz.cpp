// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a schedule: refused, or read so that it is written and read as the same again.
#include <troupe/testing/schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto s = troupe::parse_schedule({reinterpret_cast<const char*>(data), size});
    if (troupe::parse_schedule(troupe::to_string(s)) != s)
      std::abort();
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
