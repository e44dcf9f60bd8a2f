// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a simulation decides. Every choice has a default, 0: first in, first out, and no fault.
enum class choice_kind : std::uint8_t {
  order,         ///< Which of the ready actors has the next turn: the place in the queue.
  preempt,       ///< How many turns others have in the middle of a handler, before it sends.
  crash,         ///< Where a handler fails: 1 = at its beginning, n = at its (n - 1)th send or fault point.
  slow,          ///< For how long a turn is held back, in eighths of `simulation_faults::slow_by`.
  full,          ///< A mailbox looks full to one message.
  clock_step,    ///< Calendar time jumps.
  process_crash, ///< The process ends here and is started again.
  disk,          ///< An operation of the disk goes wrong.
  link,          ///< A message from one node to another is late or lost, or the link breaks.
};

/// The letter of `kind` in a schedule's text.
char letter_of(choice_kind kind) noexcept;

/// One choice that was not the default. `subject`: the actor's id, or 0; `ordinal`: which of its choices of that kind,
/// counted from 0.
struct choice {
  choice_kind kind{};
  std::uint32_t subject = 0;
  std::uint32_t ordinal = 0;
  std::uint32_t value = 0;

  friend bool operator==(const choice&, const choice&) = default;
};

/// Everything that makes a run what it is: the seed of its random numbers, and the choices that were not the default.
struct schedule {
  std::uint64_t seed = 0;
  std::vector<choice> choices{};

  friend bool operator==(const schedule&, const schedule&) = default;
};

/// One word without blanks, such as `7/o0.12=3/c4.0=1`: the seed, then letter, subject, ordinal and value.
std::string to_string(const schedule& s);

/// The schedule of that text. Throws std::invalid_argument naming the part that is wrong.
schedule parse_schedule(std::string_view text);

} // namespace troupe
