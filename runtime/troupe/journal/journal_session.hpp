// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/cell.hpp>
#include <troupe/journal/awaited_write.hpp>
#include <troupe/journal/durable_directory.hpp>
#include <troupe/journal/outbox.hpp>
#include <troupe/journal/parcel.hpp>
#include <troupe/journal/store.hpp>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

namespace detail {

/// A message, timer or cancellation that a handler wants kept.
struct outgoing {
  enum class kind : std::uint8_t { message, timer, cancel };
  kind what;
  std::string target;                                           ///< A message's.
  std::string timer;                                            ///< Its name.
  std::variant<std::chrono::nanoseconds, wall_time_point> when; ///< A timer's.
  stored_message message;
};

template <class T, class M = std::remove_cvref_t<T>>
stored_message stored(T&& message) {
  return {&journal_type_of<M>, std::make_shared<const M>(std::forward<T>(message)), {}, 0, {}};
}

/// What is to be kept in one record. All of it is the caller's.
struct append_request {
  std::span<const journal_record> events;
  std::vector<outgoing>* sends = nullptr;
  const parcel_header* handled = nullptr; ///< The record says that this parcel is.
};

/// Somebody who wants to append while another append of the actor is pending.
class queued_append {
public:
  virtual ~queued_append() = default;
  /// Its turn has come.
  virtual void begin() = 0;
};

/// A journaled actor's hold on its journal, its outbox, and what it remembers of the outboxes of others.
///
/// One append is under way at a time. While one is pending the actor does nothing else: no message is handled and no
/// suspended handler goes on, so nobody sees or decides on a state that may not come true. Threads: the actor's turn.
class journal_session {
public:
  /// Opens the journal; `unconfirmed_max` limits what the outbox holds, `senders_max` of how many others it is remembered
  /// what was handled. Throws usage_error if another actor works under the key, or the store cannot keep one of the types.
  journal_session(cell& owner, const std::string& key, std::span<const journal_type* const> types,
                  const durable_type& type, std::size_t unconfirmed_max, std::size_t senders_max);
  ~journal_session();
  journal_session(const journal_session&) = delete;
  journal_session& operator=(const journal_session&) = delete;

  cell& owner() const noexcept { return owner_; }
  const std::string& key() const noexcept { return address_->key(); }
  const std::shared_ptr<durable_address>& address() const noexcept { return address_; }

  /// Rebuilds: `snapshot` is called with the state to begin with, if there is one, `event` with each event after it.
  void replay(const std::function<void(const journal_record&)>& snapshot,
              const std::function<void(const journal_record&)>& event);

  /// An append is pending: the next one has to queue.
  bool busy() const noexcept { return pending_; }
  void queue(queued_append& a) { queue_.push_back(&a); }
  void unqueue(const queued_append& a) noexcept { std::erase(queue_, &a); }

  /// True: kept. False: `write` will end later. Requires that the session is not busy. Throws rejected_record, also if the
  /// outbox is full; and what the store throws, after which the object must not go on. Nothing is kept then.
  bool append(const append_request& what, awaited_write& write);
  /// After the write has ended and the events are applied: what follows from the record.
  void complete(std::unique_ptr<consequences> then) {
    if (then != nullptr)
      follow(*then);
  }

  /// A state that cannot be kept is reported, and tried again after as many events more: the events are there, and whoever
  /// has added the last one must not fail for it.
  void snapshot(const journal_record& state);
  /// Forgets the journal. Throws usage_error if the outbox holds messages, or a write is pending.
  void erase();
  /// Events kept since the last snapshot, `added` included.
  std::size_t count(std::size_t added) noexcept { return since_snapshot_ += added; }

  /// A record is kept, and nothing has followed from it: a place where an injected failure may strike.
  void fault_point();

  // -- parcels that come in --

  /// True: it is to be handled now. False: it was handled before, or is under way, or comes too early; its sender is told.
  bool receive(const parcel_header& p);
  /// Its handler failed.
  void give_up(const parcel_header& p) noexcept;

  // -- the outbox --

  /// The target's word on a message: it is settled, one before it is not handled yet, there is no room for its sender.
  enum class verdict : std::uint8_t { handled, early, full };
  void judged(std::uint64_t sequence, verdict v);

  /// Whether the actor may leave memory: it owes nothing but timers for later, or, if it is `pressed`, messages that nobody
  /// takes at present. If so, its own timer is cancelled.
  bool quiet(bool pressed);
  /// Undoes `quiet`.
  void go_on() { pump(); }
  /// Durable timers and messages that are not settled.
  std::size_t owed() const noexcept;
  /// Others whose messages it remembers to have handled.
  std::size_t senders() const noexcept;

  /// More than timers for later: messages, or what a write leads to that has not ended.
  bool owes_now() const noexcept;
  /// When the next durable timer is due.
  std::optional<wall_time_point> next_timer() const;

private:
  friend class awaited_write; // its end
  struct mail;

  void follow(consequences& then);
  bool begin_append(const append_request& what, awaited_write& write);
  void prepare(const append_request& what, consequences& then, std::vector<outbound>& sends);
  bool submit(const journal_append& a, awaited_write& write);
  void written(const std::shared_ptr<awaited_write::state>& shared, const std::exception_ptr& failure);
  void go_on_after(awaited_write::state& write, const std::exception_ptr& failure);
  void save_settled();
  void look_for_settled_senders(time_point now);

  mail& letters();
  void pump();
  void check_timer(const owed_entry& e) const;
  void arm();
  void disarm() noexcept;
  void deliver(std::uint64_t sequence);
  delivery deliver_to_target(const owed_entry& e);
  envelope* letter_for(const owed_entry& e, const durable_type& target) const;
  void tell(const parcel_header& p, verdict v) const;

  cell& owner_;
  const durable_type& type_;
  const std::shared_ptr<durable_address> address_;
  const std::shared_ptr<journal> journal_;
  const std::size_t unconfirmed_max_;
  const std::size_t senders_max_;
  std::size_t since_snapshot_ = 0;
  std::uint64_t last_sequence_ = 0;
  bool pending_ = false;
  std::shared_ptr<awaited_write::state> in_flight_;
  std::shared_ptr<awaited_write::state> spare_; ///< Of the last append, for the next one.
  bool* ended_ = nullptr;                       ///< To be set by the destructor, if somebody wants to know.
  std::exception_ptr broken_;                   // an append that nobody waited for has failed
  std::vector<queued_append*> queue_;
  std::unique_ptr<mail> mail_; // null for an actor that has never had parcels
};

} // namespace detail

} // namespace troupe
