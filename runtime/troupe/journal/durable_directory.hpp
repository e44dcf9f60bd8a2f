// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/error.hpp>
#include <troupe/journal/journal_type.hpp>
#include <troupe/journal/key_table.hpp>
#include <troupe/ref.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::detail {

class durable_directory;
class entity_group;
class journal_session;
struct parcel_header;

/// How an actor type takes one message type out of another actor's outbox, or out of a timer.
struct parcel_entry {
  const journal_type* type;
  envelope* (*make)(parcel_header header, const void* message);
};

/// What the runtime knows about a durable actor type.
struct durable_type {
  const actor_type* actor;
  std::span<const parcel_entry> parcels;
};

/// Where one durable actor is found: the key of its journal, and the cell that works under it now, if there is one.
///
/// One object for each key that somebody has a ref to or works under; the same for as long as that is so. An actor that
/// is restarted keeps its cell; an entity that was passivated gets another one with the next message.
///
/// Threads: any, but for `occupy`, `vacate` and `session`: the turn of the actor under that key, its start included.
class durable_address : public std::enable_shared_from_this<durable_address> {
public:
  durable_address(std::shared_ptr<durable_directory> directory, std::string key);
  durable_address(const durable_address&) = delete;
  durable_address& operator=(const durable_address&) = delete;

  const std::string& key() const noexcept { return key_; }

  /// The cell under this key that takes messages; an entity that is not there is started for it. Errors: errc::stopped
  /// (nobody has this key), shutting_down, mailbox_full (too many entities).
  result<cell_pointer> resolve();
  /// Stands for a receiver that there is not.
  cell& nobody() const noexcept;
  /// The cell, if there is one that has not stopped; starts nothing.
  cell_pointer live() const;
  /// When somebody sent something here, in nanoseconds of steady time.
  std::int64_t last_use() const noexcept { return last_use_.load(std::memory_order_relaxed); } // relaxed: a figure

  /// How the actor under this key takes parcels; null if none has worked here.
  const durable_type* type() const;

  /// `c` works under this key from now on. Throws usage_error if another actor does.
  void occupy(cell& c, journal_session& s, const durable_type& type);
  void vacate(const journal_session& s) noexcept;
  /// There is a cell, which has no object at present.
  bool waits() const;
  /// Null while the actor has no object.
  journal_session* session() const noexcept {
    return session_.load(std::memory_order_relaxed);
  } // relaxed: the turn's own

private:
  const std::shared_ptr<durable_directory> directory_;
  const std::string key_;

  // -- any thread --
  std::atomic<std::int64_t> last_use_{0};

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // before a group's and a child list's lock; no user code under it
  cell_pointer cell_;
  const durable_type* type_ = nullptr;

  // -- written by the turn, under mutex_ --
  std::atomic<journal_session*> session_{nullptr};
};

/// Who is who among the durable actors of a system. Threads: any.
class durable_directory : public std::enable_shared_from_this<durable_directory> {
public:
  explicit durable_directory(system_core& core);
  ~durable_directory();

  /// The address of that key, made if there is none.
  std::shared_ptr<durable_address> at(const std::string& key);

  /// Keys that begin with the group's prefix are its entities from now on. Throws usage_error if the prefix is taken.
  void add(std::shared_ptr<entity_group> group);
  /// The group whose entity has this key, or null.
  std::shared_ptr<entity_group> group_of(std::string_view key) const;
  /// The system ends: nothing is started any more.
  void close() noexcept;
  /// Holds an address whose actor has lost its object and may get another one: until then nobody else may hold it.
  void keep(std::shared_ptr<durable_address> address);
  system_core& core() const noexcept { return core_; }

private:
  struct shard {
    std::mutex mutex;                     // leaf lock
    key_table<durable_address> addresses; // also those whose last holder is about to forget them
  };

  shard& shard_of(std::size_t hash) noexcept { return shards_[hash % shards_.size()]; }

  /// The last one who knew the address is gone.
  void forget(const durable_address& a) noexcept;

  system_core& core_;
  std::array<shard, 16> shards_;

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // leaf lock
  std::vector<std::shared_ptr<entity_group>> groups_;
  std::vector<std::shared_ptr<durable_address>> kept_;
  std::size_t look_at_ = 64; // so many of them, whether they still wait
  bool closed_ = false;
};

} // namespace troupe::detail
