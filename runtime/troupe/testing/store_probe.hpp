// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/memory_store.hpp>
#include <troupe/journal/store.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace troupe {

/// How an append goes wrong.
enum class write_fault : unsigned char {
  fail,        ///< It is not kept, and its caller learns that it failed.
  reject,      ///< It is not kept, and throws rejected_record: the actor may go on.
  lose_answer, ///< It is kept, but its caller learns that it failed, as when a server is lost.
  lose         ///< It is not kept, but its caller learns that it is, as from a disk that lies.
};

/// A store for tests: it stands before another one, makes appends fail, holds them back, and tells what was kept.
///
///     auto store = std::make_shared<troupe::store_probe>();
///     troupe::system sys{
///         {.journals = store, .through = {.clock = std::make_shared<troupe::manual_clock>()}, .stepped = 0}};
///     store->strike(troupe::write_fault::fail, 2);            // the second append from now on
///     ...
///     CHECK(store->events<reserved>("stock/1").size() == 1);
///
/// Held by a shared_ptr. Threads: any.
class store_probe final : public journal_store, public std::enable_shared_from_this<store_probe> {
public:
  explicit store_probe(std::shared_ptr<journal_store> behind = std::make_shared<memory_store>());
  ~store_probe() override;

  /// The `nth` append from now on, 1: the next, to a journal whose key begins with `prefix` goes wrong. Several may be
  /// asked for at a time; each counts for itself.
  void strike(write_fault f, std::size_t nth = 1, std::string prefix = {});
  /// The next `n` replays throw journal_error.
  void fail_replays(std::size_t n);

  /// From now on the ends of appends are held back: they stay pending until `release`.
  void hold();
  /// How many are held.
  std::size_t held() const;
  /// Lets the first `n` go that are held, all without an argument. Does not end the holding.
  void release(std::size_t n = static_cast<std::size_t>(-1));
  /// Ends the holding and lets all go.
  void stop_holding();

  /// The events of type E that were kept in the journal `key` since this object is there, in order, also those that a
  /// snapshot has replaced since.
  template <class E>
  std::vector<E> events(std::string_view key) const {
    return values<E>(key, false);
  }
  /// The messages of type M that were kept in its outbox.
  template <class M>
  std::vector<M> sends(std::string_view key) const {
    return values<M>(key, true);
  }
  /// Appends that were kept, of all journals.
  std::size_t appends() const;

  std::shared_ptr<journal> open(const std::string& key, std::span<const journal_type* const> types) override;
  std::vector<std::string> keys(std::string_view prefix = {}) override { return behind_->keys(prefix); }
  std::vector<owing_journal> unsettled() override { return behind_->unsettled(); }
  void flush() override { behind_->flush(); }

private:
  class stream;
  struct planned {
    write_fault fault;
    std::size_t left;
    std::string prefix;
  };
  struct noted {
    std::string key;
    bool sent;
    const std::type_info* type;
    std::shared_ptr<const void> value;
  };
  struct ended {
    journal::completion tell;
    std::exception_ptr failure;
  };

  void note(std::vector<noted> kept);

  template <class T>
  std::vector<T> values(std::string_view key, bool sent) const {
    std::unique_lock held{mutex_};
    std::vector<T> found;
    for (const auto& n : noted_)
      if (n.key == key && n.sent == sent && *n.type == typeid(T))
        found.push_back(*static_cast<const T*>(n.value.get()));
    return found;
  }

  // -- immutable --
  const std::shared_ptr<journal_store> behind_;

  // -- guarded by mutex_ --
  mutable std::mutex mutex_; // leaf lock
  std::vector<planned> planned_;
  std::vector<noted> noted_;
  std::deque<ended> held_;
  std::size_t appends_ = 0;
  std::size_t failing_replays_ = 0;
  bool holding_ = false;
};

} // namespace troupe
