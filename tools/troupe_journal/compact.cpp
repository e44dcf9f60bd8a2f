// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/row_codec.hpp>

#include "commands.hpp"

#include <fmt/format.h>

#include <vector>

namespace journal_tool {

namespace {

/// The last event that no replay needs: the last-but-one snapshot includes it, and both snapshots are good.
std::uint64_t superfluous_to(troupe::journal_reader& r, const std::string& key) {
  std::vector<std::uint64_t> good;
  r.snapshots(key, [&](const troupe::record_row& row) {
    if (troupe::fault_of(key, row).empty())
      good.push_back(row.sequence);
    return good.size() < 2;
  });
  return good.size() < 2 ? 0 : good[1];
}

std::uint64_t events_up_to(troupe::journal_reader& r, const std::string& key, std::uint64_t last) {
  std::uint64_t n = 0;
  r.events(key, 0, [&](const troupe::record_row& row) {
    n += row.sequence <= last ? 1 : 0;
    return row.sequence < last;
  });
  return n;
}

} // namespace

int compact(troupe::journal_database& db, const std::string& prefix, bool dry_run) {
  std::vector<std::unique_ptr<troupe::journal_write>> group;
  std::uint64_t dropped = 0;
  std::uint64_t journals = 0;
  const auto write = [&] {
    if (!group.empty() && !dry_run) {
      db.write(group);
      db.sync();
    }
    group.clear();
  };
  {
    const auto reader = db.read();
    for (const auto& key : reader->keys(prefix)) {
      const auto last = superfluous_to(*reader, key);
      const auto n = last == 0 ? 0 : events_up_to(*reader, key, last);
      if (n == 0)
        continue;
      fmt::print("{}: {} {}, up to {}\n", key, n, n == 1 ? "event" : "events", last);
      dropped += n;
      ++journals;
      group.push_back(troupe::journal_write::of({.key = key, .drop_events_to = last}));
      constexpr std::size_t largest_group = 256;
      if (group.size() == largest_group)
        write();
    }
  }
  write();
  if (!dry_run && dropped > 0)
    db.reclaim();
  fmt::print("{} {} of {} {}\n", dropped, dry_run ? "events could be dropped" : "events dropped", journals,
             journals == 1 ? "journal" : "journals");
  return 0;
}

} // namespace journal_tool
