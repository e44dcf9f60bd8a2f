// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace order_simulation {

/// Sees the events of journals as they become durable: each once, in the order of its journal. So what an actor has decided
/// is known to others exactly if the actor itself will find it again after a crash.
///
/// Threads: any; for one journal, one at a time.
class journal_watcher {
public:
  /// Takes what it needs of an append out of it: the records go when the call returns.
  using digest = std::function<void()>;

  virtual ~journal_watcher() = default;

  /// The number under which the journal's events are shown, or nothing: they are of no interest.
  virtual std::optional<std::uint64_t> watches(std::string_view key) = 0;
  /// The events are durable.
  virtual void kept(std::uint64_t journal, std::span<const troupe::journal_record> events) = 0;
  /// The events are being written. What is returned is called when they are durable, or not at all. Empty: they are of no
  /// interest.
  virtual digest begun(std::uint64_t journal, std::span<const troupe::journal_record> events) = 0;

  /// False: whoever has kept something that is of interest should wait. That is the back-pressure on the actors.
  virtual bool has_room() const = 0;
  /// Calls `go_on` once there is room, from any thread.
  virtual void when_room(std::function<void()> go_on) = 0;
};

/// A store that shows a watcher what the journals of another store keep.
///
/// An actor whose events the watcher has no room for waits as it does for a slow disk: its append is pending, no thread
/// blocks, and nothing is lost if the process ends meanwhile, since the events are kept already.
/// Threads: any. The watcher outlives the store.
class observed_store final : public troupe::journal_store {
public:
  observed_store(std::shared_ptr<troupe::journal_store> inner, journal_watcher& watcher)
      : inner_{std::move(inner)}, watcher_{watcher} {}

  std::shared_ptr<troupe::journal> open(const std::string& key,
                                        std::span<const troupe::journal_type* const> types) override;
  std::vector<std::string> keys(std::string_view prefix) override { return inner_->keys(prefix); }
  std::vector<troupe::owing_journal> unsettled() override { return inner_->unsettled(); }
  void flush() override { inner_->flush(); }

private:
  std::shared_ptr<troupe::journal_store> inner_;
  journal_watcher& watcher_;
};

} // namespace order_simulation
