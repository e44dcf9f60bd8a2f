// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/crc32c.hpp>

#include <array>
#include <cstddef>
#include <cstring>

namespace troupe {

namespace {

/// tables[k][b]: the remainder of byte b followed by k zero bytes. Eight bytes at a time: M. E. Kounavis, F. L. Berry,
/// "Novel table lookup-based algorithms for high-performance CRC generation", IEEE ToC 57(11), 2008.
constexpr auto tables = [] {
  constexpr std::uint32_t reflected_polynomial = 0x82f63b78;
  std::array<std::array<std::uint32_t, 256>, 8> t{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    auto r = b;
    for (int bit = 0; bit < 8; ++bit)
      r = (r >> 1) ^ ((r & 1) != 0 ? reflected_polynomial : 0);
    t[0][b] = r;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t b = 0; b < 256; ++b)
      t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 0xff];
  return t;
}();

std::uint32_t load(const char* p) noexcept {
  unsigned char b[4];
  std::memcpy(b, p, 4);
  return b[0] | std::uint32_t{b[1]} << 8 | std::uint32_t{b[2]} << 16 | std::uint32_t{b[3]} << 24;
}

std::uint32_t by_table(std::string_view bytes, std::uint32_t crc) noexcept {
  const auto* p = bytes.data();
  auto left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    const auto low = load(p) ^ crc;
    const auto high = load(p + 4);
    crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
          tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^ tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
  }
  for (; left > 0; ++p, --left)
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*p)) & 0xff];
  return crc;
}

#if defined(__x86_64__)
template <class Word>
Word word_at(const char* p) noexcept {
  Word w;
  std::memcpy(&w, p, sizeof w);
  return w;
}

__attribute__((target("sse4.2"))) inline std::uint32_t by_instruction(std::string_view bytes,
                                                                      std::uint32_t crc) noexcept {
  const auto* p = bytes.data();
  auto left = bytes.size();
  std::uint64_t wide = crc;
  for (; left >= 8; p += 8, left -= 8)
    wide = __builtin_ia32_crc32di(wide, word_at<std::uint64_t>(p));
  crc = static_cast<std::uint32_t>(wide);
  if ((left & 4) != 0) {
    crc = __builtin_ia32_crc32si(crc, word_at<std::uint32_t>(p));
    p += 4;
  }
  if ((left & 2) != 0) {
    crc = __builtin_ia32_crc32hi(crc, word_at<std::uint16_t>(p));
    p += 2;
  }
  if ((left & 1) != 0)
    crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(*p));
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::span<const std::string_view> pieces) noexcept {
  auto crc = ~std::uint32_t{0};
  for (const auto piece : pieces)
    crc = by_instruction(piece, crc);
  return ~crc;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

} // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  if (has_instruction) [[likely]]
    return ~by_instruction(bytes, ~crc);
#endif
  return crc32c_by_table(bytes, crc);
}

std::uint32_t crc32c_of(std::span<const std::string_view> pieces) noexcept {
#if defined(__x86_64__)
  if (has_instruction) [[likely]]
    return by_instruction(pieces);
#endif
  std::uint32_t crc = 0;
  for (const auto piece : pieces)
    crc = crc32c_by_table(piece, crc);
  return crc;
}

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) noexcept { return ~by_table(bytes, ~crc); }

} // namespace troupe
