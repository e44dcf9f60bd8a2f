// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <bench/nexmark/event_log.hpp>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <map>
#include <string_view>

namespace nexmark {

namespace {

/// One CSV file: header, lines, fields without quotes, as Nexmark's files are.
class table {
public:
  table(const std::string& path, std::deque<std::string>& texts) : path_{path} {
    std::ifstream in{path, std::ios::binary};
    if (!in || std::filesystem::is_directory(path))
      throw event_log_error{path + ": cannot be read"};
    texts.emplace_back(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
    rest_ = texts.back();
    if (rest_.empty())
      throw event_log_error{path + ":1: no header line"};
    next_line();
    std::size_t i = 0;
    for (const auto name : split(line_))
      if (!columns_.emplace(name, i++).second)
        fail("two columns '" + std::string{name} + "'");
  }

  /// The place of a column; throws if there is none of that name.
  std::size_t column(std::string_view name) const {
    const auto found = columns_.find(name);
    if (found == columns_.end())
      throw event_log_error{path_ + ":1: no column '" + std::string{name} + "'"};
    return found->second;
  }

  /// On to the next line; false at the end.
  bool next() {
    do {
      if (rest_.empty())
        return false;
      next_line();
    } while (line_.empty());
    fields_ = split(line_);
    if (fields_.size() != columns_.size())
      fail("has " + std::to_string(fields_.size()) + " fields, not " + std::to_string(columns_.size()));
    return true;
  }

  std::string_view text(std::size_t column) const { return fields_[column]; }

  std::int64_t number(std::size_t column, std::string_view name) const {
    const auto text = fields_[column];
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size())
      fail("'" + std::string{text} + "' in column '" + std::string{name} + "' is no number");
    return n;
  }

  /// Milliseconds since 1970, written as a number or as `2015-07-15 00:00:00.005`.
  std::int64_t time(std::size_t column, std::string_view name) const {
    const auto text = fields_[column];
    if (text.find('-', 1) == std::string_view::npos)
      return number(column, name);
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
    const std::string copy{text};
    std::int64_t ms = 0;
    if (std::sscanf(copy.c_str(), "%d-%d-%d %d:%d:%d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6)
      fail("'" + copy + "' in column '" + std::string{name} + "' is no time");
    if (const auto fraction = std::string_view{copy}.substr(static_cast<std::size_t>(used)); !fraction.empty()) {
      if (fraction[0] != '.')
        fail("'" + copy + "' in column '" + std::string{name} + "' is no time");
      std::int64_t scale = 100;
      for (std::size_t i = 1; i < fraction.size(); ++i, scale /= 10) {
        if (fraction[i] < '0' || fraction[i] > '9')
          fail("'" + copy + "' in column '" + std::string{name} + "' is no time");
        ms += (fraction[i] - '0') * scale;
      }
    }
    const auto within = [](int n, int least, int most) { return n >= least && n <= most; };
    if (!within(year, 1, 9999) || !within(month, 1, 12) || !within(day, 1, 31) || !within(hour, 0, 23) ||
        !within(minute, 0, 59) || !within(second, 0, 59))
      fail("'" + copy + "' in column '" + std::string{name} + "' is no time");
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok())
      fail("'" + copy + "' in column '" + std::string{name} + "' is no time");
    return std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86'400'000} +
           ((hour * 60 + minute) * 60 + second) * std::int64_t{1'000} + ms;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw event_log_error{path_ + ":" + std::to_string(number_) + ": " + what};
  }

private:
  void next_line() {
    const auto end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    if (!line_.empty() && line_.back() == '\r')
      line_.remove_suffix(1);
    ++number_;
  }

  static std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> fields;
    for (;;) {
      const auto end = line.find(',');
      fields.push_back(line.substr(0, end));
      if (end == std::string_view::npos)
        return fields;
      line.remove_prefix(end + 1);
    }
  }

