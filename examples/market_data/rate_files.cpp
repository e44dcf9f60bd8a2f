// SPDX-License-Identifier: BSD-3-Clause
#include "rate_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>

namespace market_data {

namespace {

// As the file names them, and their currencies at the time.
const std::map<std::string_view, std::string_view> fed_currencies{
    {"Australia", "AUD"},      {"Austria", "ATS"},     {"Belgium", "BEF"},  {"Brazil", "BRL"},
    {"Canada", "CAD"},         {"China", "CNY"},       {"Denmark", "DKK"},  {"Euro", "EUR"},
    {"Finland", "FIM"},        {"France", "FRF"},      {"Germany", "DEM"},  {"Greece", "GRD"},
    {"Hong Kong", "HKD"},      {"India", "INR"},       {"Ireland", "IEP"},  {"Italy", "ITL"},
    {"Japan", "JPY"},          {"Malaysia", "MYR"},    {"Mexico", "MXN"},   {"Netherlands", "NLG"},
    {"New Zealand", "NZD"},    {"Norway", "NOK"},      {"Portugal", "PTE"}, {"Singapore", "SGD"},
    {"South Africa", "ZAR"},   {"South Korea", "KRW"}, {"Spain", "ESP"},    {"Sri Lanka", "LKR"},
    {"Sweden", "SEK"},         {"Switzerland", "CHF"}, {"Taiwan", "TWD"},   {"Thailand", "THB"},
    {"United Kingdom", "GBP"}, {"Venezuela", "VEF"}};

[[noreturn]] void fail(const std::string& path, std::size_t line, std::string_view problem) {
  throw input_error{fmt::format("{}:{}: {}", path, line, problem)};
}

/// What a message shows of a field: no control characters, and not too much.
std::string shown(std::string_view text) {
  std::string result{text.substr(0, 40)};
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text.size() > 40 ? result + "..." : result;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos)
      return fields;
    line.remove_prefix(comma + 1);
  }
}

/// Calls `take(number, fields)` for each line, the first one included.
void for_each_line(const std::string& path,
                   const std::function<void(std::size_t, const std::vector<std::string_view>&)>& take) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    throw input_error{path + ": is a directory"};
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw input_error{fmt::format("{}: cannot be opened: {}", path, std::generic_category().message(errno))};
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r'))
      line.pop_back();
    take(++number, fields_of(line));
  }
  if (number == 0)
    throw input_error{path + ": is empty"};
}

date date_or_fail(const std::string& path, std::size_t line, std::string_view text) {
  const auto day = parse_date(text);
  if (!day)
    fail(path, line, fmt::format("Date: '{}' is not a day YYYY-MM-DD", shown(text)));
  return *day;
}

double rate_or_fail(const std::string& path, std::size_t line, std::string_view field, std::string_view text) {
  double rate = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, rate);
  if (error != std::errc{} || stop != end || !std::isfinite(rate) || rate <= 0)
    fail(path, line, fmt::format("{}: '{}' is not a rate above 0", field, shown(text)));
  return rate;
}

} // namespace

rate_table read_ecb(const std::string& path) {
  rate_table table{"EUR"};
  std::vector<std::string> names;
  for_each_line(path, [&](std::size_t line, const std::vector<std::string_view>& fields) {
    const std::size_t count = fields.size() - (fields.back().empty() ? 1 : 0); // each line ends with a comma
    if (line == 1) {
      if (count < 2 || fields[0] != "Date")
        fail(path, 1, "the header does not begin with 'Date' and the names of currencies");
      names.assign(fields.begin() + 1, fields.begin() + static_cast<std::ptrdiff_t>(count));
      return;
    }
    if (count != names.size() + 1)
      fail(path, line, fmt::format("{} fields, not {}", count, names.size() + 1));
    const date day = date_or_fail(path, line, fields[0]);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (fields[i + 1] != "N/A" && !table.add(names[i], day, rate_or_fail(path, line, names[i], fields[i + 1])))
        fail(path, line, fmt::format("{}: a second rate of {}", names[i], to_text(day)));
  });
  return table;
}

rate_table read_fed(const std::string& path) {
  rate_table table{"USD"};
  for_each_line(path, [&](std::size_t line, const std::vector<std::string_view>& fields) {
    if (fields.size() != 3)
      fail(path, line, fmt::format("{} fields, not 3", fields.size()));
    if (line == 1) {
      if (fields[0] != "Date" || fields[1] != "Country" || fields[2] != "Exchange rate")
        fail(path, 1, "the header is not 'Date,Country,Exchange rate'");
      return;
    }
    const date day = date_or_fail(path, line, fields[0]);
    const auto currency = fed_currencies.find(fields[1]);
    if (currency == fed_currencies.end())
      fail(path, line, fmt::format("Country: '{}' is not known", shown(fields[1])));
    if (fields[2].empty()) // a gap
      return;
    if (!table.add(std::string{currency->second}, day, rate_or_fail(path, line, "Exchange rate", fields[2])))
      fail(path, line, fmt::format("Country: a second rate of '{}' for {}", fields[1], to_text(day)));
  });
  return table;
}

} // namespace market_data
