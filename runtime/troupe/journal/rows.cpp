// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/crc32c.hpp>
#include <troupe/journal/rows.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <span>

namespace troupe {

namespace {

/// The canonical bytes of a row: numbers as eight bytes, least significant first, texts with their length before them.
class digest {
public:
  digest& add(std::uint64_t n) noexcept {
    auto& bytes = numbers_[numbers_count_++];
    if constexpr (std::endian::native == std::endian::little)
      std::memcpy(bytes.data(), &n, sizeof n);
    else
      for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(n >> (8 * i) & 0xff);
    pieces_[pieces_count_++] = {bytes.data(), bytes.size()};
    return *this;
  }
  digest& add(std::int64_t n) noexcept { return add(static_cast<std::uint64_t>(n)); }
  digest& add(int n) noexcept { return add(static_cast<std::int64_t>(n)); }
  digest& add(std::string_view text) noexcept {
    add(std::uint64_t{text.size()});
    pieces_[pieces_count_++] = text;
    return *this;
  }
  digest& add(const record_row& r) noexcept {
    return add(r.sequence).add(r.time).add(r.type).add(r.version).add(r.data);
  }
  std::uint32_t value() const noexcept { return crc32c_of(std::span{pieces_}.first(pieces_count_)); }

private:
  static constexpr std::size_t texts_max = 5; // a row of outbox: key, type, data, target, timer
  static constexpr std::size_t numbers_max = 5 + texts_max;

  std::size_t numbers_count_ = 0;
  std::size_t pieces_count_ = 0;
  std::array<std::array<char, 8>, numbers_max> numbers_;
  std::array<std::string_view, numbers_max + texts_max> pieces_;
};

} // namespace

wall_time_point time_of(row_time t) noexcept {
  using std::chrono::duration_cast, std::chrono::microseconds;
  using duration = wall_time_point::duration;
  constexpr auto first = duration_cast<microseconds>(duration::min()),
                 last = duration_cast<microseconds>(duration::max());
  return wall_time_point{duration_cast<duration>(std::clamp(microseconds{t}, first, last))};
}

std::uint32_t checksum_of(std::string_view key, const record_row& r) noexcept {
  return digest{}.add(key).add(r).value();
}

std::uint32_t checksum_of(std::string_view key, const handled_row& r) noexcept {
  return digest{}.add(key).add(r.sender).add(r.sequence).value();
}

std::uint32_t checksum_of(std::string_view key, const outbox_row& r) noexcept {
  return digest{}.add(key).add(r.message).add(r.target).add(r.due ? 1 : 0).add(r.due.value_or(0)).add(r.timer).value();
}

std::uint32_t checksum_of_head(std::string_view key, std::uint64_t last_sent) noexcept {
  return digest{}.add(key).add(last_sent).value();
}

std::uint32_t checksum_of_place(std::string_view key, std::uint64_t event, std::uint64_t snapshot) noexcept {
  return digest{}.add(key).add(event).add(snapshot).value();
}

} // namespace troupe
