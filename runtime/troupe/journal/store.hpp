// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/completion.hpp>
#include <troupe/journal/journal_type.hpp>
#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A journal cannot be written, read or understood. The text names the store, and the key, sequence, type and version
/// where there are any.
class journal_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// One event, snapshot or message on its way into or out of a journal. The value is the giver's.
struct journal_record {
  const journal_type* type = nullptr;
  const void* value = nullptr;
};

/// A message that was handled: who sent it, and its number in the sender's outbox.
struct inbound {
  std::string_view sender; ///< A journal's key.
  std::uint64_t sequence = 0;
};

/// A message as it was written down, with the name and version of its format.
struct written_message {
  std::string_view type;
  int version = 0;
  std::string_view data; ///< JSON.
};

/// A journal cannot be made into a state: an event that the actor does not know, a record that was damaged or is missing. The
/// text names the key, and the sequence, type and version where there are any. It will not be otherwise after a pause, unlike
/// a store that cannot be reached.
class recovery_error : public journal_error {
public:
  using journal_error::journal_error;
};

/// The record cannot be kept as it is: a value that cannot be written down, or a full outbox. Nothing is kept; the actor may
/// go on.
class rejected_record : public journal_error {
public:
  using journal_error::journal_error;
};

/// A message, or a timer, that the actor owes until it is settled.
struct outbound {
  std::uint64_t sequence = 0; ///< Ascending in each journal; never used twice.
  std::string_view target;    ///< A journal's key; a timer's is its own.
  journal_record message;
  std::optional<wall_time_point> due; ///< Nothing: at once.
  std::string_view timer;             ///< Its name; empty for a message.
  /// At a replay, if the message's type is none of the journal's: only its target knows it. `message` is then empty.
  written_message written{};
};

/// What one handled message leaves behind. It is kept whole or not at all.
struct journal_append {
  std::optional<inbound> handled;
  std::span<const journal_record> events;
  std::span<const outbound> sends;
  std::span<const std::uint64_t> settled;   ///< Outbox sequences: acknowledged, fired or cancelled.
  std::span<const std::string> forgotten{}; ///< Senders whose messages count as never handled, before `handled`.
};

/// Is told what a journal holds, in this order. Every argument is valid during the call only.
class journal_visitor {
public:
  virtual ~journal_visitor() = default;

  /// The state at the latest snapshot that can be read; not called if there is none.
  virtual void snapshot(const journal_record& state) = 0;
  /// Each event after that snapshot, oldest first.
  virtual void event(const journal_record& e) = 0;
  /// The highest sequence handled of each sender that was not forgotten.
  virtual void handled(const inbound& last) = 0;
  /// The highest sequence that an outbox entry has ever had, of this journal or of one that was erased, under whatever
  /// key: numbers up to it are not used again. Called once, with 0 if there was none.
  virtual void last_sent(std::uint64_t sequence) = 0;
  /// Each outbox entry that is not settled, by ascending sequence.
  virtual void unsettled(const outbound& entry) = 0;
};

/// The journal of one actor: its events, its latest snapshots, whose messages it has handled, and what it owes others.
///
/// Threads: one at a time, the actor's turn.
class journal {
public:
  virtual ~journal() = default;

  enum class status : unsigned char {
    durable, ///< The append is kept.
    pending, ///< It is being written; the completion will be called once, from any thread.
  };
  /// Null: durable. Otherwise why the write failed; what is kept is then unknown, and the actor must be rebuilt.
  using completion = journal_completion;

  /// Adds `a` after all others. One append is under way at a time. All that `a` refers to is the caller's and may go after
  /// the call. A store that returns `pending` calls `done` once, before it returns, for the completion. Throws if the
  /// write cannot even begin; nothing is kept then.
  virtual status append(const journal_append& a, const std::function<completion()>& done) = 0;

  /// Keeps the state that all appends up to now have led to, so that a replay can begin there. Called only while no append
  /// is pending. May return before it is durable; if it never becomes so, the one before counts.
  virtual void snapshot(const journal_record& state) = 0;

  /// Waits until what was handed over is written, then shows what the journal holds. Throws recovery_error if that cannot
  /// be understood without leaving something out, another journal_error if it cannot be read now; what the visitor has been
  /// told then counts for nothing.
  virtual void replay(journal_visitor& v) = 0;

  /// Forgets everything but that the numbers of its outbox are used: others may remember to have handled them. May return
  /// before that is durable.
  virtual void erase() = 0;
};

/// A journal with outbox entries that are not settled.
struct owing_journal {
  std::string key;
  /// When the earliest is due; nothing: at least one is a message, or a timer without a due time.
  std::optional<wall_time_point> due;
};

/// Where journals are kept: in memory (memory_store.hpp), in a file (sqlite_store.hpp) or on a server (postgres_store.hpp).
///
/// Threads: any.
class journal_store {
public:
  virtual ~journal_store() = default;

  /// The journal under `key`, made if there is none. One actor at a time may use a key.
  ///
  /// `types` are all that the actor may write or find: its events and its state. The array is
  /// the caller's and outlives the journal. Throws usage_error naming the type if this store cannot keep one of them.
  virtual std::shared_ptr<journal> open(const std::string& key, std::span<const journal_type* const> types) = 0;

  /// The keys, sorted, that begin with `prefix` and hold something.
  virtual std::vector<std::string> keys(std::string_view prefix = {}) = 0;

  /// The journals with unsettled outbox entries, sorted by key: whose actors must be started after a crash so that they
  /// deliver.
  virtual std::vector<owing_journal> unsettled() = 0;

  /// Returns when everything handed over is durable or has failed, and all completions have returned. A system that ends
  /// calls it. Not to be called by a completion.
  virtual void flush() {}
};

} // namespace troupe
