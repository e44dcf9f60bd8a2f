// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/quarantine.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

/// The quarantine of a running service in a file, for people and `troupe-quarantine`, and their decisions back into it.
///
/// A message's payload has no written form in general, so the file holds what describes it, and the message itself stays
/// with its service. What is decided about it comes back as an order that names its id.

namespace troupe {

/// One JSON object on each line.
void write_quarantine(std::ostream& to, const std::vector<quarantined_message>& all);

/// What `write_quarantine` has written. Throws std::runtime_error "NAME:LINE: ..." for a line that it cannot have written, and
/// "NAME: ..." if `from` cannot be read to its end.
std::vector<quarantined_message> read_quarantine(std::istream& from, std::string_view name);

/// What is to be done with one message.
struct quarantine_order {
  enum class kind : unsigned char { replay, discard };
  kind what{};
  std::uint64_t id = 0;

  friend bool operator==(const quarantine_order&, const quarantine_order&) = default;
};

/// Lines "replay 12" and "discard 13"; empty ones and what follows a `#` are left out.
/// Throws std::runtime_error "NAME:LINE: ..." for any other, and "NAME: ..." if `from` cannot be read to its end.
std::vector<quarantine_order> read_orders(std::istream& from, std::string_view name);

struct orders_done {
  std::size_t replayed = 0;
  std::size_t discarded = 0;
  std::vector<std::uint64_t> failed{}; ///< Not there any more, or not accepted by its receiver: it is then still there.
};

/// Carries them out, in their order. Threads: any.
orders_done carry_out(const std::vector<quarantine_order>& orders, quarantine& in);

} // namespace troupe
