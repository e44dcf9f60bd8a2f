// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/runnable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>

namespace troupe::detail {

class cell;
struct envelope;

/// What a message finds on its way to a mailbox.
enum class passage : std::uint8_t {
  open,
  full,  ///< The mailbox is to look full.
  taken, ///< The conductor keeps the message: it hands it to `cell::arrive` later, or loses it.
};

/// Decides what production leaves to chance, and sees what comes of it: the one seam between a stepped system and the
/// simulation that runs it. Null in production, where it costs nothing.
///
/// Threads: the one that steps the system.
class conductor {
public:
  conductor() = default;
  conductor(const conductor&) = delete;
  conductor& operator=(const conductor&) = delete;
  virtual ~conductor() = default;

  // -- called by the stepper --

  /// `r` is ready for a turn. False: the conductor keeps it, and submits it again later.
  virtual bool admit(engine::runnable& r) noexcept = 0;
  /// Which of `ready`, which is not empty, has the next turn.
  virtual std::size_t choose(const std::deque<engine::runnable*>& ready) noexcept = 0;
  /// A turn is over. What it throws reaches whoever steps the system.
  virtual void turn_over() = 0;

  // -- called by cells --

  /// `from` (null: nobody of this system) is about to send `e` to `to`. May run turns of other actors first, as if they
  /// ran beside the sender. May throw, into the sender's handler.
  virtual passage sending(cell* from, cell& to, envelope& e) = 0;
  /// Something other than a message or a reply is on its way to `to`: an order, a report, a watch, a timer.
  virtual void controlling(cell& to) noexcept = 0;
  /// A handler of `by` is about to begin. May throw, in the handler's place.
  virtual void handling(cell& by, envelope& e) = 0;
  /// A suspended handler of `by` is to go on. False: it stays suspended for ever, because the process has crashed.
  virtual bool resuming(cell& by, envelope& e) noexcept = 0;
  /// A handler of `by` is in its middle. May throw.
  virtual void fault_point(cell& by) = 0;
  /// An exception has left a handler of `by`.
  virtual void failed(cell& by, const envelope& e, const std::exception_ptr& why) noexcept = 0;
};

} // namespace troupe::detail
