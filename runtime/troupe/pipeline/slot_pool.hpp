// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// Places for things that do not move: blocks, each as large as all before it together up to a limit, so that growing copies
/// nothing, and things made one after the other lie side by side. What has been given back is used first. Pure.
///
/// `Slot` is default-constructible and trivially destructible; what it holds is its user's business.
template <class Slot>
class slot_pool {
public:
  slot_pool() = default;
  slot_pool(slot_pool&& other) noexcept { swap(other); }
  slot_pool& operator=(slot_pool other) noexcept {
    swap(other);
    return *this;
  }

  Slot* take() {
    if (!free_.empty()) {
      auto* const s = free_.back();
      free_.pop_back();
      return s;
    }
    if (next_ == end_) [[unlikely]]
      begin_block();
    return next_++;
  }

  void give_back(Slot* s) noexcept { free_.push_back(s); } // there is room: see begin_block

  /// All are free. Keeps its memory.
  void reset() noexcept {
    free_.clear();
    in_use_ = 0;
    next_ = end_ = nullptr;
    if (!blocks_.empty())
      use_block(0);
  }

  /// `f(slot)` for each that was ever taken since the last `reset`.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t b = 0; b <= in_use_ && b < blocks_.size(); ++b) {
      auto* const begin = blocks_[b].slots.get();
      auto* const end = b == in_use_ ? next_ : begin + blocks_[b].size;
      for (auto* s = begin; s != end; ++s)
        f(*s);
    }
  }

  void swap(slot_pool& other) noexcept {
    blocks_.swap(other.blocks_);
    free_.swap(other.free_);
    std::swap(in_use_, other.in_use_);
    std::swap(next_, other.next_);
    std::swap(end_, other.end_);
    std::swap(total_, other.total_);
  }

private:
  static constexpr std::size_t first_block = 16;
  static constexpr std::size_t largest_block =
      std::max<std::size_t>(first_block, (std::size_t{1} << 20) / sizeof(Slot));

  struct block {
    std::unique_ptr<Slot[]> slots;
    std::size_t size;
  };

  void begin_block() {
    if (next_ != nullptr && in_use_ + 1 < blocks_.size())
      return use_block(in_use_ + 1);
    const auto size = std::clamp(total_, first_block, largest_block);
    free_.reserve(total_ + size); // so that giving back never fails
    blocks_.push_back({std::unique_ptr<Slot[]>{new Slot[size]}, size});
    total_ += size;
    use_block(blocks_.size() - 1);
  }

  void use_block(std::size_t b) noexcept {
    in_use_ = b;
    next_ = blocks_[b].slots.get();
    end_ = next_ + blocks_[b].size;
  }

  std::vector<block> blocks_;
  std::vector<Slot*> free_;
  std::size_t in_use_ = 0; // the block that slots are taken from
  Slot* next_ = nullptr;
  Slot* end_ = nullptr;
  std::size_t total_ = 0; // slots in all blocks
};

} // namespace troupe::pipeline
