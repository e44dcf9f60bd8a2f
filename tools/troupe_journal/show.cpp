// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/row_codec.hpp>

#include "commands.hpp"
#include "text.hpp"

#include <fmt/format.h>

#include <vector>

namespace journal_tool {

namespace {

void print_record(const troupe::record_row& r, const std::string& fault) {
  fmt::print("  {:>8}  {}  {} v{}  {}{}\n", r.sequence, time_text(r.time), r.type, r.version, r.data,
             fault.empty() ? "" : "  " + red(fault));
}

} // namespace

int show(troupe::journal_reader& r, const std::string& key, std::optional<std::uint64_t> last) {
  const auto head = r.head(key);
  if (!head)
    throw troupe::journal_error{"there is no journal '" + key + "'"};
  int status = 0;
  const auto fault = [&](const auto& row) {
    auto text = troupe::fault_of(key, row);
    status |= text.empty() ? 0 : 1;
    return text;
  };
  fmt::print("{}\n", bold(key));

  fmt::print("{}\n", bold("snapshots, the latest first"));
  r.snapshots(key, [&](const troupe::record_row& row) {
    print_record(row, fault(row));
    return true;
  });

  const auto after = last && *last < head->last_event ? head->last_event - *last : 0;
  fmt::print("{}\n", bold(after == 0 ? "events" : fmt::format("events after {}", after)));
  r.events(key, after, [&](const troupe::record_row& row) {
    print_record(row, fault(row));
    return true;
  });

  fmt::print("{}\n", bold("handled: the last of each sender"));
  r.handled(key, [&](const troupe::handled_row& row) {
    const auto text = fault(row);
    fmt::print("  {:>8}  {}{}\n", row.sequence, row.sender, text.empty() ? "" : "  " + red(text));
    return true;
  });

  fmt::print("{}\n", bold(fmt::format("outbox: what is not settled; the last number used is {}", head->last_sent)));
  r.outbox(key, [&](const troupe::outbox_row& row) {
    auto text = fault(row);
    if (row.due)
      text = fmt::format("due {}  {}", time_text(*row.due), text);
    if (!row.timer.empty())
      text = fmt::format("timer {}  {}", row.timer, text);
    print_record(row.message, fmt::format("to {}  {}", row.target, text));
    return true;
  });
  if (!troupe::fault_of(key, *head).empty()) {
    fmt::print("{}\n", red("the row in journals is damaged"));
    status = 1;
  }
  return status;
}

} // namespace journal_tool
