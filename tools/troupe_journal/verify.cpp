// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/row_codec.hpp>

#include "commands.hpp"
#include "text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace journal_tool {

namespace {

/// Looks at one journal; each fault is a line.
class audit {
public:
  audit(troupe::journal_reader& r, std::string key) : reader_{r}, key_{std::move(key)} {}

  int run() {
    const auto head = reader_.head(key_);
    if (!head)
      return 0; // it has gone
    if (const auto fault = troupe::fault_of(key_, *head); !fault.empty())
      say("its row in journals", fault);
    check_snapshots(head->last_event);
    check_events(head->last_event);
    check_exchange(head->last_sent);
    return faults_;
  }

private:
  void say(const std::string& place, const std::string& fault) {
    fmt::print("{}\n", red(fmt::format("journal '{}', {}: {}", key_, place, fault)));
    ++faults_;
  }

  bool check(const std::string& place, const troupe::record_row& r, const std::string& fault) {
    if (!fault.empty())
      say(place, fault);
    else if (!nlohmann::json::accept(r.data))
      say(place, "its data is not JSON");
    else
      return true;
    return false;
  }

  void check_snapshots(std::uint64_t last_event) {
    reader_.snapshots(key_, [&](const troupe::record_row& r) {
      const auto place = fmt::format("snapshot {}", r.sequence);
      if (check(place, r, troupe::fault_of(key_, r)))
        snapshots_.push_back(r.sequence);
      if (r.sequence > last_event)
        say(place, fmt::format("the last event is {}", last_event));
      return true;
    });
  }

  void check_events(std::uint64_t last_event) {
    std::uint64_t next = 0; // 0: none seen
    reader_.events(key_, 0, [&](const troupe::record_row& r) {
      const auto place = fmt::format("event {}", r.sequence);
      if (next == 0) {
        if (r.sequence > 1 && !replaces_all_before(r.sequence))
          say(place, fmt::format("the events 1 to {} are missing, and no good snapshot includes them", r.sequence - 1));
      } else if (r.sequence != next) {
        say(place, fmt::format("the events {} to {} before it are missing", next, r.sequence - 1));
      }
      check(place, r, troupe::fault_of(key_, r));
      next = r.sequence + 1;
      return true;
    });
    if (next != 0 && next <= last_event)
      say("events", fmt::format("{} to {} are missing: there is a later snapshot", next, last_event));
    if (next == 0 && last_event > 0 && snapshots_.empty())
      say("events", "all are missing, and there is no good snapshot");
  }

  /// A good snapshot includes every event before `first`.
  bool replaces_all_before(std::uint64_t first) const {
    return std::any_of(snapshots_.begin(), snapshots_.end(), [&](auto s) { return s + 1 >= first; });
  }

  void check_exchange(std::uint64_t last_sent) {
    reader_.handled(key_, [&](const troupe::handled_row& r) {
      if (const auto fault = troupe::fault_of(key_, r); !fault.empty())
        say(fmt::format("what was handled of '{}'", r.sender), fault);
      return true;
    });
    reader_.outbox(key_, [&](const troupe::outbox_row& r) {
      const auto place = fmt::format("outbox entry {}", r.message.sequence);
      check(place, r.message, troupe::fault_of(key_, r));
      if (r.message.sequence > last_sent)
        say(place, fmt::format("the last number used is {}", last_sent));
      return true;
    });
  }

  troupe::journal_reader& reader_;
  const std::string key_;
  std::vector<std::uint64_t> snapshots_; ///< Those that are good.
  int faults_ = 0;
};

} // namespace

int verify(troupe::journal_reader& r, const std::string& prefix) {
  int faults = 0;
  const auto damage = r.damage();
  for (const auto& line : damage)
    fmt::print("{}\n", red(line));
  faults += static_cast<int>(damage.size());
  const auto keys = r.keys(prefix);
  for (const auto& key : keys)
    faults += audit{r, key}.run();
  fmt::print("{} {}, {} {}\n", keys.size(), keys.size() == 1 ? "journal" : "journals", faults,
             faults == 1 ? "fault" : "faults");
  return faults == 0 ? 0 : 1;
}

} // namespace journal_tool
