// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/crc32c.hpp>
#include <troupe/journal/rows.hpp>

#include <algorithm>
#include <chrono>

namespace troupe {

namespace {

/// The canonical bytes of a row: numbers as eight bytes, least significant first, texts with their length before them.
class digest {
public:
  digest& add(std::uint64_t n) noexcept {
    char bytes[8];
    for (int i = 0; i < 8; ++i)
      bytes[i] = static_cast<char>(n >> (8 * i) & 0xff);
    crc_ = crc32c({bytes, 8}, crc_);
    return *this;
  }
  digest& add(std::int64_t n) noexcept { return add(static_cast<std::uint64_t>(n)); }
  digest& add(int n) noexcept { return add(static_cast<std::int64_t>(n)); }
  digest& add(std::string_view text) noexcept {
    add(std::uint64_t{text.size()});
    crc_ = crc32c(text, crc_);
    return *this;
  }
  digest& add(const record_row& r) noexcept {
    return add(r.sequence).add(r.time).add(r.type).add(r.version).add(r.data);
  }
  std::uint32_t value() const noexcept { return crc_; }

private:
  std::uint32_t crc_ = 0;
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