  std::string path_;
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  std::map<std::string_view, std::size_t> columns_;
  std::vector<std::string_view> fields_;
};

struct person_columns {
  explicit person_columns(const table& t)
      : id{t.column("id")}, name{t.column("name")}, city{t.column("city")}, state{t.column("state")},
        time{t.column("date_time")} {}
  event read(const table& t) const {
    event e{};
    e.what = event::kind::person;
    e.time = t.time(time, "date_time");
    e.person = {t.number(id, "id"), t.text(name), t.text(city), t.text(state)};
    return e;
  }
  std::size_t id, name, city, state, time;
};

struct auction_columns {
  explicit auction_columns(const table& t)
      : id{t.column("id")}, seller{t.column("seller")}, category{t.column("category")}, expires{t.column("expires")},
        time{t.column("date_time")} {}
  event read(const table& t) const {
    event e{};
    e.what = event::kind::auction;
    e.time = t.time(time, "date_time");
    e.auction = {t.number(id, "id"), t.number(seller, "seller"), t.number(category, "category"),
                 t.time(expires, "expires")};
    return e;
  }
  std::size_t id, seller, category, expires, time;
};

struct bid_columns {
  explicit bid_columns(const table& t)
      : auction{t.column("auction")}, bidder{t.column("bidder")}, price{t.column("price")},
        channel{t.column("channel")}, url{t.column("url")}, time{t.column("date_time")} {}
  event read(const table& t) const {
    event e{};
    e.what = event::kind::bid;
    e.time = t.time(time, "date_time");
    e.bid = {t.number(auction, "auction"), t.number(bidder, "bidder"), t.number(price, "price"), t.text(channel),
             t.text(url)};
    return e;
  }
  std::size_t auction, bidder, price, channel, url, time;
};

std::uint32_t checked_sequence(const table& t, std::int64_t n) {
  if (n < 0 || n > std::numeric_limits<std::uint32_t>::max())
    t.fail("'" + std::to_string(n) + "' in column 'seq' is out of range");
  return static_cast<std::uint32_t>(n);
}

event_log read_file(const std::string& path) {
  event_log log;
  table t{path, log.texts};
  const auto sequence = t.column("seq");
  const auto type = t.column("type");
  const person_columns persons{t};
  const auction_columns auctions{t};
  const bid_columns bids{t};
  while (t.next()) {
    const auto what = t.text(type);
    if (what == "P")
      log.events.push_back(persons.read(t));
    else if (what == "A")
      log.events.push_back(auctions.read(t));
    else if (what == "B")
      log.events.push_back(bids.read(t));
    else
      t.fail("type '" + std::string{what} + "' is none of P, A and B");
    log.events.back().sequence = checked_sequence(t, t.number(sequence, "seq"));
  }
  return log;
}

event_log read_folder(const std::string& path) {
  event_log log;
  const auto read = [&]<class Columns>(const char* name, std::type_identity<Columns>) {
    table t{path + "/" + name, log.texts};
    const Columns columns{t};
    while (t.next())
      log.events.push_back(columns.read(t));
  };
  read("person.csv", std::type_identity<person_columns>{});
  read("auction.csv", std::type_identity<auction_columns>{});
  read("bid.csv", std::type_identity<bid_columns>{});
  std::ranges::stable_sort(log.events, {}, &event::time);
  for (std::size_t i = 0; i < log.events.size(); ++i)
    log.events[i].sequence = static_cast<std::uint32_t>(i);
  return log;
}

} // namespace

event_log event_log::read(const std::string& path) {
  return std::filesystem::is_directory(path) ? read_folder(path) : read_file(path);
}

std::vector<event> disordered(const std::vector<event>& in_order, std::size_t group) {
  if (group <= 1)
    return in_order;
  if (group % 953 == 0)
    throw std::invalid_argument{"a group of disorder must not be a multiple of 953"};
  std::vector<event> out;
  out.reserve(in_order.size());
  for (std::size_t start = 0; start < in_order.size(); start += group)
    for (std::size_t i = 0; i < group; ++i)
      if (const auto at = start + (start + i) * 953 % group; at < in_order.size())
        out.push_back(in_order[at]);
  return out;
}

std::int64_t lateness_of(const std::vector<event>& events) {
  std::int64_t latest = std::numeric_limits<std::int64_t>::min();
  std::int64_t worst = 0;
  for (const auto& e : events) {
    latest = std::max(latest, e.time);
    worst = std::max(worst, latest - e.time);
  }
  return worst;
}

} // namespace nexmark
