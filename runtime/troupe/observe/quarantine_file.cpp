// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/json_value.hpp>
#include <troupe/journal/rows.hpp>
#include <troupe/observe/quarantine_file.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <chrono>
#include <istream>
#include <ostream>
#include <stdexcept>

namespace troupe {

namespace {

using nlohmann::json;

json written(const quarantined_message& m) {
  return {{"id", m.id},
          {"receiver", m.receiver},
          {"message", m.message_type},
          {"exception", m.exception},
          {"attempts", m.attempts},
          {"since_us", std::chrono::duration_cast<std::chrono::microseconds>(m.since.time_since_epoch()).count()},
          {"payload", m.payload},
          {"path", m.path}};
}

quarantined_message read_back(const json& j) {
  quarantined_message m;
  read_json(j.at("id"), m.id);
  m.receiver = j.at("receiver");
  m.message_type = j.at("message");
  m.exception = j.at("exception");
  read_json(j.at("attempts"), m.attempts);
  m.since = time_of(detail::read_json_as<row_time>(j.at("since_us")));
  m.payload = j.at("payload");
  m.path = j.at("path").get<std::vector<std::string>>();
  return m;
}

[[noreturn]] void refuse(std::string_view name, std::size_t line, std::string_view why) {
  throw std::runtime_error{fmt::format("{}:{}: {}", name, line, why)};
}

/// After the last line: a directory, or a disk that fails, must not look like a file that ends.
void require_end(const std::istream& from, std::string_view name) {
  if (from.bad())
    throw std::runtime_error{fmt::format("{}: cannot be read to its end", name)};
}

/// "replay 12" without what surrounds it; throws std::invalid_argument.
quarantine_order parse_order(std::string_view text) {
  const auto space = text.find(' ');
  const auto verb = text.substr(0, space);
  quarantine_order o;
  if (verb == "replay")
    o.what = quarantine_order::kind::replay;
  else if (verb == "discard")
    o.what = quarantine_order::kind::discard;
  else
    throw std::invalid_argument{fmt::format("'{}' is neither replay nor discard", verb)};
  const auto number = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  const auto* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, o.id);
  if (number.empty() || parsed.ec != std::errc{} || parsed.ptr != end)
    throw std::invalid_argument{fmt::format("{} needs the id of a message, not '{}'", verb, number)};
  return o;
}

std::string_view trimmed(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const auto first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view{}
                                         : line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

} // namespace

void write_quarantine(std::ostream& to, const std::vector<quarantined_message>& all) {
  for (const auto& m : all) // an exception's text may be in any encoding
    to << written(m).dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

std::vector<quarantined_message> read_quarantine(std::istream& from, std::string_view name) {
  std::vector<quarantined_message> all;
  std::string line;
  for (std::size_t n = 1; std::getline(from, line); ++n) {
    if (line.empty())
      continue;
    try {
      all.push_back(read_back(json::parse(line)));
    } catch (const std::exception& e) {
      refuse(name, n, e.what());
    }
  }
  require_end(from, name);
  return all;
}

std::vector<quarantine_order> read_orders(std::istream& from, std::string_view name) {
  std::vector<quarantine_order> all;
  std::string line;
  for (std::size_t n = 1; std::getline(from, line); ++n) {
    const auto text = trimmed(line);
    if (text.empty())
      continue;
    try {
      all.push_back(parse_order(text));
    } catch (const std::invalid_argument& e) {
      refuse(name, n, e.what());
    }
  }
  require_end(from, name);
  return all;
}

orders_done carry_out(const std::vector<quarantine_order>& orders, quarantine& in) {
  orders_done done;
  for (const auto& o : orders) {
    const bool replays = o.what == quarantine_order::kind::replay;
    if (!(replays ? in.replay(o.id) : in.discard(o.id)))
      done.failed.push_back(o.id);
    else
      ++(replays ? done.replayed : done.discarded);
  }
  return done;
}

} // namespace troupe
