// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace troupe {

/// CRC-32C (Castagnoli) of `bytes`, going on from `crc`, that of what came before. RFC 3720, appendix B.4. By the
/// processor's own instruction where it has one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0) noexcept;
/// Of all pieces, one after the other.
std::uint32_t crc32c_of(std::span<const std::string_view> pieces) noexcept;
/// The same without the instruction.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc = 0) noexcept;

} // namespace troupe
