// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/host.hpp>
#include <troupe/journal/durable_directory.hpp>
#include <troupe/journal/journal_type.hpp>
#include <troupe/journal/wake_list.hpp>
#include <troupe/seams.hpp>
#include <troupe/supervisor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// How the actors of one group of entities live.
struct entity_options {
  /// An entity that nobody has sent anything for so long, and that has nothing under way, leaves memory. 1 ms..24 h.
  std::chrono::milliseconds idle{120'000};

  /// So many are in memory at a time, 1..1'000'000. Beyond that those leave that were not used for longest; if they are all
  /// busy, an eighth more may come, and the next one is refused. Whoever is refused makes one leave that can.
  std::size_t live_max = 100'000;

  /// As in child_options.
  unsigned retries = 0;
  backoff_options backoff{};
  failure_rules on_failure{};
  mailbox_options mailbox{};
};

/// Returns what is wrong with `options`, naming the first wrong field, or nothing.
std::optional<std::string> validate(const entity_options& options);

namespace detail {

class entity_seat;

/// The entities of one type under one supervisor: starts them when somebody needs one, and lets the idle ones go.
///
/// Threads: any.
class entity_group : public std::enable_shared_from_this<entity_group> {
public:
  /// `kept`: the types that a journal of an entity holds. Throws usage_error if the store cannot keep one of them.
  entity_group(const troupe::supervisor& parent, std::string prefix, const entity_options& options,
               const durable_type& type, std::span<const journal_type* const> kept);
  virtual ~entity_group();

  const std::string& prefix() const noexcept { return prefix_; }
  const durable_type& type() const noexcept { return type_; }
  system_core& core() const noexcept { return core_; }
  const troupe::supervisor& supervisor() const noexcept { return supervisor_; }
  bool has_stopped() const { return supervisor_.has_stopped(); }
  /// Entities in memory.
  std::size_t live() const;

  /// A passive cell for the address, whose lock the caller holds. Errors: errc::shutting_down, mailbox_full.
  result<cell_pointer> start(std::shared_ptr<durable_address> address);
  /// After `start`, without the lock.
  void announce(cell& started);
  /// The same after one that was refused because there is no room: somebody leaves, so that another attempt may find some.
  void make_room();

  /// Lets the keeper look after the entities, and wakes those that owe something to others.
  void open();
  /// Entities that owe something and are not in memory, or have been loaded a moment ago.
  std::size_t owing() const;
  /// Wakes who is due and lets go who is idle. Returns after which time that is to be done again; nothing if the next
  /// start says so.
  std::optional<std::chrono::nanoseconds> sweep();

private:
  friend class entity_seat;
  using by_use = std::multimap<std::int64_t, entity_seat*>;

  /// With an entity_seat as its host.
  virtual cell& make_cell(const std::shared_ptr<const cell_options>& options,
                          std::shared_ptr<durable_address> address) = 0;
  void wake(const std::string& key);
  /// Passivates those that have nothing to do; `pressed`: or that can do nothing, see journal_session::quiet.
  void let_go(const std::vector<std::shared_ptr<durable_address>>& entities, bool pressed);
  /// The entity of that key has something to do at that time, and may be out of memory until then.
  void wake_at(const std::string& key, wall_time_point when);
  /// As above, for one of which it is not known what it owes.
  void look_after(const std::string& key, std::chrono::nanoseconds pause);
  /// The entity of that key is in memory and sees to what it owes.
  void loaded(const std::string& key);
  /// The object of that session is about to go, for whatever reason.
  void unloading(const journal_session& session);
  /// There is to be a sweep at that time. True: the keeper has to be told. Requires mutex_.
  bool bring_forward(time_point sweep) noexcept;
  /// How long after their time idle ones may leave.
  std::chrono::nanoseconds patience() const noexcept;
  void tell_keeper() const;
  void leave(entity_seat& seat) noexcept;
  /// Up to `most` that were used longest ago, and not since `since`.
  std::vector<std::shared_ptr<durable_address>> unused(std::int64_t since, std::size_t most);

  // -- immutable --
  system_core& core_;
  const std::string prefix_;
  const entity_options options_;
  const durable_type& type_;
  const troupe::supervisor supervisor_;
  const std::shared_ptr<const cell_options> child_;
  any_ref keeper_; // set by open(), before the first start

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // after an address's lock
  by_use seats_;             // by an earlier or the present time of last use
  wake_list wakes_;
  time_point next_sweep_ = time_point::max();
};

/// Hosts one entity. The cell, and with it the address, lives as long as the entity is in memory.
class entity_seat : public host {
public:
  entity_seat(const actor_type& type, std::shared_ptr<durable_address> address, std::shared_ptr<entity_group> group)
      : host{type}, key_{address->key()}, address_{std::move(address)}, group_{std::move(group)} {}

  std::string label() const final { return key_; }
  void forget() noexcept final {
    group_->leave(*this);
    address_.reset();
    group_.reset();
  }

protected:
  const std::string& key() const noexcept { return key_; }
  const entity_group& group() const noexcept { return *group_; }
  /// The object is there, and has its state.
  void loaded() { group_->loaded(key_); }
  /// The object is about to go.
  void unloading() noexcept {
    if (const auto* s = address_->session(); s != nullptr)
      group_->unloading(*s);
  }

private:
  friend class entity_group;
  const std::string key_;
  // -- the turn; others read it under the group's mutex_ until it has left --
  std::shared_ptr<durable_address> address_;
  std::shared_ptr<entity_group> group_;
  // -- guarded by the group's mutex_ --
  std::optional<entity_group::by_use::iterator> place_;
  bool left_ = false;
};

} // namespace detail

} // namespace troupe
