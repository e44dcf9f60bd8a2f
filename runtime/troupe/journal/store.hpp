// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <typeinfo>

namespace troupe {

/// What a store needs to know of a type of event or snapshot to keep values of it.
struct journal_type {
  const std::type_info* info;
  /// A copy on the heap. Throws what copying throws.
  std::shared_ptr<const void> (*copy)(const void* value);
};

template <class T>
inline constexpr journal_type journal_type_of{&typeid(T), [](const void* value) -> std::shared_ptr<const void> {
                                                return std::make_shared<const T>(*static_cast<const T*>(value));
                                              }};

/// One event, or snapshot, on its way into or out of a journal.
struct journal_record {
  const journal_type* type = nullptr;
  const void* value = nullptr;
};

/// The journal of one actor: its latest snapshot and the events after it.
///
/// Threads: one at a time, the actor's turn.
class journal {
public:
  virtual ~journal() = default;

  enum class status : unsigned char {
    durable, ///< The records are kept.
    pending, ///< They are being written; the completion will be called once, from any thread.
  };
  /// Null: durable. Otherwise why the write failed; what is kept is then unknown, and the actor must be rebuilt.
  using completion = std::function<void(std::exception_ptr)>;

  /// Adds `records` after all others, all of them or none. One append is under way at a time. The values are the caller's
  /// and gone after the call. A store that returns `pending` calls `done` once, before it returns, for the completion.
  /// Throws if the write cannot even begin; nothing is kept then.
  virtual status append(std::span<const journal_record> records, const std::function<completion()>& done) = 0;

  /// Replaces everything up to now by `state`. Called only while no append is pending.
  virtual void snapshot(const journal_record& state) = 0;

  /// Calls `snapshot` with the latest one, if there is one, then `event` with each event after it, in order.
  virtual void replay(const std::function<void(const journal_record&)>& snapshot,
                      const std::function<void(const journal_record&)>& event) = 0;

  /// Forgets everything.
  virtual void erase() = 0;
};

/// Where journals are kept: in memory (memory_store.hpp), or in what other stores behind this interface write to.
///
/// Threads: any.
class journal_store {
public:
  virtual ~journal_store() = default;

  /// The journal under `key`, made if there is none. One actor at a time may use a key.
  virtual std::shared_ptr<journal> open(const std::string& key) = 0;
};

} // namespace troupe
