// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/actor_timer.hpp>
#include <troupe/journal/handled_senders.hpp>
#include <troupe/journal/journal_session.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::detail {

/// Whose parcels were handled, and what is owed to others.
struct journal_session::mail {
  explicit mail(std::size_t senders_max) : handled{senders_max} {}

  handled_senders handled;
  std::vector<std::pair<const durable_address*, std::uint64_t>> under_way;
  outbox out;
  std::vector<std::uint64_t> unsaved; // settled, which the journal does not know yet
  time_point save_at{};               // when that is to be written at the latest
  actor_timer* alarm = nullptr;       // counted
  time_point alarm_at{};

  bool is_under_way(const parcel_header& p) const {
    return std::ranges::find(under_way, std::pair{static_cast<const durable_address*>(p.from.get()), p.sequence}) !=
           under_way.end();
  }
  void end_under_way(const parcel_header& p) noexcept {
    std::erase(under_way, std::pair{static_cast<const durable_address*>(p.from.get()), p.sequence});
  }
};

/// What `type` makes of a message that it has sent or kept; null: it has no such message.
const parcel_entry* entry_for(const durable_type& type, const stored_message& m, std::shared_ptr<const void>& value);

} // namespace troupe::detail
