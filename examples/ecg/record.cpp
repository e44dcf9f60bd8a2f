// SPDX-License-Identifier: BSD-3-Clause
#include "record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

namespace ecg {

namespace {

[[noreturn]] void fail(const std::string& path, std::size_t line, std::string_view problem) {
  throw record_error{fmt::format("{}:{}: {}", path, line, problem)};
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

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

} // namespace

std::vector<lead> read_record(const std::string& path) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    throw record_error{path + ": is a directory"};
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw record_error{fmt::format("{}: cannot be opened: {}", path, std::generic_category().message(errno))};
  std::vector<lead> record;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.ends_with('\r'))
      line.pop_back();
    const auto fields = fields_of(line);
    if (number == 1) {
      if (fields.size() < 2 || fields[0] != "sample")
        fail(path, 1, fmt::format("the header is '{}', not 'sample' and the names of leads", shown(line)));
      for (std::size_t i = 1; i < fields.size(); ++i)
        record.push_back({std::string{fields[i]}, {}});
      continue;
    }
    if (fields.size() != record.size() + 1)
      fail(path, number, fmt::format("{} fields, not {}", fields.size(), record.size() + 1));
    if (std::uint64_t sample = 0; !read_number(fields[0], sample) || sample != number - 2)
      fail(path, number, fmt::format("sample: '{}' is not {}", shown(fields[0]), number - 2));
    for (std::size_t i = 0; i < record.size(); ++i) {
      double value = std::numeric_limits<double>::quiet_NaN();
      if (!fields[i + 1].empty() && (!read_number(fields[i + 1], value) || std::isinf(value)))
        fail(path, number, fmt::format("{}: '{}' is not a number", record[i].name, shown(fields[i + 1])));
      record[i].samples.push_back(value);
    }
  }
  if (number < 2)
    throw record_error{path + ": holds no samples"};
  return record;
}

const lead& find_lead(const std::vector<lead>& record, std::string_view name, const std::string& path) {
  std::string names;
  for (const auto& l : record) {
    if (name.empty() || l.name == name)
      return l;
    names += (names.empty() ? "" : ", ") + l.name;
  }
  throw record_error{fmt::format("{}: no lead '{}'; there are {}", path, shown(name), names)};
}

} // namespace ecg
