// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/row_codec.hpp>

#include "commands.hpp"
#include "text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace journal_tool {

namespace {

using object = nlohmann::ordered_json;

/// One line. Values stay as they were written; what is damaged says so, and has its data as a text if it is not JSON.
class line {
public:
  line(const std::string& key, const char* kind) : fields_{{"journal", key}, {"kind", kind}} {}

  line& add(const char* name, object value) {
    fields_[name] = std::move(value);
    return *this;
  }
  line& add(const troupe::record_row& r) {
    add("sequence", r.sequence).add("time", time_text(r.time)).add("type", r.type).add("version", r.version);
    auto data = object::parse(r.data, nullptr, false);
    return add("data", data.is_discarded() ? object(r.data) : std::move(data));
  }
  /// 1 if there was a fault.
  int print(const std::string& fault) {
    if (!fault.empty())
      add("fault", fault);
    fmt::print("{}\n", fields_.dump(-1, ' ', false, object::error_handler_t::replace));
    return fault.empty() ? 0 : 1;
  }

private:
  object fields_;
};

} // namespace

int export_rows(troupe::journal_reader& r, const std::string& prefix) {
  int status = 0;
  for (const auto& key : r.keys(prefix)) {
    r.snapshots(key, [&](const troupe::record_row& row) {
      status |= line{key, "snapshot"}.add(row).print(troupe::fault_of(key, row));
      return true;
    });
    r.events(key, 0, [&](const troupe::record_row& row) {
      status |= line{key, "event"}.add(row).print(troupe::fault_of(key, row));
      return true;
    });
    r.handled(key, [&](const troupe::handled_row& row) {
      status |= line{key, "handled"}
                    .add("sender", row.sender)
                    .add("sequence", row.sequence)
                    .print(troupe::fault_of(key, row));
      return true;
    });
    r.outbox(key, [&](const troupe::outbox_row& row) {
      auto l = line{key, row.timer.empty() ? "message" : "timer"};
      l.add(row.message).add("target", row.target);
      if (row.due)
        l.add("due", time_text(*row.due));
      if (!row.timer.empty())
        l.add("timer", row.timer);
      status |= l.print(troupe::fault_of(key, row));
      return true;
    });
  }
  return status;
}

} // namespace journal_tool
