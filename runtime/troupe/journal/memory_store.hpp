// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/high_mark.hpp>
#include <troupe/journal/key_table.hpp>
#include <troupe/journal/store.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Journals that survive their actors' restarts, and end with the process. Every write is durable at once.
///
/// Memory: a copy of each actor's latest snapshot and of the events after it (see `journaled_actor::snapshot_every`), a
/// number for each sender, and what the outbox still owes. A journal that holds nothing when its actor closes it costs
/// nothing. Held by a shared_ptr. Threads: any.
class memory_store final : public journal_store, public std::enable_shared_from_this<memory_store> {
public:
  std::shared_ptr<journal> open(const std::string& key, std::span<const journal_type* const> types) override;
  std::vector<std::string> keys(std::string_view prefix = {}) override;
  std::vector<owing_journal> unsettled() override;

  /// Journals that hold something or are open.
  std::size_t size() const;

  memory_store();
  ~memory_store() override;

private:
  class stream;
  struct shard {
    mutable std::mutex mutex;
    detail::key_table<stream> streams; // the shard's own
  };

  shard& shard_of(std::size_t hash) { return shards_[hash % shards_.size()]; }

  void close(stream& s);

  std::array<shard, 16> shards_;
  high_mark erased_;
};

} // namespace troupe
