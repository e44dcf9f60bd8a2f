// SPDX-License-Identifier: BSD-3-Clause
#include "rate_files.hpp"

#include "text/csv.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <vector>

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

date date_or_fail(const std::string& path, std::size_t line, std::string_view day_text) {
  const auto day = parse_date(day_text);
  if (!day)
    text::fail(path, line, fmt::format("Date: '{}' is not a day YYYY-MM-DD", text::shown(day_text)));
  return *day;
}

double rate_or_fail(const std::string& path, std::size_t line, std::string_view field, std::string_view value) {
  const auto rate = text::parse_number(value);
  if (!rate || *rate <= 0)
    text::fail(path, line, fmt::format("{}: '{}' is not a rate above 0", field, text::shown(value)));
  return *rate;
}

} // namespace

rate_table read_ecb(const std::string& path) {
  rate_table table{"EUR"};
  std::vector<std::string> names;
  text::for_each_line(path, [&](std::size_t line, std::string_view row) {
    const auto fields = text::fields_of(row);
    const std::size_t count = fields.size() - (fields.back().empty() ? 1 : 0); // each line ends with a comma
    if (line == 1) {
      if (count < 2 || fields[0] != "Date")
        text::fail(path, 1, "the header does not begin with 'Date' and the names of currencies");
      names.assign(fields.begin() + 1, fields.begin() + static_cast<std::ptrdiff_t>(count));
      return;
    }
    if (count != names.size() + 1)
      text::fail(path, line, fmt::format("{} fields, not {}", count, names.size() + 1));
    const date day = date_or_fail(path, line, fields[0]);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (fields[i + 1] != "N/A" && !table.add(names[i], day, rate_or_fail(path, line, names[i], fields[i + 1])))
        text::fail(path, line, fmt::format("{}: a second rate of {}", names[i], to_text(day)));
  });
  return table;
}

rate_table read_fed(const std::string& path) {
  rate_table table{"USD"};
  text::for_each_line(path, [&](std::size_t line, std::string_view row) {
    const auto fields = text::fields_of(row);
    if (fields.size() != 3)
      text::fail(path, line, fmt::format("{} fields, not 3", fields.size()));
    if (line == 1) {
      if (fields[0] != "Date" || fields[1] != "Country" || fields[2] != "Exchange rate")
        text::fail(path, 1, "the header is not 'Date,Country,Exchange rate'");
      return;
    }
    const date day = date_or_fail(path, line, fields[0]);
    const auto currency = fed_currencies.find(fields[1]);
    if (currency == fed_currencies.end())
      text::fail(path, line, fmt::format("Country: '{}' is not known", text::shown(fields[1])));
    if (fields[2].empty()) // a gap
      return;
    if (!table.add(std::string{currency->second}, day, rate_or_fail(path, line, "Exchange rate", fields[2])))
      text::fail(path, line, fmt::format("Country: a second rate of '{}' for {}", fields[1], to_text(day)));
  });
  return table;
}

} // namespace market_data
