// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace order_simulation {

/// The SHA-256 digest of a byte string (FIPS 180-4). It compares stock files; it is not meant to resist side channels.
///
/// Threads: owner only.
class sha256 {
public:
  /// Appends bytes to the message. Limit: 2^61 bytes in total.
  void update(std::string_view bytes);

  /// Ends the message and returns its digest as 64 lower-case hexadecimal digits. The object is spent afterwards.
  std::string hex_digest();

private:
  void absorb_block(const unsigned char* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t message_bytes_ = 0;
};

/// The digest of `bytes` in one call.
std::string sha256_hex(std::string_view bytes);

} // namespace order_simulation
