// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "shop_event.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace order_simulation {

/// The record of a shop's orders from the first to the last, for those who recompute: journals forget the events that a
/// snapshot covers. It is kept in temporary files without a name, which go with the process.
///
/// Holds each line that was ordered, and which orders were paid when, in this process. 32 bytes each, in memory a few buffers.
/// Threads: any; `for_each` when nobody adds any more.
class sales_ledger {
public:
  /// *Requires*: at least one shard. Throws std::system_error if there is no room for temporary files.
  explicit sales_ledger(std::size_t shards);

  /// The events of one order go to the same shard. Throws std::system_error if they cannot be written.
  void add(std::size_t of, std::span<const shop_event> events);

  /// Shows all, those of a shard in their order, and none but `ordered` (without freight and incentive: `goods` is what is
  /// to be paid for the line) and `paid`. Throws std::system_error if they cannot be read.
  void for_each(const std::function<void(const shop_event&)>& f);

private:
  struct entry;
  struct close_file {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };
  struct shard {
    std::mutex mutex; // leaf lock
    std::unique_ptr<std::FILE, close_file> file;
  };

  std::vector<shard> shards_;
};

} // namespace order_simulation
