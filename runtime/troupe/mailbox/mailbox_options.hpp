// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What happens to a message for which a mailbox has no room.
enum class overflow_policy : unsigned char {
  /// The new message is refused, and the sender learns of it. Nothing that was accepted is lost.
  reject,
  /// The new message is accepted and dropped at once, counted; the sender learns of it.
  drop_newest,
  /// The oldest waiting message is dropped, counted, and the new one takes its place.
  drop_oldest,
};

using enum overflow_policy;

/// The enumerator's own spelling.
constexpr std::string_view to_string(overflow_policy value) noexcept {
  switch (value) {
    case overflow_policy::reject: return "reject";
    case overflow_policy::drop_newest: return "drop_newest";
    case overflow_policy::drop_oldest: return "drop_oldest";
  }
  return "invalid overflow_policy";
}

/// How much an actor may hold waiting, and what happens beyond that.
struct mailbox_options {
  static constexpr std::size_t capacity_max = 500'000;

  /// Messages that may wait, 1..500'000. The control lane is not counted.
  std::size_t capacity = 10'000;

  /// What happens to a message beyond `capacity`.
  overflow_policy overflow = overflow_policy::reject;

  friend bool operator==(const mailbox_options&, const mailbox_options&) = default;
};

/// Returns what is wrong with `options`, naming the field, or nothing.
inline std::optional<std::string> validate(const mailbox_options& options) {
  if (options.capacity < 1 || options.capacity > mailbox_options::capacity_max)
    return "mailbox.capacity must be 1..500000, not " + std::to_string(options.capacity);
  if (options.overflow > overflow_policy::drop_oldest)
    return std::string{"mailbox.overflow must be reject, drop_newest or drop_oldest"};
  return std::nullopt;
}

} // namespace troupe
