// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/delivery.hpp>
#include <troupe/observe/flight_record.hpp>
#include <troupe/supervision/exit_reason.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// A message that did not reach a handler.
struct dead_letter {
  enum class cause : std::uint8_t {
    mailbox_full,     ///< Not accepted: see `delivery::rejected`.
    receiver_stopped, ///< Not accepted: the receiver had stopped, or was stopped by name.
    dropped,          ///< Accepted, and given up: see `reason`.
    expired,          ///< Accepted: a request whose deadline was over before its turn came.
    unavailable,      ///< Not accepted: a request to an actor that is down, with `refuse_asks_in_backoff`.
    unhandled, ///< Not accepted: the receiver has no handler for it. Plain CAF code has sent it, or another version
               ///< of the program, in whose outbox it was.
  };
  cause why{};
  drop_reason reason{};     ///< For `dropped` and what a mailbox refuses.
  std::string message_type; ///< C++ name of the message's type.
  std::string receiver;     ///< Name of the actor it was meant for.
};

const char* to_string(dead_letter::cause c) noexcept;

/// What happens to actors under supervision. Every report has the same four fields first: who reports (nobody for
/// `returned`, which a thread reports that was left behind), what, why, and which child.
struct supervision_event {
  enum class kind : std::uint8_t {
    started,
    failed,      ///< A handler or a constructor threw.
    restarted,   ///< A fresh object took over; same address, same mailbox.
    resumed,     ///< The failing message was dropped and the object kept.
    quarantined, ///< The failing message was set aside.
    stopped,
    gave_up,      ///< The restart budget is spent.
    escalated,    ///< A supervisor handed its failure to its own supervisor.
    stuck,        ///< A child did not stop within its shutdown time.
    overran,      ///< A handler exceeds its time budget.
    replaced,     ///< A fresh incarnation took over from one whose handler does not return.
    returned,     ///< The handler of a replaced incarnation has returned; its result was discarded.
    questionable, ///< A child that was started has options that do not do what they seem to say.
    rehearsed,    ///< The last messages were tried on the new incarnation; `why` says what came of it.
  };
  std::string supervisor{};
  kind what{};
  std::string why{};
  std::string child{};

  std::uint64_t child_id = 0;
  std::string message_type{};          ///< The message whose handling failed, where there is one.
  unsigned attempt = 0;                ///< Restarts since the last quiet period.
  std::chrono::nanoseconds delay{};    ///< Back-off before the restart.
  exit_reason reason{};                ///< For `stopped`.
  time_point at{};                     ///< When it was reported.
  std::vector<flight_record> recent{}; ///< For `failed` and `overran`: what the flight recorder holds, if there is one.
};

const char* to_string(supervision_event::kind k) noexcept;

/// One line, "shop: stock failed: std::bad_alloc: ... (handling reserve)", and one more for each flight record.
std::string to_string(const supervision_event& e);
/// One line: "dropped (overflow): reserve for shop/stock".
std::string to_string(const dead_letter& l);

using event = std::variant<dead_letter, supervision_event>;

/// What the system reports while it runs, to whoever subscribed.
///
/// Threads: any. A subscriber is called on the thread on which the event happens, often a worker in the middle of a
/// turn: it must be quick and must not block or throw. Without subscribers an event costs one load.
class event_stream {
public:
  using subscriber = std::function<void(const event&)>;

  /// Unsubscribes when it goes; afterwards the subscriber is not called any more.
  class subscription {
  public:
    subscription() = default;
    subscription(subscription&&) noexcept = default;
    subscription& operator=(subscription&& other) noexcept;
    ~subscription();

  private:
    friend class event_stream;
    struct entry;
    explicit subscription(std::shared_ptr<entry> e) : entry_{std::move(e)} {}
    std::shared_ptr<entry> entry_;
  };

  [[nodiscard]] subscription subscribe(subscriber s);

  /// For the runtime: whether somebody listens.
  bool observed() const noexcept { return count_.load(std::memory_order_relaxed) != 0; }
  /// For the runtime.
  void publish(const event& e);

private:
  // -- guarded by mutex_ --
  std::mutex mutex_; // leaf lock: subscribers are called outside of it
  std::vector<std::weak_ptr<subscription::entry>> entries_;

  // -- any thread --
  std::atomic<std::size_t> count_{0}; // relaxed: a subscription made at the same moment may miss an event
};

} // namespace troupe
