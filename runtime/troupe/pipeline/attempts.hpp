// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>

namespace troupe::pipeline {

/// How a batch that has failed is tried again: first, what comes before the element that failed, on its own, so that it is
/// done with; then the rest. So even elements that fail often by chance let the batch make progress. Positions count from the
/// start of the batch; what closes the batch (watermark, end) has the position after the last element. Pure.
class attempts {
public:
  /// How far the next attempt goes, from `begin`, in a batch of `size` elements.
  std::size_t until(std::size_t begin, std::size_t size) const noexcept {
    return count_ > 0 && position_ > begin ? std::min(position_, size) : size;
  }

  /// Whether that attempt also closes the batch.
  bool closes(std::size_t begin, std::size_t size) const noexcept {
    return until(begin, size) == size && !(count_ > 0 && position_ == size && begin < size);
  }

  void failed(std::size_t position) noexcept {
    count_ = count_ > 0 && position == position_ ? count_ + 1 : 1; // equivalent: 0 + 1 is 1
    position_ = position;
  }

  /// An attempt has passed, up to, but not including, `position`.
  void passed(std::size_t position) noexcept {
    if (position > position_)
      count_ = 0;
  }

  void begin_batch() noexcept { count_ = 0; }

  /// How often in a row the element at `position` has failed.
  unsigned at(std::size_t position) const noexcept { return position == position_ ? count_ : 0; }

private:
  std::size_t position_ = 0; // equivalent: not looked at before the first failure
  unsigned count_ = 0;
};

/// A position that is counted on in a register, and is right again where it came from at the end of the scope, however that is
/// left.
struct counted_at {
  explicit counted_at(std::size_t& to_) noexcept : n{to_}, to{to_} {}
  counted_at(const counted_at&) = delete;
  counted_at& operator=(const counted_at&) = delete;
  ~counted_at() { to = n; }

  std::size_t n;
  std::size_t& to;
};

} // namespace troupe::pipeline
